"""Reads an upload in a process of its own and prints its rows as one JSON object.

Knows no workspace and no network; with memory, time and file limits around it, a file that crashes or
fills it takes nothing else down.
"""

import json
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from demo.data.reading.delimited import csv_records, tsv_records
from demo.data.reading.encodings import decoded
from demo.data.reading.json_rows import json_records, jsonl_records
from demo.data.reading.limits import (
    MOST_COLUMNS,
    Read,
    Record,
    Refused,
    checked,
    refuse,
    refuse_for,
)
from demo.data.reading.parquet import parquet_records
from demo.data.reading.plain_text import text_records
from demo.dataset_records import Damage, Encoding

MEMORY_BYTES = 2**30
CPU_SECONDS = 10
READERS: dict[str, Callable[[str], Iterator[Read]]] = {
    ".csv": csv_records,
    ".tsv": tsv_records,
    ".json": json_records,
    ".jsonl": jsonl_records,
    ".txt": text_records,
}
PARQUET = ".parquet"


def read(data: bytes, extension: str, encoding: str = "") -> dict[str, Any]:
    """The table in a file, as JSON values.

    Args:
        data: the whole file.
        extension: a key of `READERS`, or `.parquet`.
        encoding: how the visitor wants its bytes read; empty: find out.

    Raises:
        Refused: nothing of it can be read, or it is over a limit.
    """
    place = "row" if extension in (".json", PARQUET) else "line"
    if extension == PARQUET:
        found, source = Encoding(), parquet_records(data)
    else:
        text, found = decoded(data, encoding)
        source = READERS[extension](text)
    items = list(checked(source, place))
    records = [item for item in items if isinstance(item, Record)]
    damaged = [item for item in items if isinstance(item, Damage)]
    if not records and damaged:
        refuse_for(damaged[0], place)
    if not records:
        raise Refused("file_empty")
    return {
        "columns": _columns(records, place),
        "records": [record.cells for record in records],
        "lines": [record.line for record in records],
        "place": place,
        "encoding": asdict(found),
        "damaged": [asdict(damage) for damage in damaged],
    }


def _columns(records: list[Record], place: str) -> list[str]:
    columns = list(dict.fromkeys(name for record in records for name in record.cells))
    if len(columns) > MOST_COLUMNS:
        first = next(r.line for r in records if columns[MOST_COLUMNS] in r.cells)
        cure = "Remove the columns that are not needed."
        refuse(place, first, f"more than {MOST_COLUMNS} columns", cure)
    return columns


def limit_this_process() -> None:
    """Bound memory and time, and forbid writing files."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main() -> None:
    """Read standard input as the kind of file that the arguments name."""
    limit_this_process()
    try:
        answer = read(sys.stdin.buffer.read(), *sys.argv[1:3])
    except Refused as refused:
        answer = refused.answer
    except MemoryError:
        answer = {"error": "file_unreadable"}
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False, allow_nan=False).encode())
