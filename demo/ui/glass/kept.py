"""A record as a browser keeps it, read back with every kind, choice and size checked.

Knows no record of its own: the types of its fields say what may stand there.
"""

import math
from dataclasses import is_dataclass
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

Record = TypeVar("Record")

MOST = 100
"""Entries of a list: more than any experiment has."""
LONGEST = 20_000
"""Characters of a text."""
LARGEST = 1e9


def read(kind: type[Record], value: Any) -> Record:
    """A record of this kind.

    Raises:
        ValueError: the value is not what `dataclasses.asdict` made of one.
    """
    return cast(Record, _read(kind, value))


def _read(kind: Any, value: Any) -> Any:
    if is_dataclass(kind) and isinstance(value, dict):
        parts = get_type_hints(kind)
        return cast(Any, kind)(
            **{name: _read(part, value.get(name)) for name, part in parts.items()}
        )
    if get_origin(kind) is tuple and isinstance(value, list | tuple) and len(value) <= MOST:
        return tuple(_read(get_args(kind)[0], entry) for entry in value)
    if get_origin(kind) is Literal and isinstance(value, str) and value in get_args(kind):
        return value
    if kind in (int, float):
        return _number(kind, value)
    fits = kind in (str, bool) and isinstance(value, kind)
    if not fits or (kind is str and len(value) > LONGEST):
        raise ValueError("not a record's value")
    return value


def _number(kind: Any, value: Any) -> Any:
    """A number in bounds; a browser writes 1.0 as 1."""
    told = isinstance(value, int | float) and not isinstance(value, bool)
    if not told or not math.isfinite(value) or abs(value) > LARGEST or kind(value) != value:
        raise ValueError("not a record's number")
    return kind(value)
