"""How a run stood when its folder was read, and how long those that stand before another one will take.

Knows neither whose turn it is nor the page.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from demo.errors import LabError
from demo.run_records import RunEvent
from demo.training.run_folder import UNFINISHED, RunFolder, RunOrder, StoredState

UNREADABLE = (OSError, ValueError, TypeError, KeyError, LabError)
"""What a folder raises that was deleted meanwhile, is damaged, or comes from a lab with other settings."""


@dataclass(frozen=True)
class Standing:
    """A run, what was ordered, and how it stood when its folder was read."""

    run: RunFolder
    order: RunOrder
    state: StoredState
    written: float
    """When its state was written; of an ended run, when it ended."""

    @property
    def unfinished(self) -> bool:
        """Whether it waits or runs."""
        return self.state.status in UNFINISHED


class Ahead(NamedTuple):
    """What stands before a run in the queue."""

    runs: int = 0
    seconds: float = 0.0


def ahead(line: Iterable[Standing]) -> Ahead:
    """How many runs stand before another one, and how long they will take."""
    lefts = [_left(one) for one in line]
    return Ahead(len(lefts), sum(lefts))


def _left(one: Standing) -> float:
    # Only a run that trains has measurements to read; of the others all is known.
    if one.state.status != "running":
        return one.order.seconds
    left = eta(one.order, one.state, one.run.events(), Ahead())
    return one.order.seconds if left is None else left


def eta(
    order: RunOrder, state: StoredState, events: tuple[RunEvent, ...], before: Ahead
) -> float | None:
    """Seconds until the end: from the steps so far, or from the plan; of a waiting run, until it begins."""
    if state.status == "queued":
        return before.seconds
    if state.status != "running":
        return None
    step = events[-1].step if events else 0
    if not step:
        return max(1.0, order.seconds - (time.time() - (state.begun or time.time())))
    left = events[-1].seconds / step * (state.steps - step)
    return min(left, max(1.0, order.lasts - events[-1].seconds)) if order.lasts else left
