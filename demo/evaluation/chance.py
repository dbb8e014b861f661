"""Could it be chance: intervals of a share, and tests for answers of several kinds to the same questions.

Knows neither models nor prompts: counts go in, probabilities come out.
"""

import math
import random
from collections import Counter
from collections.abc import Sequence

Z95 = 1.959963984540054
"""The normal quantile of a 95 % interval."""
SHUFFLES = 2000


def wilson(successes: float, count: int, z: float = Z95) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927): holds for few trials, and at 0 and 1 as well.

    Args:
        successes: of `count`; a mean over several tries per question may be no whole number.
        count: independent trials; none at all leaves the whole range open.
        z: how many standard deviations.
    """
    if not count:
        return 0.0, 1.0
    share = successes / count
    middle = share + z * z / (2 * count)
    width = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    low = 0.0 if successes <= 0 else (middle - width) / scale
    return max(0.0, low), min(1.0, (middle + width) / scale)


def paired(differences: Sequence[int]) -> float:
    """How often chance alone gives a sum at least as far from 0, two-sided and exact.

    The permutation test of pairs (Fisher 1935): if nothing differs, every difference could as well
    have had the other sign. For differences of 1, 0 and -1, as of right and wrong answers to the
    same questions, it is the exact test of McNemar (1947).
    """
    sums = Counter({0: 1})
    for size in (abs(d) for d in differences if d):
        grown: Counter[int] = Counter()
        for total, ways in sums.items():
            grown[total + size] += ways
            grown[total - size] += ways
        sums = grown
    observed = abs(sum(differences))
    far = sum(ways for total, ways in sums.items() if abs(total) >= observed)
    return far / sum(sums.values())


def holm(chances: Sequence[float]) -> list[float]:
    """Chances of several comparisons, raised so that even one false finding among all stays as rare.

    Holm's (1979) step-down form of Bonferroni's correction: the smallest of n is taken n times, the
    next one n - 1 times and so on, and none is less than one before it.
    """
    raised, highest = [0.0] * len(chances), 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=lambda n: chances[n])):
        highest = max(highest, min(1.0, (len(chances) - rank) * chances[place]))
        raised[place] = highest
    return raised


def spread(right: Sequence[Sequence[bool]], shuffles: int = SHUFFLES, seed: int = 0) -> float:
    """How often chance alone sets several kinds as far apart as they stand, best from worst.

    The null hypothesis of Cochran's Q (1950): for each question, who was right could as well have
    been any of the kinds. Tested by shuffling within questions, so that choosing the best and the
    worst afterwards is allowed for.

    Args:
        right: [kinds][questions].
        shuffles: how many; the smallest answer is about 1 / shuffles.
        seed: the same seed gives the same answer.
    """
    random_source = random.Random(seed)
    # Questions that all kinds answer alike cannot tell them apart.
    columns = [list(column) for column in zip(*right, strict=True) if 0 < sum(column) < len(column)]
    observed = _apart(columns)
    far = 0
    for _ in range(shuffles if columns else 0):
        for column in columns:
            random_source.shuffle(column)
        far += _apart(columns) >= observed
    return (far + 1) / (shuffles + 1) if columns else 1.0


def _apart(columns: Sequence[Sequence[bool]]) -> int:
    sums = [sum(kind) for kind in zip(*columns, strict=True)]
    return max(sums, default=0) - min(sums, default=0)
