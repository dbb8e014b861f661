from collections.abc import Sequence

import pytest

from demo.run_records import RunEvent
from demo.training.overfitting import best_step, overfitting


def events(held_out: Sequence[float | None], train: Sequence[float]) -> list[RunEvent]:
    """One event for each step, the first before any step."""
    first = RunEvent(0, 0.0, eval_loss=held_out[0])
    steps = zip(held_out[1:], train, strict=True)
    return [first, *(RunEvent(n, n, t, e) for n, (e, t) in enumerate(steps, 1))]


def test_eval_loss_that_stays_above_its_best_while_train_loss_falls_is_overfitting() -> None:
    found = overfitting(events([3.0, 2.0, 1.5, 1.6, 1.7], [2.5, 1.8, 1.0, 0.5]))
    assert found is not None
    assert (found.best_step, found.best_loss, found.step, found.loss) == (2, 1.5, 4, 1.7)


def test_a_run_that_is_worse_than_the_base_from_its_first_step_is_overfitting_too() -> None:
    found = overfitting(events([1.5, 1.6, 1.7], [2.5, 1.0]))
    assert found is not None
    assert found.best_step == 0


@pytest.mark.parametrize(
    ("held_out", "train"),
    [
        ([3.0, 2.0, 1.5, 1.4], [2.5, 1.8, 1.0]),  # still falling
        ([3.0, 2.0, 1.5, 1.52, 1.53], [2.5, 1.8, 1.0, 0.5]),  # within 3 %
        ([3.0, 2.0, 1.5, 1.7, 1.5], [2.5, 1.8, 1.0, 0.5]),  # once only
        ([3.0, 2.0, 1.5, 1.6, 1.7], [2.5, 1.8, 2.6, 2.9]),  # train loss rose too: no memorizing
        ([3.0, 2.0], [2.5]),
        ([None, None, None], [2.0, 1.0]),
    ],
)
def test_anything_else_is_not(held_out: Sequence[float | None], train: Sequence[float]) -> None:
    assert overfitting(events(held_out, train)) is None


def test_loss_of_the_weights_that_were_kept_is_no_evaluation_on_the_way() -> None:
    run = events([3.0, 2.0, 1.5, 1.6, 1.7], [2.5, 1.8, 1.0, 0.5])
    ended = [*run, RunEvent(4, 4.0, eval_loss=1.5)]
    assert overfitting(ended) == overfitting(run)
    assert best_step(ended) == 2


def test_best_step_is_none_before_an_evaluation() -> None:
    assert best_step([]) == 0
    assert best_step(events([3.0], [])) == 0
