"""A report as JSON, exact to the last digit, and as one table in CSV that no spreadsheet runs as formulas.

Knows values only; what they mean where their own shape would be no table, `tabular` knows.
"""

import csv
import io
import json
import math
from collections.abc import Iterator
from typing import Any

from demo.prompting.report.records import Report
from demo.prompting.report.tabular import tabular

FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20\t\r\n")
"""What a cell begins with that a spreadsheet would compute or break (OWASP, "CSV injection"); the
wide forms of the four signs count as well."""
MARK = "\ufeff"
"""Without it, some spreadsheets take UTF-8 for another encoding."""
FIRST = ("part", "item", "name", "value")


def as_json(report: Report) -> bytes:
    """Every value as it is."""
    document = report.document()
    try:
        return json.dumps(document, ensure_ascii=False, indent=1).encode()
    except UnicodeEncodeError:
        # Half of a character has no UTF-8; escaped, it comes back as it was.
        return json.dumps(document, indent=1).encode()


def as_csv(report: Report) -> bytes:
    """One row for each item of a list and for each single value, never a list in a cell."""
    document = report.document().items()
    rows = [row for part, value in document for row in _rows(part, "", tabular(part, value))]
    columns = list(dict.fromkeys([*FIRST, *(name for row in rows for name in row)]))
    text = io.StringIO()
    text.write(MARK)
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
    writer.writerow({name: cell(name) for name in columns})
    writer.writerows({name: cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def cell(value: Any) -> Any:
    """A cell's content; text that would be computed begins with an apostrophe, numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value if math.isfinite(value) else ""
    text = str(value).replace("\0", "")
    risky = text.startswith(FORMULA) or text.lstrip().startswith(FORMULA)
    return f"'{text}" if risky else text


def _rows(part: str, item: str, value: Any) -> Iterator[dict[str, Any]]:
    """The rows of a value that stands under `part`; `item` counts through the lists above it."""
    where = {"part": part, "item": item}
    if isinstance(value, dict):
        for name, one in value.items():
            if _nested(one):
                yield from _rows(f"{part}.{name}", item, one)
            else:
                yield where | {"name": name, "value": one}
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value, 1):
            place = f"{item}.{number}" if item else str(number)
            yield from _item(part, place, one)
    else:
        yield where | {"value": value}


def _item(part: str, item: str, value: Any) -> Iterator[dict[str, Any]]:
    """A row of a list; what is nested in it follows in rows of its own."""
    if not isinstance(value, dict):
        yield from _rows(part, item, value)
        return
    flat = {_column(name): one for name, one in value.items() if not _nested(one)}
    yield {"part": part, "item": item} | flat
    for name, one in value.items():
        if _nested(one):
            yield from _rows(f"{part}.{name}", item, one)


def _column(name: str) -> str:
    """A value that is called like one of the first columns gets a name of its own."""
    return f"{name}_" if name in FIRST else name


def _nested(value: Any) -> bool:
    """Whether a value needs rows of its own."""
    return isinstance(value, dict | list | tuple)
