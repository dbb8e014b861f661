"""JSON from strangers as plain data: strict UTF-8, no name twice, no NaN, nothing nested deeply.

Does not know what the values mean.
"""

import json
from typing import Any

from demo.methods.readers.saved import Refused

DEEPEST = 8
"""Levels of lists and objects; what PEFT and this lab write has four."""


def strict_json(data: bytes, place: str) -> Any:
    """The value that `data` holds.

    Args:
        data: already bounded in size.
        place: the file's name, for the message.

    Raises:
        Refused: it is no such JSON.
    """
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant
        )
        # Half a surrogate pair can be written as an escape, and then no answer could quote it.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError, MemoryError) as error:
        raise Refused(f"{place} is no strict JSON in UTF-8") from error
    _bound_depth(value, place)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values of one name, one reader may check the first and another use the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _bound_depth(value: Any, place: str) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for one in level
            if isinstance(one, (list, dict))
            for child in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise Refused(f"{place} is nested deeper than {DEEPEST} levels")
