"""The doctor's look at a dataset: what would spoil a run, where it stands, and which fix is offered.

Changes nothing. Tokens are counted by whoever asks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from demo.data.doctor import fixes
from demo.data.doctor.fixes import Measure, fixed, unreadable
from demo.data.doctor.lengths import histogram, middle
from demo.data.doctor.mending import cleaned, mended, without_template
from demo.data.doctor.repeats import contradicting, labels, repeated, shared, twins
from demo.data.ingest import Table
from demo.data.rows import Mapped
from demo.dataset_records import Finding, Fix, Report, Severity
from demo.run_records import DatasetInfo, Row, TrainSettings

SHOWN_LINES = 50
SHOWN_DAMAGE = 20
GRAVITY: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}
LOPSIDED = 0.9
"""A label with this share of the rows is learned whatever the prompt says."""


@dataclass(frozen=True)
class Patient:
    """A dataset as the doctor sees it.

    Args:
        info: what is known of it, its fixes included.
        table: the records as they stand in the file.
        mapped: its table as rows, before any fix.
        rows: the rows after the fixes.
        settings: say how long a row may be and which rows are held out.
    """

    info: DatasetInfo
    table: Table
    mapped: Mapped
    rows: tuple[Row, ...]
    settings: TrainSettings

    def has(self, key: str) -> bool:
        """Whether a fix is in force."""
        return any(done.fix.key == key for done in self.info.fixes)


def examine(patient: Patient, measure: Measure) -> Report:
    """Everything that is to be said of a dataset, gravest first."""
    lengths = list(measure(patient.rows))
    found = [*_unusable(patient), *_texts(patient), *_repeats(patient), *_long(patient, lengths)]
    found += _labels(patient)
    return Report(
        dataset=patient.info.id,
        rows=len(patient.rows),
        findings=tuple(sorted(found, key=lambda finding: GRAVITY[finding.severity])),
        lengths=histogram(lengths),
        median=middle(lengths),
        longest=max(lengths, default=0),
        max_length=patient.settings.max_length,
        place=patient.table.place,
        encoding=patient.info.encoding,
        fixes=patient.info.fixes,
    )


def _unusable(patient: Patient) -> Iterator[Finding]:
    """Lines that are no rows."""
    rows, damaged, empty = len(patient.rows), patient.mapped.damaged, patient.mapped.empty
    if damaged and not patient.has(fixes.LEAVE_DAMAGED):
        lines = tuple(damage.line for damage in damaged)
        yield Finding(
            key="damaged",
            severity="error",
            count=len(damaged),
            lines=lines[:SHOWN_LINES],
            fix=Fix(fixes.LEAVE_DAMAGED),
            before=rows + len(damaged),
            after=rows,
            damage=damaged[:SHOWN_DAMAGE],
        )
    if empty and not patient.has(fixes.LEAVE_EMPTY):
        yield Finding(
            key="empty",
            severity="note",
            count=len(empty),
            lines=empty[:SHOWN_LINES],
            fix=Fix(fixes.LEAVE_EMPTY),
            before=rows + len(empty),
            after=rows,
        )


def _texts(patient: Patient) -> Iterator[Finding]:
    """Characters that nobody meant to teach."""
    for key, fix, change in (
        ("wrong_letters", "mend_letters", mended),
        ("stray_characters", "clean_characters", cleaned),
        ("template_tokens", "strip_template", without_template),
    ):
        odd = [
            index
            for index, row in enumerate(patient.rows)
            if any(change(m.content) != m.content for m in row.messages)
        ]
        yield from _finding(patient, key, odd, Fix(fix))
    yield from _finding(
        patient, "lost_letters", sorted(unreadable(patient.rows)), Fix("leave_unreadable")
    )


def _repeats(patient: Patient) -> Iterator[Finding]:
    """Rows that say the same, or the opposite."""
    rows, settings = patient.rows, patient.settings
    same = sorted(repeated(rows))
    yield from _finding(patient, "repeated", same, Fix("leave_repeated"))
    against = sorted(contradicting(rows))
    yield from _finding(patient, "contradicting", against, Fix("leave_contradicting"))
    leaked = {row.line for row in shared(rows, settings.eval_share, settings.seed)}
    if leaked and twins(rows):
        indices = [index for index, row in enumerate(rows) if row.line in leaked]
        yield from _finding(patient, "shared", indices, Fix("leave_twins"))


def _long(patient: Patient, lengths: Sequence[int]) -> Iterator[Finding]:
    limit = patient.settings.max_length
    long = [
        index
        for index, (row, length) in enumerate(zip(patient.rows, lengths, strict=True))
        if length > limit and not row.raw
    ]
    fix = Fix(fixes.LEAVE_LONG, limit)
    yield from _finding(patient, "too_long", long, fix, lengths)


def _labels(patient: Patient) -> Iterator[Finding]:
    """Labels from which nothing can be learned."""
    counts = labels(patient.rows)
    if not counts:
        return
    label, count = counts.most_common(1)[0]
    values = {"label": label, "share": round(100 * count / len(patient.rows))}
    if len(counts) == 1 and len(patient.rows) > 1:
        yield Finding("one_label", "warning", count, values=values)
    elif count > LOPSIDED * len(patient.rows):
        yield Finding("lopsided", "warning", count, values=values)


def _finding(
    patient: Patient, key: str, indices: Sequence[int], fix: Fix, lengths: Sequence[int] = ()
) -> Iterator[Finding]:
    """A finding on some rows with what its fix would do; nothing where there are none."""
    if not indices:
        return
    rows = patient.rows
    left = fixed(rows, fix, lambda _: lengths)
    yield Finding(
        key=key,
        severity="warning",
        count=len(indices),
        lines=tuple(rows[index].line for index in indices[:SHOWN_LINES]),
        values={"high": fix.limit} if fix.limit else {},
        fix=fix,
        before=len(rows),
        after=sum(row is not None for row in left),
        examples=fixes.examples(rows, left),
    )
