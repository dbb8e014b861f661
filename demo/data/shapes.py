"""Recognises what the columns of a table mean, and turns its records into conversations.

Knows nothing of files, storage or tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from demo.data.ingest import Table
from demo.records import Message, Role
from demo.run_records import Row

MESSAGES = "messages"
ALPACA = "alpaca"
PAIRS = "prompt/completion"
COLUMNS = "columns"

CHAT_COLUMNS = ("messages", "conversations")
INSTRUCTION = "instruction"
CONTEXTS = ("input", "context")
RESPONSES = ("output", "response", "completion", "answer")
PAIR_NAMES = (
    ("prompt", "completion"),
    ("prompt", "response"),
    ("question", "answer"),
    ("input", "output"),
    ("query", "response"),
    ("source", "target"),
    ("mr", "ref"),
)
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


@dataclass(frozen=True)
class Mapping:
    """Which columns are the prompt and the completion, and in what shape."""

    shape: str
    prompt: str
    completion: str
    certain: bool
    """False: only a guess, which the visitor has to confirm."""


def recognise(table: Table) -> Mapping:
    """The mapping that the names and values of the columns suggest.

    Raises:
        BadInput: there is one column only, and it holds no conversations.
    """
    names = {column.strip().lower(): column for column in reversed(table.columns)}
    chat = next((names[name] for name in CHAT_COLUMNS if name in names), "")
    if chat and any(isinstance(record.get(chat), list) for record in table.records):
        return Mapping(MESSAGES, chat, chat, certain=True)
    response = next((names[name] for name in RESPONSES if name in names), "")
    if response and INSTRUCTION in names:
        return Mapping(ALPACA, names[INSTRUCTION], response, certain=True)
    for prompt, completion in PAIR_NAMES:
        if prompt in names and completion in names:
            return Mapping(PAIRS, names[prompt], names[completion], certain=True)
    return _guess(table)


def _guess(table: Table) -> Mapping:
    if len(table.columns) < 2:
        problem = f"there is only one column, {table.columns[0][:40]}"
        cure = "Write a prompt and a completion column, divided by a comma, a semicolon or a tab."
        raise table.refusal(table.lines[0], problem, cure)
    texts = [column for column in table.columns if _holds_text(table, column)]
    rest = [column for column in table.columns if column not in texts]
    prompt, completion = [*texts, *rest][:2]
    return Mapping(COLUMNS, prompt, completion, certain=False)


def _holds_text(table: Table, column: str) -> bool:
    value = next((record[column] for record in table.records if record.get(column)), None)
    return isinstance(value, str) and any(character.isalpha() for character in value)


def to_rows(table: Table, mapping: Mapping) -> tuple[tuple[Row, ...], int]:
    """The rows to learn from, and how many records were left out for an empty prompt or completion.

    Raises:
        BadInput: a record holds something that is neither; the message names its line.
    """
    rows = []
    for line, record in zip(table.lines, table.records, strict=True):
        if mapping.shape == MESSAGES:
            messages = _conversation(table, line, record.get(mapping.prompt))
        else:
            messages = _pair(table, line, record, mapping)
        if messages:
            rows.append(Row(line, messages))
    return tuple(rows), len(table.records) - len(rows)


def _pair(table: Table, line: int, record: dict[str, Any], mapping: Mapping) -> tuple[Message, ...]:
    """Prompt and completion as one exchange; empty when either is missing."""
    prompt = _text(table, line, record, mapping.prompt)
    completion = _text(table, line, record, mapping.completion)
    if not prompt or not completion:
        return ()
    if mapping.shape == ALPACA:
        contexts = [column for column in table.columns if column.strip().lower() in CONTEXTS]
        texts = [prompt, *(_text(table, line, record, column) for column in contexts)]
        prompt = "\n\n".join(text for text in texts if text)
    return Message("user", prompt), Message("assistant", completion)


def _text(table: Table, line: int, record: dict[str, Any], column: str) -> str:
    value = record.get(column)
    if isinstance(value, dict | list):
        problem = f"column {column[:40]} holds a list or an object"
        raise table.refusal(line, problem, "Write plain text there, or choose another column.")
    return "" if value is None else str(value).strip()


def _conversation(table: Table, line: int, turns: Any) -> tuple[Message, ...]:
    """A checked conversation; empty when a user's or the assistant's turn says nothing."""
    if not isinstance(turns, list):
        cure = 'Write a list of turns such as [{"role": "user", "content": "..."}, ...].'
        raise table.refusal(line, "there is no list of messages", cure)
    if len(turns) > MOST_TURNS:
        cure = "Divide the conversation into several rows."
        raise table.refusal(line, f"{len(turns)} turns, the most is {MOST_TURNS}", cure)
    messages = [_message(table, line, number, turn) for number, turn in enumerate(turns, 1)]
    messages = [m for m in messages if m.content or m.role != "system"]
    if problem := _order_problem([message.role for message in messages]):
        cure = (
            "Begin with an optional system turn, then alternate user and assistant, assistant last."
        )
        raise table.refusal(line, problem, cure)
    return tuple(messages) if all(message.content for message in messages) else ()


def _message(table: Table, line: int, number: int, turn: Any) -> Message:
    keys = next((pair for pair in TURN_KEYS if isinstance(turn, dict) and pair[0] in turn), None)
    if keys is None:
        cure = 'Write each turn as {"role": "user", "content": "..."}.'
        raise table.refusal(line, f"turn {number} has no role", cure)
    role, content = turn[keys[0]], turn.get(keys[1])
    if not isinstance(role, str) or role not in ROLES:
        cure = "Use system, user and assistant (or human and gpt)."
        raise table.refusal(line, f"turn {number} has the unknown role {str(role)[:40]!r}", cure)
    if not isinstance(content, str):
        cure = f'Write the text of the turn as "{keys[1]}": "...".'
        raise table.refusal(line, f"the content of turn {number} is not text", cure)
    return Message(ROLES[role], content.strip())


def _order_problem(roles: Sequence[str]) -> str:
    if "assistant" not in roles:
        return "the conversation has no assistant turn to learn from"
    turns = roles[1:] if roles[0] == "system" else roles
    for number, role in enumerate(turns):
        expected = ("user", "assistant")[number % 2]
        if role != expected:
            return f"a turn of the {role} stands where the {expected} should speak"
    return "" if roles[-1] == "assistant" else "the conversation ends before the assistant answers"
