"""Scores of all answers together, BLEU and chrF, with intervals and a paired test, as sacrebleu does them.

Does not know who answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from demo.evaluation.bleu import columns
from demo.evaluation.intervals import FEWEST
from demo.judging_records import Difference, Interval

RESAMPLES = 1000
CORPUS = {"bleu": ("BLEU", BLEU), "chrf": ("chrF2", CHRF)}
"""Metric -> what sacrebleu calls it, and does it. BLEU is Papineni's (2002), chrF Popović's (2015)."""


@dataclass(frozen=True)
class Compared:
    """One column's score, and how it stands against the first column's."""

    score: Interval
    against_first: Difference | None
    """None for the first column itself, and where one question says nothing about others."""


def compared(
    answers: Sequence[Sequence[str]], references: Sequence[Sequence[str]]
) -> dict[str, list[Compared]]:
    """Every corpus metric of every column, by paired bootstrap resampling (Koehn 2004).

    Args:
        answers: [columns][questions].
        references: [questions], one or more each; at least one question.

    Returns:
        Metric -> one `Compared` a column.
    """
    n = len(references)
    read = columns(references)
    if n < FEWEST:
        return {
            name: [
                Compared(Interval(_alone(metric(), own, read), None, None, n), None)
                for own in answers
            ]
            for name, (_, metric) in CORPUS.items()
        }
    named = [(str(place), list(own)) for place, own in enumerate(answers)]
    # The test wants a second system; a column compared with itself is left out again.
    systems: Any = named if len(named) > 1 else [*named, ("itself", named[0][1])]
    metrics: dict[str, Any] = {title: metric() for title, metric in CORPUS.values()}
    _, scores = PairedTest(systems, metrics, read, test_type="bs", n_samples=RESAMPLES)()
    same = [list(own) == list(answers[0]) for own in answers]
    return {
        name: _column(scores[title][: len(answers)], same, n) for name, (title, _) in CORPUS.items()
    }


def _alone(metric: BLEU | CHRF, answers: Sequence[str], read: Any) -> float:
    return float(metric.corpus_score(list(answers), read).score)


def _column(results: Sequence[Any], same: Sequence[bool], n: int) -> list[Compared]:
    return [
        Compared(_interval(one, n), _against(one, results[0], own, n) if place else None)
        for place, (one, own) in enumerate(zip(results, same, strict=True))
    ]


def _interval(result: Any, n: int) -> Interval:
    low, high = float(result.mean - result.ci), float(result.mean + result.ci)
    return Interval(float(result.score), max(0.0, low), min(100.0, high), n)


def _against(result: Any, first: Any, same: bool, n: int) -> Difference:
    # Of two columns that answer alike sacrebleu's test says 1 in 1001: no resample is *more* apart.
    chance = 1.0 if same else float(result.p_value)
    return Difference(float(result.score - first.score), None, None, chance, n)
