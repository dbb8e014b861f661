"""A value from outside becomes a number, a choice or a text within its bounds, or a sentence that says why not.

Knows no field of its own: whoever asks names the field and its range.
"""

import math
from collections.abc import Sequence
from typing import Any

from demo.errors import BadInput


def bounded(name: str, value: Any, low: float, high: float, kind: type = float) -> Any:
    """`value` as `kind` within [low, high].

    Raises:
        BadInput: it is no number, or out of range; the message names the field and the range.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        raise BadInput("not_a_number", field=name, got=_shown(value)) from None
    if not math.isfinite(number) or not low <= number <= high:
        raise BadInput("out_of_range", field=name, low=low, high=high, got=_shown(value))
    if kind(number) != number:
        raise BadInput("not_whole", field=name, got=_shown(value))
    return kind(number)


def _shown(value: Any) -> str:
    """The beginning of a value that somebody sent."""
    try:
        return repr(value)[:40]
    except ValueError:  # Python writes no number of more than 4,300 digits.
        return type(value).__name__


def chosen(name: str, value: Any, choices: Sequence[str]) -> str:
    """`value` if it is one of `choices`.

    Raises:
        BadInput: it is not; the message lists the choices.
    """
    if value not in choices:
        raise BadInput("not_a_choice", field=name, choices=", ".join(choices), got=_shown(value))
    return str(value)


def checked_text(name: str, value: Any, longest: int, *, empty: bool = False) -> str:
    """`value` as text that a tokenizer accepts.

    Raises:
        BadInput: it is empty though it may not be, too long, or holds lone surrogates or NUL.
    """
    text = value if isinstance(value, str) else ""
    if not text.strip() and not empty:
        raise BadInput("empty_text", field=name)
    if len(text) > longest:
        raise BadInput("text_too_long", field=name, got=len(text), high=longest)
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise BadInput("bad_characters", field=name)
    return text


def check_ranges(record: Any, ranges: dict[str, tuple[float, float, type]]) -> None:
    """Coerce the named fields of a frozen dataclass into their ranges, or raise `BadInput`."""
    for name, (low, high, kind) in ranges.items():
        object.__setattr__(record, name, bounded(name, getattr(record, name), low, high, kind))
