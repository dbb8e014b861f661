"""Rows of CSV and TSV files: a header, then a row of as many fields on each line, or on several in quotes.

Standard library only.
"""

import csv
import io
from collections.abc import Iterator
from itertools import islice

from demo.data.reading.limits import LONGEST_CELL, Read, Record, refuse
from demo.dataset_records import Damage

DELIMITERS = ",;\t"
LONGEST_FIELD = 4 * LONGEST_CELL
"""An open quote swallows so much at most before its line is given up."""


def csv_records(text: str) -> Iterator[Read]:
    """Rows of a CSV file; the delimiter is the one that the header uses most."""
    header_line = next(iter(text.lstrip().splitlines()), "")
    return _records(text, max(DELIMITERS, key=header_line.count))


def tsv_records(text: str) -> Iterator[Read]:
    """Rows of a file whose fields are divided by tabs."""
    return _records(text, "\t")


def _records(text: str, delimiter: str) -> Iterator[Read]:
    csv.field_size_limit(LONGEST_FIELD)
    rows = _rows(io.StringIO(text, newline="").readlines(), delimiter)
    names: list[str] = []
    for row in rows:
        if isinstance(row, Damage):
            yield row
        elif not names:
            names = _names(*row)
        else:
            yield _record(*row, names)


def _names(line: int, header: list[str]) -> list[str]:
    names = [name.strip() or f"column {number}" for number, name in enumerate(header, 1)]
    if len(set(names)) < len(names):
        cure = "Give every column a name of its own."
        refuse("line", line, "two columns have the same name", cure)
    return names


def _record(line: int, cells: list[str], names: list[str]) -> Read:
    if len(cells) != len(names):
        return Damage(line, "fields", {"wanted": len(names), "got": len(cells)})
    return Record(line, dict(zip(names, cells, strict=True)))


def _rows(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str]] | Damage]:
    """Every row that is not blank with the line where it starts: quoted cells may span lines.

    After a row whose quotes do not match, reading goes on with the line below its first.
    """
    start = 0
    while start < len(lines):
        reader = csv.reader(islice(lines, start, None), delimiter=delimiter, strict=True)
        before = start
        try:
            for cells in reader:
                if cells:
                    yield before + 1, cells
                before = start + reader.line_num
            return
        except csv.Error as error:
            yield Damage(before + 1, "quotes", {"problem": str(error)})
        start = before + 1
