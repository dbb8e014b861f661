"""Whose turn it is: the order in which waiting runs will train.

Pure: knows neither folders nor processes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TASTES_A_RUN = 3
"""Tastes that may go before a full run: they are short, but a full run must not wait for all of them."""


@dataclass(frozen=True)
class Turn:
    """A waiting run as far as its turn depends on it."""

    run: str
    queued: float
    """When it took its place; seconds since the epoch."""
    sweep: str = ""
    """Runs of one sweep come one at a time, with everybody else's between them."""
    taste: bool = False
    """A taste goes before full runs, but only `TASTES_A_RUN` before each of them."""


def in_turn(waiting: Iterable[Turn], served: Mapping[str, float], tastes: int = 0) -> list[Turn]:
    """Waiting runs in the order in which they will train, the next one first.

    First come, first served; but a sweep takes its place anew after each of its runs, behind all who
    wait by then. Tastes come first, a few before each full run.

    Args:
        waiting: runs that wait.
        served: when a run of a sweep trained last, by the sweep's id.
        tastes: that have begun since the last full run did.
    """
    before: Counter[str] = Counter()
    placed = []
    for turn in sorted(waiting, key=lambda turn: turn.queued):
        round_of_sweep = before[turn.sweep]
        before[turn.sweep] += bool(turn.sweep)
        place = max(turn.queued, served.get(turn.sweep, 0.0))
        placed.append((round_of_sweep, place, turn))
    line = [turn for _, _, turn in sorted(placed, key=lambda one: one[:2])]
    return _mixed(
        [turn for turn in line if turn.taste], [turn for turn in line if not turn.taste], tastes
    )


def _mixed(tastes: list[Turn], full: list[Turn], begun: int) -> list[Turn]:
    """Tastes and full runs in one line, of which so many tastes have had their turn already."""
    at = max(0, TASTES_A_RUN - begun)
    line = tastes[:at]
    for number, turn in enumerate(full):
        first = at + number * TASTES_A_RUN
        line += [turn, *tastes[first : first + TASTES_A_RUN]]
    return line + tastes[at + len(full) * TASTES_A_RUN :]
