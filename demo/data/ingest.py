"""From an uploaded file to a checked table: what can be refused unread is refused, the rest is read by a child.

Knows nothing of shapes, prompts or workspaces.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping as Values
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

from demo.data.damage import cure_of, problem_of
from demo.data.reading import child
from demo.data.reading.encodings import wide
from demo.dataset_records import UTF8, Damage, Decoding, Encoding
from demo.errors import MESSAGES, BadInput
from demo.settings import ROOT

MOST_BYTES = 5_000_000
SECONDS = 20
"""Wall clock for the child; its own limit counts processor time only."""
LONGEST_NAME = 80
PARQUET = ".parquet"
KINDS = {
    ".csv": "CSV",
    ".tsv": "TSV",
    ".json": "JSON",
    ".jsonl": "JSONL",
    ".txt": "text",
    PARQUET: "Parquet",
}
SIGNATURES = {
    b"PK\x03\x04": "it is a zip archive, as spreadsheets are",
    b"\x1f\x8b": "it is compressed by gzip",
    b"BZh": "it is compressed by bzip2",
    b"\xfd7zXZ": "it is compressed by xz",
    b"\x28\xb5\x2f\xfd": "it is compressed by zstd",
    b"7z\xbc\xaf": "it is a 7z archive",
    b"PAR1": "it is a Parquet file",
    b"ARROW1": "it is an Arrow file",
    b"SQLite format 3": "it is an SQLite database",
    b"\xd0\xcf\x11\xe0": "it is an old spreadsheet or document",
    b"%PDF": "it is a PDF document",
    b"\x89PNG": "it is a picture",
    b"\xff\xd8\xff": "it is a picture",
    b"GIF8": "it is a picture",
}
MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
PROGRAM = "import sys; sys.path.insert(0, sys.argv.pop(1)); from demo.data.reading.child import main; main()"
JSON_START = re.compile(rb'\s*(\{\s*"|\[\s*[\[{])')


@dataclass(frozen=True)
class Table:
    """The rows of a file, as they stand there."""

    name: str
    """The file's own name, only ever shown."""
    sha256: str
    columns: tuple[str, ...]
    records: tuple[dict[str, Any], ...]
    lines: tuple[int, ...]
    """Where each record starts."""
    place: Literal["line", "row"] = "line"
    """What `lines` counts: the rows of a JSON file have numbers, not lines."""
    encoding: Encoding = UTF8
    damaged: tuple[Damage, ...] = ()
    """Lines that cannot be read as rows."""


def ingest(name: str, data: bytes, encoding: str = "") -> Table:
    """Read an uploaded file.

    Args:
        name: what its sender calls it.
        data: the whole file.
        encoding: how its bytes are to be read, where the visitor has chosen.

    Raises:
        BadInput: it is not what its name says, empty, damaged throughout or over a limit.
    """
    shown = shown_name(name)
    extension = PurePath(shown).suffix.lower()
    require_plausible(shown, extension, data)
    answer = read_in_child(data, reader_command(extension, encoding))
    return as_table(shown, data, answer)


def shown_name(name: str) -> str:
    """A file name that is safe to show: its last part, printable, at most 80 characters."""
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(character for character in last if character.isprintable()).strip()
    if len(printable) > LONGEST_NAME:
        suffix = PurePath(printable).suffix[:10]
        printable = f"{printable[: LONGEST_NAME - len(suffix) - 1]}…{suffix}"
    return printable or "file"


def require_plausible(name: str, extension: str, data: bytes) -> None:
    """Refuse what needs no parsing to be refused."""
    if extension not in KINDS:
        raise BadInput("file_extension", file=name)
    require_size(name, len(data))
    if not _unmarked(data).strip():
        raise BadInput("file_empty", file=name)
    if problem := looks_wrong(extension, data):
        raise BadInput("file_kind", file=name, wanted=KINDS[extension], problem=problem)


def require_size(name: str, size: int) -> None:
    """Refuse a file of so many bytes, which nobody needs to have read yet. Raises `BadInput`."""
    if size > MOST_BYTES:
        raise BadInput(
            "file_too_big",
            file=shown_name(name),
            got=f"{size / 1e6:.2f}",
            high=MOST_BYTES // 10**6,
        )


def _unmarked(data: bytes) -> bytes:
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    return data[len(mark) :]


def looks_wrong(extension: str, data: bytes) -> str:
    """Why the first bytes contradict the file's extension; empty when they do not."""
    if extension == PARQUET:
        ends = data[:4], data[-4:]
        return "" if ends == (b"PAR1", b"PAR1") else "it does not begin and end with PAR1"
    for signature, problem in SIGNATURES.items():
        if data.startswith(signature):
            return problem
    start = _unmarked(data)[:8192]
    if data.startswith(MARKS[1:]) or wide(data):
        start = start.replace(b"\0", b"")
    if b"\0" in start:
        return "it holds binary data"
    return _other_format(extension, start)


def _other_format(extension: str, start: bytes) -> str:
    first = start.lstrip()[:1]
    if extension == ".txt":
        return ""
    if extension in (".csv", ".tsv"):
        return "it looks like JSON" if JSON_START.match(start) else ""
    if extension == ".jsonl" and first == b"[":
        return "it begins with [, as a JSON file does"
    return "" if first in (b"{", b"[") else "it does not begin with { or ["


def reader_command(extension: str, encoding: str = "") -> list[str]:
    """The child process: isolated from the environment, and given no name or path of the visitor's."""
    known = encoding if re.fullmatch(r"[a-z0-9-]{1,16}", encoding) else ""
    return [sys.executable, "-I", "-c", PROGRAM, str(ROOT), extension, known]


def read_in_child(data: bytes, command: Sequence[str], seconds: float = SECONDS) -> dict[str, Any]:
    """What the child answers; `file_unreadable` when it dies, hangs or answers nonsense."""
    try:
        child = subprocess.run(
            command, input=data, capture_output=True, timeout=seconds, check=True
        )
        answer = json.loads(child.stdout)
    except (subprocess.SubprocessError, ValueError, RecursionError):
        return {"error": "file_unreadable"}
    return answer if isinstance(answer, dict) else {"error": "file_unreadable"}


def as_table(name: str, data: bytes, answer: dict[str, Any]) -> Table:
    """The child's answer as a table.

    Raises:
        BadInput: the answer is an error.
    """
    if error := answer.pop("error", ""):
        raise refusal_of(name, error, answer)
    return Table(
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        **table_parts(answer),
    )


def table_parts(values: Values[str, Any]) -> dict[str, Any]:
    """A table's parts from JSON: lists become tuples, and objects the records that they were."""
    return {
        "columns": tuple(values["columns"]),
        "records": tuple(values["records"]),
        "lines": tuple(values["lines"]),
        "place": values["place"],
        "encoding": encoding_of(values["encoding"]),
        "damaged": tuple(Damage(**damage) for damage in values["damaged"]),
    }


def encoding_of(values: Values[str, Any]) -> Encoding:
    """An encoding from JSON."""
    candidates = tuple(Decoding(c["name"], tuple(c["preview"])) for c in values["candidates"])
    return Encoding(values["name"], values["why"], candidates)


def refusal_of(name: str, error: str, values: dict[str, Any]) -> BadInput:
    """The child's refusal as an error for the visitor."""
    if error == "file_unreadable" or error not in MESSAGES:
        megabytes = child.MEMORY_BYTES // 10**6
        return BadInput(
            "file_unreadable", file=name, seconds=child.CPU_SECONDS, megabytes=megabytes
        )
    if "damage" in values:
        damage = Damage(**values.pop("damage"))
        values |= {"problem": problem_of(damage), "cure": cure_of(damage)}
    return BadInput(error, file=name, **values)
