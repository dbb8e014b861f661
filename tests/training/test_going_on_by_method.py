"""A checkpoint holds what every method needs: a run that goes on from it equals the unbroken one."""

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from demo.methods import METHODS, good_settings
from demo.methods.method import Label, Work
from demo.text.template import Sequence
from demo.training import checkpoint
from demo.training.trainer import Trainer
from tests.methods.making import load

ANSWERS = ((40, 22, 1), (70, 4, 35, 1), (51, 1))
ROWS = [
    Sequence((5, 17, 80, 3, 44, 9, 11, 12, 30 + n, *answer), (*[False] * 9, *[True] * len(answer)))
    for n, answer in enumerate(ANSWERS * 4)
]
STEPS, BREAK = 8, 4


def trainer(base: Path, name: str) -> Trainer:
    method = METHODS[name]
    dropout = {"dropout": 0.1} if "dropout" in method.settings else {}
    settings = good_settings(name, batch_size=3, epochs=2, width=8, **dropout)
    labels = tuple(Label(str(ids), ids) for ids in ANSWERS)
    torch.manual_seed(settings.seed)
    work = Work(settings, STEPS, labels)
    model = method.build(load(base).requires_grad_(False), work)
    return Trainer(model, ROWS[3:], ROWS[:3], settings, method.upkeep(model))


def losses(events: Any) -> list[tuple[float | None, float | None]]:
    return [(event.train_loss, event.eval_loss) for event in events]


@pytest.mark.parametrize("name", METHODS)
def test_a_run_that_goes_on_equals_the_unbroken_one(base: Path, tmp_path: Path, name: str) -> None:
    whole, first, second = (trainer(base, name) for _ in range(3))
    expected = losses(whole.run())
    begun = losses(islice(first.run(), 1 + BREAK))
    checkpoint.save(tmp_path / "checkpoint", first)
    # What is drawn when a model is built must not be needed again.
    for weight in second.weights.values():
        torch.nn.init.normal_(weight.data)
    assert checkpoint.load(tmp_path / "checkpoint", second)
    assert [*begun, *losses(second.run())] == expected
    assert len(expected) == whole.steps + 1
    for key, weight in whole.weights.items():
        torch.testing.assert_close(second.weights[key], weight, atol=1e-6, rtol=0)
