"""What can be done about a finding: each fix takes rows and gives the rows that are left.

Knows nothing of files; the rows as they came stay stored, so that a fix can be taken back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from demo.data.doctor.mending import REPLACED, cleaned, mended, without_template
from demo.data.doctor.repeats import contradicting, repeated, twins
from demo.data.rows import Mapped
from demo.dataset_records import Example, Fix, FixDone
from demo.run_records import Row

Measure = Callable[[Sequence[Row]], Sequence[int]]
"""Tokens of each row, the template included."""
EXAMPLES = 3
AROUND = 60
LEAVE_DAMAGED, LEAVE_EMPTY, LEAVE_LONG = "leave_damaged", "leave_empty", "leave_long"


def texts_changed(change: Callable[[str], str]) -> Callable[[Sequence[Row]], list[Row | None]]:
    """A fix that rewrites every text; a row with nothing left to read or learn is left out."""

    def fix(rows: Sequence[Row]) -> list[Row | None]:
        return [_rewritten(row, change) for row in rows]

    return fix


def _rewritten(row: Row, change: Callable[[str], str]) -> Row | None:
    messages = tuple(replace(m, content=change(m.content)) for m in row.messages)
    if messages == row.messages:
        return row
    return replace(row, messages=messages) if all(m.content.strip() for m in messages) else None


def left_out(
    find: Callable[[Sequence[Row]], frozenset[int]],
) -> Callable[[Sequence[Row]], list[Row | None]]:
    """A fix that leaves out the rows that `find` names."""

    def fix(rows: Sequence[Row]) -> list[Row | None]:
        found = find(rows)
        return [None if index in found else row for index, row in enumerate(rows)]

    return fix


def unreadable(rows: Sequence[Row]) -> frozenset[int]:
    """Indices of rows with letters that are lost."""
    return frozenset(
        index for index, row in enumerate(rows) if any(REPLACED in m.content for m in row.messages)
    )


FIXES: dict[str, Callable[[Sequence[Row]], list[Row | None]]] = {
    LEAVE_DAMAGED: list,
    LEAVE_EMPTY: list,
    "mend_letters": texts_changed(mended),
    "clean_characters": texts_changed(cleaned),
    "strip_template": texts_changed(without_template),
    "leave_unreadable": left_out(unreadable),
    "leave_repeated": left_out(repeated),
    "leave_contradicting": left_out(contradicting),
    "leave_twins": left_out(twins),
}
KEYS = (*FIXES, LEAVE_LONG)


@dataclass(frozen=True)
class Mended:
    """Rows after all fixes in force."""

    rows: tuple[Row, ...]
    done: tuple[FixDone, ...]


def apply(mapped: Mapped, fixes: Sequence[Fix], measure: Measure) -> Mended:
    """The rows after the fixes, one after another, with what each changed."""
    rows, done = mapped.rows, []
    standing = mapped.standing
    gone = {LEAVE_DAMAGED: len(mapped.damaged), LEAVE_EMPTY: len(mapped.empty)}
    for fix in fixes:
        left = fixed(rows, fix, measure)
        changed = sum(row is not new for row, new in zip(rows, left, strict=True))
        dropped = sum(row is None for row in left) + gone.get(fix.key, 0)
        counts = standing, standing - dropped, changed + gone.get(fix.key, 0)
        done.append(FixDone(fix, *counts, examples(rows, left)))
        standing -= dropped
        rows = tuple(row for row in left if row is not None)
    return Mended(rows, tuple(done))


def fixed(rows: Sequence[Row], fix: Fix, measure: Measure) -> list[Row | None]:
    """Every row as a fix leaves it; None where it is left out."""
    if fix.key == LEAVE_LONG:
        lengths = measure(rows)
        return [
            row if length <= fix.limit else None for row, length in zip(rows, lengths, strict=True)
        ]
    return FIXES[fix.key](rows)


def examples(rows: Sequence[Row], left: Sequence[Row | None]) -> tuple[Example, ...]:
    """The first rows that a fix changes, before and after."""
    pairs = (pair for pair in zip(rows, left, strict=True) if pair[0] is not pair[1])
    return tuple(_example(*pair) for pair in islice(pairs, EXAMPLES))


def _example(row: Row, new: Row | None) -> Example:
    if new is None:
        return Example(row.line, _excerpt(_said(row), 0), "")
    before, after = _said(row), _said(new)
    place = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(after)
    )
    return Example(row.line, _excerpt(before, place), _excerpt(after, place))


def _said(row: Row) -> str:
    return " → ".join(message.content for message in row.messages)


def _excerpt(text: str, place: int) -> str:
    start, end = max(0, place - AROUND), place + 2 * AROUND
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
