"""Whether a run begins to learn its rows by heart: read from its events alone.

Knows no run folder, and decides nothing about the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from demo.run_records import RunEvent

WORSE = 1.03
"""Times the best eval loss: less may be chance."""
IN_A_ROW = 2
"""Evaluations that must be so much worse."""


@dataclass(frozen=True)
class Overfitting:
    """Where eval loss and train loss have parted ways."""

    best_step: int
    best_loss: float
    step: int
    loss: float


def overfitting(events: Sequence[RunEvent]) -> Overfitting | None:
    """The sign of overfitting, if there is one: eval loss stays above its best while train loss fell.

    Args:
        events: of one run, in order. The last one of a run that has ended tells the loss of the
            weights that were kept, not of the last step, and is no evaluation on the way.
    """
    measured = [e for e in events if e.eval_loss is not None and _on_the_way(e)]
    if len(measured) <= IN_A_ROW:
        return None
    best = min(measured, key=_eval_loss)
    last = measured[-IN_A_ROW:]
    worse = all(e.step > best.step and _eval_loss(e) > WORSE * _eval_loss(best) for e in last)
    if not worse or not _train_loss_fell(events, best.step):
        return None
    return Overfitting(best.step, _eval_loss(best), last[-1].step, _eval_loss(last[-1]))


def best_step(events: Sequence[RunEvent]) -> int:
    """The step with the lowest eval loss so far; 0 before one was measured after a step."""
    measured = [e for e in events if e.step and e.eval_loss is not None and _on_the_way(e)]
    return min(measured, key=_eval_loss).step if measured else 0


def _on_the_way(event: RunEvent) -> bool:
    return event.train_loss is not None or not event.step


def _eval_loss(event: RunEvent) -> float:
    return event.eval_loss if event.eval_loss is not None else float("inf")


def _train_loss_fell(events: Sequence[RunEvent], since: int) -> bool:
    """Whether train loss is lower after a step than over as many steps up to it, on average."""
    losses = [(e.step, e.train_loss) for e in events if e.train_loss is not None]
    after = [loss for step, loss in losses if step > since]
    before = [loss for step, loss in losses if step <= since][-len(after) :]
    before = before or after[: len(after) // 2]  # The base itself was best.
    if not before:
        return False
    return sum(after) / len(after) < sum(before) / len(before)
