"""Rows of JSON files (a list of objects) and JSONL files (an object on each line).

Standard library only.
"""

import json
from collections.abc import Iterator
from typing import Any

from demo.data.reading.limits import Read, Record, Refused, refuse
from demo.dataset_records import Damage


class Malformed(ValueError):
    """JSON that holds no table; its text is a key of the problems of rows."""


KINDS = {
    "same_name": "one object has the same name twice",
    "nested": "values are nested too deeply",
    "digits": "a number has too many digits",
}


def jsonl_records(text: str) -> Iterator[Read]:
    """Rows of a JSONL file, blank lines skipped."""
    # str.splitlines would also split at U+2028 and other characters that JSON texts may hold.
    for line, source in enumerate(text.split("\n"), 1):
        if source.strip():
            yield _line(line, source)


def _line(line: int, source: str) -> Read:
    try:
        return _row(line, parsed(source))
    except json.JSONDecodeError as error:
        return Damage(line, "not_json", {"problem": error.msg})
    except Malformed as error:
        return Damage(line, str(error))


def json_records(text: str) -> Iterator[Read]:
    """Rows of a JSON file: a list of objects, or an object that holds one such list."""
    try:
        value = parsed(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text.lstrip().startswith("{"):
            problem = "it holds several objects, as a JSONL file does; name it .jsonl"
            raise Refused("file_kind", wanted="JSON", problem=problem) from None
        cure = "Check the commas, quotes and brackets there."
        refuse("line", error.lineno, f"not JSON ({error.msg})", cure)
    except Malformed as error:
        problem = KINDS[str(error)]
        raise Refused("file_kind", wanted="a table in JSON", problem=problem) from None
    for number, item in enumerate(row_list(value), 1):
        yield _row(number, item)


def _row(line: int, value: Any) -> Read:
    """A row, which must be an object with names."""
    if not isinstance(value, dict) or not value:
        return Damage(line, "not_object")
    return Record(line, value)


def row_list(value: Any) -> list[Any]:
    """The one list of rows in a JSON file."""
    if isinstance(value, list):
        return value
    inside = value.values() if isinstance(value, dict) else ()
    lists = [item for item in inside if isinstance(item, list)]
    if len(lists) != 1:
        problem = f"it holds {len(lists)} lists of rows instead of one"
        raise Refused("file_kind", wanted="a list of rows", problem=problem)
    return lists[0]


def parsed(source: str) -> Any:
    """A JSON value. Raises `Malformed` for what JSON allows and a table does not."""
    try:
        return json.loads(source, object_pairs_hook=_distinct)
    except (json.JSONDecodeError, Malformed):
        raise
    except RecursionError:
        raise Malformed("nested") from None
    except ValueError:
        raise Malformed("digits") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names differ: of two values under one name, one would be lost silently."""
    cells = dict(pairs)
    if len(cells) < len(pairs):
        raise Malformed("same_name")
    return cells
