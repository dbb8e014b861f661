"""The line of waiting runs, as their folders and what has trained lately make it.

What trained is remembered here too: whoever deletes a run that has had its turn does not get the turn
back. Starts nothing.
"""

import threading
import time
from collections.abc import Sequence
from itertools import takewhile

from demo.training.standing import Standing
from demo.training.turns import Turn, in_turn


class Line:
    """Who is next; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._served: dict[str, float] = {}
        """When a run of a sweep was last seen to train, of the sweeps that still wait."""
        self._tastes: int | None = None
        """Tastes since a full run was started; None until anything was: then the folders tell."""

    def waiting(self, everybody: Sequence[Standing]) -> list[Standing]:
        """Those that wait, the next one first."""
        waiting = {one.order.id: one for one in everybody if one.state.status == "queued"}
        with self._lock:
            self._served = _served(everybody, self._served)
            tastes = _tastes(everybody) if self._tastes is None else self._tastes
            turns = in_turn(map(_turn, waiting.values()), self._served, tastes)
        return [waiting[turn.run] for turn in turns]

    def started(self, run: Standing, everybody: Sequence[Standing]) -> None:
        """One of them has begun."""
        with self._lock:
            before = _tastes(everybody) if self._tastes is None else self._tastes
            self._tastes = before + 1 if run.order.taste else 0


def _turn(one: Standing) -> Turn:
    queued = one.state.queued or one.order.created
    return Turn(one.order.id, queued, one.order.sweep, one.order.taste)


def _served(everybody: Sequence[Standing], before: dict[str, float]) -> dict[str, float]:
    """When a run of each waiting sweep trained last."""
    waits = {one.order.sweep for one in everybody if one.state.status == "queued"} - {""}
    served = {sweep: when for sweep, when in before.items() if sweep in waits}
    for one in everybody:
        if one.order.sweep in waits and (one.state.status == "running" or _has_begun(one)):
            last = time.time() if one.unfinished else one.written
            served[one.order.sweep] = max(last, served.get(one.order.sweep, 0.0))
    return served


def _tastes(everybody: Sequence[Standing]) -> int:
    """How many tastes have begun since the last full run did."""
    begun = sorted(filter(_has_begun, everybody), key=lambda one: -one.state.begun)
    return sum(1 for _ in takewhile(lambda one: one.order.taste, begun))


def _has_begun(one: Standing) -> bool:
    return bool(one.state.begun) and one.state.status != "queued"
