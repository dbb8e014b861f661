"""Turns the records of a table into rows to learn from, and tells which lines give none, and why.

Knows nothing of files or storage; nothing is dropped without being listed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from demo.data.ingest import Table
from demo.data.shapes import ALPACA, CONTEXTS, MESSAGES, Mapping
from demo.dataset_records import Damage
from demo.records import Message, Role
from demo.run_records import Row

ROLES: dict[str, Role] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
}
MOST_TURNS = 64
"""Each assistant turn is rendered with all before it, so the cost grows with the square."""
TURN_KEYS = (("role", "content"), ("from", "value"))


class Odd(Exception):
    """One record is no row: the key and values of what is wrong with it."""

    def __init__(self, key: str, **values: Any) -> None:
        self.key = key
        self.values = values
        super().__init__(key)


@dataclass(frozen=True)
class Mapped:
    """A table as rows."""

    rows: tuple[Row, ...]
    empty: tuple[int, ...]
    """Lines without prompt or completion."""
    damaged: tuple[Damage, ...]
    """Those of the file, and records that are no conversation or pair."""

    @property
    def standing(self) -> int:
        """All rows, usable or not."""
        return len(self.rows) + len(self.empty) + len(self.damaged)


def to_rows(table: Table, mapping: Mapping) -> Mapped:
    """The rows to learn from, and the lines that give none."""
    rows, empty, damaged = [], [], list(table.damaged)
    for line, record in zip(table.lines, table.records, strict=True):
        try:
            row = _row(table, line, record, mapping)
        except Odd as odd:
            damaged.append(Damage(line, odd.key, odd.values))
        else:
            rows += [row] if row else []
            empty += [] if row else [line]
    return Mapped(tuple(rows), tuple(empty), tuple(sorted(damaged, key=lambda item: item.line)))


def _row(table: Table, line: int, record: dict[str, Any], mapping: Mapping) -> Row | None:
    if mapping.shape == MESSAGES:
        messages = _conversation(record.get(mapping.prompt))
    elif not mapping.prompt:
        text = _text(record, mapping.completion)
        return Row(line, (Message("assistant", text),), raw=True) if text else None
    else:
        messages = _pair(table, record, mapping)
    return Row(line, messages) if messages else None


def _pair(table: Table, record: dict[str, Any], mapping: Mapping) -> tuple[Message, ...]:
    """Prompt and completion as one exchange; empty when either is missing."""
    prompt, completion = _text(record, mapping.prompt), _text(record, mapping.completion)
    if not prompt or not completion:
        return ()
    if mapping.shape == ALPACA:
        contexts = [column for column in table.columns if column.strip().lower() in CONTEXTS]
        texts = [prompt, *(_text(record, column) for column in contexts)]
        prompt = "\n\n".join(text for text in texts if text)
    return Message("user", prompt), Message("assistant", completion)


def _text(record: dict[str, Any], column: str) -> str:
    value = record.get(column)
    if isinstance(value, dict | list):
        raise Odd("holds_list", column=column[:40])
    return "" if value is None else str(value).strip()


def _conversation(turns: Any) -> tuple[Message, ...]:
    """A checked conversation; empty when a user's or the assistant's turn says nothing."""
    if not isinstance(turns, list):
        raise Odd("no_list")
    if len(turns) > MOST_TURNS:
        raise Odd("turns", got=len(turns), high=MOST_TURNS)
    messages = [_message(number, turn) for number, turn in enumerate(turns, 1)]
    messages = [m for m in messages if m.content or m.role != "system"]
    _require_order([message.role for message in messages])
    return tuple(messages) if all(message.content for message in messages) else ()


def _message(number: int, turn: Any) -> Message:
    keys = next((pair for pair in TURN_KEYS if isinstance(turn, dict) and pair[0] in turn), None)
    if keys is None:
        raise Odd("no_role", turn=number)
    role, content = turn[keys[0]], turn.get(keys[1])
    if not isinstance(role, str) or role not in ROLES:
        raise Odd("role", turn=number, got=repr(str(role)[:40]))
    if not isinstance(content, str):
        raise Odd("content", turn=number)
    return Message(ROLES[role], content.strip())


def _require_order(roles: Sequence[str]) -> None:
    if "assistant" not in roles:
        raise Odd("no_assistant")
    turns = roles[1:] if roles[0] == "system" else roles
    for number, role in enumerate(turns):
        expected = ("user", "assistant")[number % 2]
        if role != expected:
            raise Odd("order", got=role, wanted=expected)
    if roles[-1] != "assistant":
        raise Odd("no_end")
