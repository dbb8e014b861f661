"""A labelled set: rows whose answers are a few labels, parted into shots and held-out questions.

Knows no model. Every set that an experiment cannot use is refused here, with what to do.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

import yaml

from demo.checks import checked_text
from demo.data.split import split
from demo.errors import BadInput
from demo.prompting.shots import Shot, of_row
from demo.run_records import Row

WORDINGS = Path(__file__).with_name("wordings.yaml")
MOST_LABELS = 8
LONGEST_LABEL = 60
"""Characters."""
FEWEST_QUESTIONS = 4
MOST_WORDINGS = 8
LONGEST_WORDING = 2_000
"""Characters."""


@dataclass(frozen=True)
class LabelledSet:
    """Rows to show and rows to ask; no question is among the rows to show."""

    labels: tuple[str, ...]
    """The commonest first."""
    train: tuple[Row, ...]
    questions: tuple[Shot, ...]

    @property
    def guess(self) -> float:
        """Accuracy of always saying the commonest label of the questions."""
        counts = Counter(question.output for question in self.questions)
        return max(counts.values()) / len(self.questions)


def labelled(name: str, rows: Sequence[Row], shots: int, questions: int, seed: int) -> LabelledSet:
    """Part a set in two.

    Args:
        name: for messages.
        rows: of the dataset.
        shots: rows that must be left to show.
        questions: rows to hold out, at most.
        seed: decides which.

    Raises:
        BadInput: it has no rows, too few, one label only, or answers that are no labels.
    """
    # A question that stands there twice would count as two, and might be shown and asked.
    rows = list({of_row(row).input.strip().casefold(): row for row in rows}.values())
    labels = _labels(name, rows)
    low = shots + FEWEST_QUESTIONS
    if len(rows) < low:
        raise BadInput("labelled_few", file=name, got=len(rows), low=low)
    wanted = min(questions, len(rows) - shots)
    train, held_out = split(rows, wanted / len(rows), seed)
    if len(train) < shots or len(held_out) < FEWEST_QUESTIONS:
        raise BadInput("labelled_few", file=name, got=len(rows), low=low)
    return LabelledSet(labels, train, tuple(of_row(row) for row in held_out[:questions]))


def _labels(name: str, rows: Sequence[Row]) -> tuple[str, ...]:
    if not rows:
        raise BadInput("labelled_few", file=name, got=0, low=1 + FEWEST_QUESTIONS)
    counts = Counter(of_row(row).output for row in rows)
    if len(counts) > MOST_LABELS or max(map(len, counts)) > LONGEST_LABEL:
        raise BadInput("labelled_many", file=name, got=len(counts), high=MOST_LABELS)
    if len({label.strip().casefold() for label in counts}) == 1:
        raise BadInput("labelled_one", file=name, label=next(iter(counts)))
    return tuple(label for label, _ in counts.most_common())


def wordings_of(dataset: str, labels: Sequence[str], typed: Sequence[str] = ()) -> tuple[str, ...]:
    """Instructions that mean the same: those typed, or else the lab's own for this set.

    Raises:
        BadInput: one is too long, or there are too many.
    """
    if typed:
        if len(typed) > MOST_WORDINGS:
            raise BadInput(
                "out_of_range", field="wordings", low=1, high=MOST_WORDINGS, got=len(typed)
            )
        return tuple(checked_text("wordings", text, LONGEST_WORDING) for text in typed)
    own = _own_wordings()
    known = own.get(dataset.partition(":")[2], own["any"])
    return tuple(Template(text).safe_substitute(labels=", ".join(labels)) for text in known)


@cache
def _own_wordings() -> dict[str, list[str]]:
    read: dict[str, list[str]] = yaml.safe_load(WORDINGS.read_text(encoding="utf-8"))
    return read
