"""How large an upload and its rows may be, and how a reader says that one row or the whole file is no good.

Knows no format; standard library only.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, NamedTuple, NoReturn

from demo.dataset_records import Damage

MOST_ROWS = 20_000
MOST_COLUMNS = 32
MOST_DAMAGED = 1_000
"""Damaged rows beyond which a file is something else than what its name says."""
LONGEST_CELL = 8_000
LONGEST_COLUMN_NAME = 100
DEEPEST = 6
"""Levels inside one row; chat messages need three."""
UNDECODED = re.compile("[\udc80-\udcff]")
"""What Python's `surrogateescape` makes of bytes that are not UTF-8."""
SURROGATE = re.compile("[\ud800-\udfff]")
"""Code points that no encoding allows."""


class Refused(Exception):
    """The file cannot be read; `answer` is the key and values of a message for the visitor."""

    def __init__(self, error: str, **values: Any) -> None:
        self.answer = {"error": error, **values}
        super().__init__(error)


class Record(NamedTuple):
    """One row, and the line where it starts (or its number, where rows have no lines)."""

    line: int
    cells: dict[str, Any]


Read = Record | Damage


def refuse(place: str, line: int, problem: str, cure: str) -> NoReturn:
    """Refuse the file because of one line or one row."""
    raise Refused(f"file_{place}", problem=problem, cure=cure, **{place: line})


def checked(read: Iterable[Read], place: str) -> Iterator[Read]:
    """What was read, with rows over a limit as damage; stopped where the whole file is too much."""
    damaged: list[Damage] = []
    for number, item in enumerate(read, 1):
        if number > MOST_ROWS:
            refuse(place, item.line, f"more than {MOST_ROWS:,} rows", "Keep fewer rows.")
        found = item if isinstance(item, Damage) else _damage(item, place)
        damaged += [found] if found else []
        if len(damaged) > MOST_DAMAGED:
            refuse_for(damaged[0], place)
        yield found or item


def refuse_for(damage: Damage, place: str) -> NoReturn:
    """Refuse the file because nothing, or too little, of it can be read."""
    raise Refused(f"file_{place}", damage=asdict(damage), **{place: damage.line})


def _damage(record: Record, place: str) -> Damage | None:
    for name, value in record.cells.items():
        if problem := name_problem(name):
            refuse(place, record.line, problem, "Rename the column.")
        if key := value_problem(value):
            values = {"column": name[:40]} | _size(key, value)
            return Damage(record.line, key, values)
    return None


def _size(key: str, value: Any) -> dict[str, Any]:
    return {"got": f"{_longest(value):,}", "high": f"{LONGEST_CELL:,}"} if key == "long" else {}


def _longest(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(map(_longest, inside), default=0)


def name_problem(name: str) -> str:
    """What is wrong with a column's name; empty when nothing is."""
    if len(name) > LONGEST_COLUMN_NAME:
        return f"a column name is longer than {LONGEST_COLUMN_NAME} characters"
    if "\0" in name:
        return "a column name holds a NUL character"
    return "a column name holds half of a character" if SURROGATE.search(name) else ""


def value_problem(value: Any, depth: int = 0) -> str:
    """The key of what is wrong with a value, or with any value inside it; empty when nothing is."""
    if isinstance(value, str):
        return text_problem(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "not_finite"
    if not isinstance(value, dict | list):
        return ""
    if depth >= DEEPEST:
        return "nested"
    inside = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    return next((problem for item in inside if (problem := value_problem(item, depth + 1))), "")


def text_problem(text: str) -> str:
    """The key of what is wrong with one text; empty when nothing is."""
    if len(text) > LONGEST_CELL:
        return "long"
    if "\0" in text:
        return "nul"
    if UNDECODED.search(text):
        return "bytes"
    return "half" if SURROGATE.search(text) else ""
