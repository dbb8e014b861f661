"""Whose turn it is: the order in which waiting runs will train.

Pure: knows neither folders nor processes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True)
class Turn:
    """A waiting run as far as its turn depends on it."""

    run: str
    queued: float
    """When it took its place; seconds since the epoch."""
    sweep: str = ""
    """Runs of one sweep come one at a time, with everybody else's between them."""
    taste: bool = False
    """A taste goes before full runs, but never two before one of them."""


def in_turn(
    waiting: Iterable[Turn], served: Mapping[str, float], tasted: bool = False
) -> list[Turn]:
    """Waiting runs in the order in which they will train, the next one first.

    First come, first served; but a sweep takes its place anew after each of its runs, behind all who
    wait by then. A taste comes first, then a full run, then a taste.

    Args:
        waiting: runs that wait.
        served: when a run of a sweep trained last, by the sweep's id.
        tasted: whether the last run that began was a taste.
    """
    before: Counter[str] = Counter()
    placed = []
    for turn in sorted(waiting, key=lambda turn: turn.queued):
        round_of_sweep = before[turn.sweep]
        before[turn.sweep] += bool(turn.sweep)
        place = max(turn.queued, served.get(turn.sweep, 0.0))
        placed.append((round_of_sweep, place, turn))
    line = [turn for _, _, turn in sorted(placed, key=lambda one: one[:2])]
    tastes, full = [turn for turn in line if turn.taste], [turn for turn in line if not turn.taste]
    first, second = (full, tastes) if tasted else (tastes, full)
    pairs = zip_longest(first, second)
    return [turn for pair in pairs for turn in pair if turn is not None]
