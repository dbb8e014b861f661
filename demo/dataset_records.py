"""What is said of a dataset before it is learned: its encoding, its damage, its findings and their fixes."""

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
"""`error`: no run may start before the visitor has decided; `note`: nothing need be done."""
Why = Literal["valid", "marked", "pattern", "same", "mostly", "letters", "chosen"]


@dataclass(frozen=True)
class Decoding:
    """One way to read a file's bytes as letters."""

    name: str
    """As Python calls it: `cp1250`, `iso8859-2`, …"""
    preview: tuple[str, ...]
    """Excerpts where the ways differ."""


@dataclass(frozen=True)
class Encoding:
    """How a file's bytes were read as letters, and why so."""

    name: str = "utf-8"
    why: Why = "valid"
    """`valid` UTF-8; `marked` by a byte order mark; `pattern` of zero bytes; the `same` letters in
    every way; `mostly` UTF-8, with damage; most likely by its `letters`; `chosen` by the visitor."""
    candidates: tuple[Decoding, ...] = ()
    """The ways to choose from, likeliest first, where bytes alone do not decide."""


UTF8 = Encoding()


@dataclass(frozen=True)
class Damage:
    """Something on one line that cannot be read as a row."""

    line: int
    """Or the row's number, where rows have no lines."""
    key: str
    """Of `demo.data.damage.PROBLEMS`."""
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fix:
    """A change of a dataset that the visitor asks for."""

    key: str
    limit: int = 0
    """Tokens, for the fix that leaves out rows that are too long."""


@dataclass(frozen=True)
class Example:
    """One row before a fix and after it."""

    line: int
    before: str
    after: str
    """Empty where the row is left out."""


@dataclass(frozen=True)
class FixDone:
    """A fix in force, with what it changed."""

    fix: Fix
    before: int
    """Rows before it."""
    after: int
    changed: int
    """Rows that it changed or left out."""
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something that the doctor noticed in a dataset."""

    key: str
    severity: Severity
    count: int
    """How many rows or lines it concerns."""
    lines: tuple[int, ...] = ()
    """Where they stand, the first ones."""
    values: dict[str, Any] = field(default_factory=dict)
    fix: Fix | None = None
    before: int = 0
    """Rows as they stand; of lines that are none, those too."""
    after: int = 0
    """Rows that are left once it is fixed."""
    examples: tuple[Example, ...] = ()
    damage: tuple[Damage, ...] = ()
    """For damaged lines: what is wrong with the first ones."""


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram: rows of `low` to `high` tokens, both included."""

    low: int
    high: int
    rows: int


@dataclass(frozen=True)
class Report:
    """The doctor's look at a dataset as it stands, its fixes included."""

    dataset: str
    rows: int
    findings: tuple[Finding, ...]
    """Gravest first."""
    lengths: tuple[Bar, ...]
    median: int
    """Tokens of the middle row, the template included."""
    longest: int
    max_length: int
    place: Literal["line", "row"] = "line"
    encoding: Encoding = UTF8
    fixes: tuple[FixDone, ...] = ()
