"""Rows of a Parquet file: columns of text, numbers and truth values only, never more than a few megabytes.

A Parquet file says how large it is, and may lie: rows are counted first, then read in small batches.
What it says of pictures, sounds and paths is not looked at: nothing outside its bytes is ever opened.
"""

import os
from collections.abc import Iterator
from typing import Any

from demo.data.reading.limits import MOST_COLUMNS, MOST_ROWS, Read, Record, Refused

MOST_BYTES = 40_000_000
"""Of decoded columns; a file of 48 kB can hold 200 GB."""
MOST_SCHEMA_BYTES = 1_000_000
BATCH_ROWS = 64


def parquet_records(data: bytes) -> Iterator[Read]:
    """Rows by number. Columns of other kinds are left unread.

    Raises:
        Refused: it is damaged, too large, or holds no readable column.
    """
    # One small allocator and no threads: this process may take a gigabyte of addresses only.
    os.environ.update(ARROW_DEFAULT_MEMORY_POOL="system", OPENBLAS_NUM_THREADS="1")
    import pyarrow

    try:
        for number, cells in enumerate(_rows(data), 1):
            yield Record(number, cells)
    except MemoryError:
        raise
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Refused("file_kind", wanted="Parquet", problem=_shown(error)) from None


def _rows(data: bytes) -> Iterator[dict[str, Any]]:
    from pyarrow import BufferReader, parquet

    file = parquet.ParquetFile(
        BufferReader(data),
        thrift_string_size_limit=MOST_SCHEMA_BYTES,
        thrift_container_size_limit=MOST_SCHEMA_BYTES,
        pre_buffer=False,
    )
    taken = 0
    for batch in file.iter_batches(BATCH_ROWS, columns=_columns(file), use_threads=False):
        taken += batch.nbytes
        _require(taken <= MOST_BYTES, f"its columns hold more than {MOST_BYTES // 10**6} MB")
        yield from batch.to_pylist()


def _columns(file: object) -> list[str]:
    """The names of the columns that can be read, after a look at how many rows there are said to be."""
    from pyarrow import types

    rows, schema = file.metadata.num_rows, file.schema_arrow  # type: ignore[attr-defined]
    _require(rows <= MOST_ROWS, f"it holds {rows:,} rows, the most is {MOST_ROWS:,}")
    kinds = (types.is_string, types.is_large_string, types.is_integer, types.is_floating)
    plain = (*kinds, types.is_boolean)
    values = {
        field.name: field.type.value_type if types.is_dictionary(field.type) else field.type
        for field in schema
    }
    names = [name for name, kind in values.items() if any(is_kind(kind) for is_kind in plain)]
    _require(bool(names), "no column of it is text")
    _require(len(names) <= MOST_COLUMNS, f"it has more than {MOST_COLUMNS} columns")
    _require(len(set(schema.names)) == len(schema.names), "two columns have the same name")
    return names


def _require(fits: bool, problem: str) -> None:
    if not fits:
        raise Refused("file_kind", wanted="a small table in Parquet", problem=problem)


def _shown(error: Exception) -> str:
    """The beginning of what the library says, which may quote bytes of the file."""
    plain = "".join(c if c.isprintable() else " " for c in str(error))
    return f"it is damaged ({plain[:80]})"
