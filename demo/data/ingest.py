"""From an uploaded file to a checked table: what can be refused unread is refused, the rest is read by a child.

Knows nothing of shapes, prompts or workspaces.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

from demo.data import reader
from demo.errors import MESSAGES, BadInput

MOST_BYTES = 5_000_000
SECONDS = 20
"""Wall clock for the child; its own limit counts processor time only."""
LONGEST_NAME = 80
KINDS = {".csv": "CSV", ".json": "JSON", ".jsonl": "JSONL"}
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
UTF16 = (b"\xff\xfe", b"\xfe\xff")
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
    place: Literal["line", "row"]
    """What `lines` counts: the rows of a JSON file have numbers, not lines."""

    def refusal(self, line: int, problem: str, cure: str) -> BadInput:
        """The error for one of the records."""
        return BadInput(
            f"file_{self.place}", file=self.name, problem=problem, cure=cure, **{self.place: line}
        )


def ingest(name: str, data: bytes) -> Table:
    """Read an uploaded file.

    Raises:
        BadInput: it is not what its name says, empty, damaged or over a limit.
    """
    shown = shown_name(name)
    extension = PurePath(shown).suffix.lower()
    require_plausible(shown, extension, data)
    answer = read_in_child(data, reader_command(extension))
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
    if len(data) > MOST_BYTES:
        raise BadInput(
            "file_too_big", file=name, got=f"{len(data) / 1e6:.2f}", high=MOST_BYTES // 10**6
        )
    if not data.removeprefix(b"\xef\xbb\xbf").strip():
        raise BadInput("file_empty", file=name)
    if data.startswith(UTF16):
        raise BadInput("file_encoding", file=name, line=1)
    if problem := looks_wrong(extension, data):
        raise BadInput("file_kind", file=name, wanted=KINDS[extension], problem=problem)


def looks_wrong(extension: str, data: bytes) -> str:
    """Why the first bytes contradict the file's extension; empty when they do not."""
    for signature, problem in SIGNATURES.items():
        if data.startswith(signature):
            return problem
    start = data.removeprefix(b"\xef\xbb\xbf")[:8192]
    if b"\0" in start:
        return "it holds binary data"
    first = start.lstrip()[:1]
    if extension == ".csv" and JSON_START.match(start):
        return "it looks like JSON"
    if extension == ".jsonl" and first == b"[":
        return "it begins with [, as a JSON file does"
    if extension != ".csv" and first not in (b"{", b"["):
        return "it does not begin with { or ["
    return ""


def reader_command(extension: str) -> list[str]:
    """The child process: isolated from the environment, and given no name or path of the visitor's."""
    return [sys.executable, "-I", str(reader.__file__), extension]


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
        columns=tuple(answer["columns"]),
        records=tuple(answer["records"]),
        lines=tuple(answer["lines"]),
        place=answer["place"],
    )


def refusal_of(name: str, error: str, values: dict[str, Any]) -> BadInput:
    """The child's refusal as an error for the visitor."""
    if error == "file_unreadable" or error not in MESSAGES:
        megabytes = reader.MEMORY_BYTES // 10**6
        return BadInput(
            "file_unreadable", file=name, seconds=reader.CPU_SECONDS, megabytes=megabytes
        )
    return BadInput(error, file=name, **values)
