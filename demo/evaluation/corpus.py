"""Scores of all answers together, BLEU and chrF: sacrebleu's values, with intervals and a paired test.

Does not know who answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from demo.evaluation.bleu import columns
from demo.evaluation.intervals import FEWEST, percentiles
from demo.judging_records import Difference, Interval

RESAMPLES = 1000
CORPUS = {"bleu": BLEU, "chrf": CHRF}
"""Metric -> what computes it. BLEU is Papineni's (2002), chrF Popović's (2015)."""
ALIKE = 1e-9
"""Differences of scores that are no difference: sums of the same counts in another order."""

Counts: TypeAlias = "np.ndarray[tuple[int, int], np.dtype[np.float64]]"


@dataclass(frozen=True)
class Compared:
    """One column's score, and how it stands against the first column's."""

    score: Interval
    against_first: Difference | None
    """None for the first column itself, and where one question says nothing about others."""


def compared(
    answers: Sequence[Sequence[str]], references: Sequence[Sequence[str]], seed: int = 0
) -> dict[str, list[Compared]]:
    """Every corpus metric of every column.

    Intervals are percentiles of the bootstrap over questions (Koehn 2004). The chance is that of
    paired approximate randomization (Noreen 1989; Riezler & Maxwell 2005), two-sided: if the columns
    did not differ, each question's two answers could as well have been swapped. Few questions are
    swapped in every way, which is exact.

    Args:
        answers: [columns][questions].
        references: [questions], one or more each; at least one question.
        seed: the same seed gives the same result.

    Returns:
        Metric -> one `Compared` a column.
    """
    read = columns(references)
    found = {}
    for name, metric in CORPUS.items():
        counted = _Counted(metric(references=read), seed)
        own = [counted.counts(column) for column in answers]
        found[name] = [
            Compared(counted.interval(one), counted.against(one, own[0]) if place else None)
            for place, one in enumerate(own)
        ]
    return found


class _Counted:
    """A metric over its own statistics: matches and lengths of every question, which add up.

    Args:
        metric: with its references.
        seed: of every draw.
    """

    def __init__(self, metric: Any, seed: int) -> None:
        self._metric = metric
        self._seed = seed

    def counts(self, answers: Sequence[str]) -> Counts:
        """What is counted of each answer, [questions, statistics]."""
        return np.array(self._metric._extract_corpus_statistics(list(answers), None), dtype=float)

    def interval(self, counts: Counts) -> Interval:
        """The score of all questions, and of as many drawn from them."""
        value, n = self._score(counts.sum(0)), len(counts)
        if n < FEWEST:
            return Interval(value, None, None, n)
        draws = np.random.default_rng(self._seed).multinomial(n, np.full(n, 1 / n), RESAMPLES)
        return percentiles(value, [self._score(drawn) for drawn in draws @ counts], n)

    def against(self, own: Counts, first: Counts) -> Difference | None:
        """How far a column stands from the first, and how often swapped answers stand as far."""
        n = len(own)
        if n < FEWEST:
            return None
        observed = self._score(own.sum(0)) - self._score(first.sum(0))
        kept, exact = self._swaps(n)
        swapped = zip(kept @ own + (1 - kept) @ first, kept @ first + (1 - kept) @ own, strict=True)
        apart = (abs(self._score(one) - self._score(other)) for one, other in swapped)
        far = sum(difference >= abs(observed) - ALIKE for difference in apart)
        # What was observed is itself one of the ways, and counts where not all of them were tried.
        chance = far / len(kept) if exact else (far + 1) / (len(kept) + 1)
        return Difference(observed, None, None, chance, n)

    def _swaps(self, n: int) -> tuple[Counts, bool]:
        """Which questions keep their own answer, [ways, questions], and whether these are all ways."""
        if 2**n <= RESAMPLES:
            return np.array(list(product((0.0, 1.0), repeat=n))), True
        random = np.random.default_rng(self._seed)
        return random.integers(0, 2, (RESAMPLES, n)).astype(float), False

    def _score(self, total: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
        return float(self._metric._compute_score_from_stats(total.tolist()).score)
