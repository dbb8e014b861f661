"""Turns the bytes of an uploaded file into records with their line numbers, in a process of its own.

Knows nothing of the lab: only the standard library, so that it starts fast and a file that crashes or
fills it takes nothing else down. `python reader.py .csv < bytes` prints one JSON object.
"""

import csv
import io
import json
import math
import re
import resource
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, NoReturn

MOST_ROWS = 20_000
MOST_COLUMNS = 32
LONGEST_CELL = 8_000
LONGEST_COLUMN_NAME = 100
DEEPEST = 6
"""Levels inside one row; chat messages need three."""
MEMORY_BYTES = 2**30
CPU_SECONDS = 10
DELIMITERS = ",;\t"
SURROGATE = re.compile("[\ud800-\udfff]")
"""Code points that no encoding allows."""


class Refused(Exception):
    """The file cannot be read; `answer` is the key and values of a message for the visitor."""

    def __init__(self, error: str, **values: Any) -> None:
        self.answer = {"error": error, **values}
        super().__init__(error)


class Malformed(ValueError):
    """JSON that holds no table."""


class Record(NamedTuple):
    """One row, and the line where it starts (or its number, where rows have no lines)."""

    line: int
    cells: dict[str, Any]


def refuse(place: str, line: int, problem: str, cure: str) -> NoReturn:
    """Refuse the file because of one line or one row."""
    raise Refused(f"file_{place}", problem=problem, cure=cure, **{place: line})


def read(data: bytes, extension: str) -> dict[str, Any]:
    """The table in a file, as JSON values.

    Args:
        data: the whole file.
        extension: `.csv`, `.json` or `.jsonl`.

    Raises:
        Refused: it is damaged or over a limit.
    """
    text = decoded(data)
    place = "row" if extension == ".json" else "line"
    records = list(checked(READERS[extension](text), place))
    if not records:
        raise Refused("file_empty")
    columns = list(dict.fromkeys(name for record in records for name in record.cells))
    if len(columns) > MOST_COLUMNS:
        first = next(r.line for r in records if columns[MOST_COLUMNS] in r.cells)
        refuse(
            place,
            first,
            f"more than {MOST_COLUMNS} columns",
            "Remove the columns that are not needed.",
        )
    return {
        "columns": columns,
        "records": [record.cells for record in records],
        "lines": [record.line for record in records],
        "place": place,
    }


def decoded(data: bytes) -> str:
    """UTF-8 text, its byte order mark dropped."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("file_encoding", line=data.count(b"\n", 0, error.start) + 1) from None
    if (nul := text.find("\0")) >= 0:
        refuse("line", text.count("\n", 0, nul) + 1, "it holds a NUL character", "Remove it.")
    return text


def checked(records: Iterable[Record], place: str) -> Iterator[Record]:
    """The records, stopped at the first one over a limit."""
    for number, record in enumerate(records, 1):
        if number > MOST_ROWS:
            refuse(place, record.line, f"more than {MOST_ROWS:,} rows", "Keep fewer rows.")
        for name, value in record.cells.items():
            if problem := name_problem(name):
                refuse(place, record.line, problem, "Rename the column.")
            if problem := value_problem(value):
                refuse(
                    place, record.line, f"column {name[:40]}: {problem}", "Shorten or correct it."
                )
        yield record


def name_problem(name: str) -> str:
    """What is wrong with a column's name; empty when nothing is."""
    if len(name) > LONGEST_COLUMN_NAME:
        return f"a column name is longer than {LONGEST_COLUMN_NAME} characters"
    return "a column name holds half of a character" if SURROGATE.search(name) else ""


def value_problem(value: Any, depth: int = 0) -> str:
    """What is wrong with a value, or with any value inside it; empty when nothing is."""
    if isinstance(value, str):
        return text_problem(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "it is NaN or infinite, which JSON does not allow"
    if not isinstance(value, dict | list):
        return ""
    if depth >= DEEPEST:
        return "values are nested too deeply"
    inside = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    return next((problem for item in inside if (problem := value_problem(item, depth + 1))), "")


def text_problem(text: str) -> str:
    """What is wrong with one text; empty when nothing is."""
    if len(text) > LONGEST_CELL:
        return f"{len(text):,} characters, the most is {LONGEST_CELL:,}"
    if "\0" in text:
        return "it holds a NUL character"
    return "it holds half of a character (a lone surrogate)" if SURROGATE.search(text) else ""


def csv_records(text: str) -> Iterator[Record]:
    """Rows of a CSV file with a header; the delimiter is the one that the header uses most."""
    csv.field_size_limit(len(text) + 1)
    header_line = next(iter(text.lstrip().splitlines()), "")
    delimiter = max(DELIMITERS, key=header_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = csv_lines(reader)
    _, header = next(lines, (0, []))
    names = [name.strip() or f"column {number}" for number, name in enumerate(header, 1)]
    if len(set(names)) < len(names):
        refuse("line", 1, "two columns have the same name", "Give every column a name of its own.")
    for line, cells in lines:
        if len(cells) != len(names):
            problem = f"the header has {len(names)} fields and this row {len(cells)}"
            refuse("line", line, problem, 'Put texts that hold a delimiter or a quote in "quotes".')
        yield Record(line, dict(zip(names, cells, strict=True)))


def csv_lines(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not blank with the line where it starts: quoted cells may span lines."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            refuse(
                "line",
                line,
                f"the quotes do not match ({error})",
                'Write a quote inside a text as "".',
            )
        if cells is None:
            return
        if cells:
            yield line, cells


def jsonl_records(text: str) -> Iterator[Record]:
    """Rows of a JSONL file: one object a line, blank lines skipped."""
    # str.splitlines would also split at U+2028 and other characters that JSON texts may hold.
    for line, source in enumerate(text.split("\n"), 1):
        if source.strip():
            try:
                value = parsed(source)
            except json.JSONDecodeError as error:
                refuse(
                    "line",
                    line,
                    f"not JSON ({error.msg})",
                    "Write one complete JSON object on each line.",
                )
            except Malformed as error:
                refuse("line", line, str(error), "Correct or remove it.")
            yield Record(line, as_object(value, "line", line))


def json_records(text: str) -> Iterator[Record]:
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
        raise Refused("file_kind", wanted="a table in JSON", problem=str(error)) from None
    for number, item in enumerate(row_list(value), 1):
        yield Record(number, as_object(item, "row", number))


def row_list(value: Any) -> list[Any]:
    """The one list of rows in a JSON file."""
    if isinstance(value, list):
        return value
    lists = (
        [item for item in value.values() if isinstance(item, list)]
        if isinstance(value, dict)
        else []
    )
    if len(lists) != 1:
        problem = f"it holds {len(lists)} lists of rows instead of one"
        raise Refused("file_kind", wanted="a list of rows", problem=problem)
    return lists[0]


def parsed(source: str) -> Any:
    """A JSON value. Raises `Malformed` for what JSON allows and a table does not."""
    try:
        return json.loads(source, object_pairs_hook=distinct)
    except (json.JSONDecodeError, Malformed):
        raise
    except RecursionError:
        raise Malformed("values are nested too deeply") from None
    except ValueError:
        raise Malformed("a number has too many digits") from None


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names differ: of two values under one name, one would be lost silently."""
    cells = dict(pairs)
    if len(cells) < len(pairs):
        raise Malformed("one object has the same name twice")
    return cells


def as_object(value: Any, place: str, line: int) -> dict[str, Any]:
    """A row, which must be an object with names."""
    if not isinstance(value, dict) or not value:
        cure = 'Write each row as an object, such as {"prompt": "...", "completion": "..."}.'
        refuse(place, line, "the row is not an object with named values", cure)
    return value


READERS = {".csv": csv_records, ".json": json_records, ".jsonl": jsonl_records}


def limit_this_process() -> None:
    """Bound memory and time, and forbid writing files."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main() -> None:
    """Read standard input as the kind of file that the first argument names."""
    limit_this_process()
    try:
        answer = read(sys.stdin.buffer.read(), sys.argv[1])
    except Refused as refused:
        answer = refused.answer
    except MemoryError:
        answer = {"error": "file_unreadable"}
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False, allow_nan=False).encode())


if __name__ == "__main__":
    main()
