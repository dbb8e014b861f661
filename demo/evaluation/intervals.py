"""How far a score would move with other questions of the same kind: intervals, and paired differences.

Shares by Wilson's interval, means by scipy's bootstrap, corpus scores by resampling their answers.
What is no number has no interval, and differs from nothing.
Knows neither metrics nor models.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from demo.evaluation.chance import wilson
from demo.judging_records import Difference, Interval

LEVEL = 0.95
RESAMPLES = 2000
WHOLE_RESAMPLES = 300
"""A corpus score is computed anew for each."""
FEWEST = 2
"""One question says nothing about others."""
SHARES = (0.0, 100.0)
"""A score with these values only is a share of right answers."""


def of_mean(rows: Sequence[float], seed: int = 0) -> Interval:
    """The mean of independent rows: a share by Wilson (1927), anything else by the BCa bootstrap.

    Args:
        rows: one figure per question.
        seed: the same seed gives the same interval.
    """
    if not rows:
        return Interval(math.nan, None, None, 0)
    mean = float(np.mean(rows))
    if len(rows) < FEWEST or not math.isfinite(mean):
        return Interval(mean, None, None, len(rows))
    if all(row in SHARES for row in rows):
        low, high = wilson(sum(row == SHARES[1] for row in rows), len(rows))
        return Interval(mean, 100 * low, 100 * high, len(rows))
    return Interval(mean, *_bootstrap(np.asarray(rows, dtype=float), seed), len(rows))


def of_whole(score: Callable[[Sequence[int]], float], n: int, seed: int = 0) -> Interval:
    """A score that is no mean of rows, as corpus BLEU: its percentiles over resampled questions.

    Args:
        score: indices of questions, some of them repeated, to their score.
        n: questions.
        seed: the same seed gives the same interval.
    """
    if not n:
        return Interval(math.nan, None, None, 0)
    value = score(range(n))
    if n < FEWEST:
        return Interval(value, None, None, n)
    draws = np.random.default_rng(seed).integers(0, n, (WHOLE_RESAMPLES, n))
    return percentiles(value, [score(draw.tolist()) for draw in draws], n)


def percentiles(value: float, found: Sequence[float], n: int) -> Interval:
    """A score, and the range of 95 in 100 scores of resampled questions.

    Of few questions these may all lie to one side of the score, which no interval leaves out. Where
    any is no number, nothing is known of the range.

    Args:
        value: of all questions.
        found: of resampled ones.
        n: questions.
    """
    if not np.isfinite([value, *found]).all():
        return Interval(value, None, None, n)
    low, high = np.percentile(found, [100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2])
    return Interval(value, min(value, float(low)), max(value, float(high)), n)


def difference(rows: Sequence[float], others: Sequence[float], seed: int = 0) -> Difference:
    """How much higher `rows` are than `others`, question by question.

    The interval is the bootstrap's over the differences; the chance is the permutation test's of
    pairs (Fisher 1935): if nothing differed, every difference could have had the other sign.

    Args:
        rows: one figure per question.
        others: of the same questions, in the same order.
        seed: the same seed gives the same result.
    """
    with np.errstate(invalid="ignore"):
        apart = np.asarray(rows, dtype=float) - np.asarray(others, dtype=float)
    if not np.isfinite(apart).all():
        return Difference(math.nan, None, None, 1.0, len(apart))
    if len(apart) < FEWEST or not apart.any():
        mean = float(apart.mean()) if len(apart) else math.nan
        return Difference(mean, None, None, 1.0, len(apart))
    test = stats.permutation_test(
        (apart,),
        np.mean,
        permutation_type="samples",
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(seed),
    )
    low, high = _bootstrap(apart, seed)
    return Difference(float(apart.mean()), low, high, float(test.pvalue), len(apart))


def _bootstrap(
    rows: "np.ndarray[tuple[int], np.dtype[np.float64]]", seed: int
) -> tuple[float, float]:
    if (rows == rows[0]).all():
        return float(rows[0]), float(rows[0])
    found = stats.bootstrap(
        (rows,),
        np.mean,
        confidence_level=LEVEL,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)
