"""Answers that should be one of a few labels: which one was said, and how often it was right.

Accuracy and F1 by scikit-learn. Does not know who answered.
"""

import re
from collections.abc import Sequence

from sklearn.metrics import f1_score

MOST_LABELS = 12
LONGEST_LABEL = 60
"""Characters."""
FEWEST_REPEATS = 2.0
"""Rows for each label, on average: fewer are answers, not labels."""
NONE = ""
"""No label was said."""


def labels_of(references: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The labels of a set, sorted; none where its references are no labels."""
    singles = [own[0].strip() for own in references if len(own) == 1]
    labels = sorted({label.casefold(): label for label in singles}.values())
    few = len(singles) == len(references) and 0 < len(labels) <= MOST_LABELS
    short = all(len(label) <= LONGEST_LABEL for label in labels)
    return tuple(labels) if few and short and len(singles) >= FEWEST_REPEATS * len(labels) else ()


def label_said(answer: str, labels: Sequence[str]) -> str:
    """The label that an answer names first, whatever the case; the longer of two that begin alike."""
    places = []
    for label in labels:
        found = re.search(rf"(?<!\w){re.escape(label)}(?!\w)", answer, re.IGNORECASE)
        if found:
            places.append((found.start(), -len(label), label))
    return min(places)[2] if places else NONE


def label_accuracy(
    answers: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> list[float]:
    """Whether each answer names its label first: 100 or 0."""
    said = (label_said(answer, labels).casefold() for answer in answers)
    wanted = (own[0].strip().casefold() for own in references)
    return [100.0 * (one == other) for one, other in zip(said, wanted, strict=True)]


def macro_f1(
    answers: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> float:
    """F1 of every label, averaged so that rare labels count as much as common ones, 0 to 100.

    A label that none of these references is says nothing about them, and is left out of the mean: a
    resample without a rare label would otherwise count it as never recognised.
    """
    said = [label_said(answer, labels).casefold() for answer in answers]
    wanted = [own[0].strip().casefold() for own in references]
    among = sorted(set(wanted))
    return 100.0 * float(f1_score(wanted, said, labels=among, average="macro", zero_division=0.0))
