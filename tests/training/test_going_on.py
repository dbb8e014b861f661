"""A run that was broken off goes on as if it never had been; the best weights stay; probes are asked."""

from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from demo.errors import RunFailed
from demo.records import Message
from demo.run_records import Probe, Row, RunEvent
from demo.text.tokenizer import LabTokenizer
from demo.training import checkpoint, diary
from demo.training.loop import train_run
from demo.training.loss import CompletionLoss, TokenLosses
from demo.training.probes import ELSEWHERE, Prober, chosen
from demo.training.run_folder import RunFolder
from demo.training.trainer import Trainer
from demo.workspace import read_json


def tensors(folder: RunFolder) -> dict[str, torch.Tensor]:
    return load_file(folder.adapter / "adapter_model.safetensors")


def losses(folder: RunFolder) -> list[tuple[int, float | None, float | None]]:
    return [(event.step, event.train_loss, event.eval_loss) for event in folder.events()]


class Died(BaseException):
    """The worker is gone, and nothing was tidied up."""


def break_off(monkeypatch: pytest.MonkeyPatch, step: int, how: Any) -> None:
    """Something happens right after a step was written down."""
    write = RunFolder.append_event

    def written(self: RunFolder, event: RunEvent) -> None:
        write(self, event)
        if event.step == step and event.train_loss is not None:
            how(self)

    monkeypatch.setattr(RunFolder, "append_event", written)


def die(_: RunFolder) -> None:
    raise Died


SETTINGS = {"epochs": 2, "dropout": 0.2, "learning_rate": 0.01}


@pytest.mark.parametrize("dies", [False, True])
def test_run_that_was_broken_off_equals_the_unbroken_one(
    order_run: Any, make_rows: Any, monkeypatch: pytest.MonkeyPatch, dies: bool
) -> None:
    monkeypatch.setattr(diary, "CHECKPOINT_SECONDS", 0.0)
    unbroken, broken = (order_run(held_out=make_rows(3), **SETTINGS) for _ in range(2))
    train_run(str(unbroken.path))
    with monkeypatch.context() as patched:
        break_off(patched, 7, die if dies else RunFolder.ask_to_stop)
        if dies:
            with pytest.raises(Died):
                train_run(str(broken.path))
        else:
            train_run(str(broken.path))
    assert checkpoint.exists(broken.checkpoint)
    broken.take_back_stop()
    train_run(str(broken.path))
    assert losses(broken) == losses(unbroken)
    expected = tensors(unbroken)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in tensors(broken).items())
    assert read_json(broken.adapter / "run.json")["rows"] == 12


def test_run_that_died_before_its_first_checkpoint_begins_anew(
    order_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = order_run()
    with monkeypatch.context() as patched:
        break_off(patched, 2, die)
        with pytest.raises(Died):
            train_run(str(folder.path))
    assert not checkpoint.exists(folder.checkpoint)
    train_run(str(folder.path))
    steps = [event.step for event in folder.events() if event.train_loss is not None]
    assert steps == list(range(1, 7))


@pytest.mark.parametrize("damage", ["progress", "weights"])
def test_damaged_checkpoint_is_none(
    order_run: Any, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    folder = order_run()
    with monkeypatch.context() as patched:
        break_off(patched, 3, RunFolder.ask_to_stop)
        train_run(str(folder.path))
    (file,) = (path for path in folder.checkpoint.iterdir() if damage in path.name)
    file.write_bytes(file.read_bytes()[:20])
    folder.take_back_stop()
    train_run(str(folder.path))
    assert folder.state().status == "finished"
    assert len(read_json(folder.adapter / "run.json")["losses"]) == 6


def test_adapter_holds_the_weights_with_the_lowest_eval_loss_and_patience_ends_the_run(
    order_run: Any, make_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([3.0, 2.0, 1.0, 1.5, 1.4, 1.3, 1.2])
    kept: dict[int, dict[str, torch.Tensor]] = {}

    def evaluate(self: Trainer, *_: Any) -> float:
        kept[self.step] = {n: w.detach().clone() for n, w in self.weights.items()}
        return next(told)

    monkeypatch.setattr(Trainer, "evaluate", evaluate)
    monkeypatch.setattr(Trainer, "_interval", lambda _: 2)
    folder = order_run(held_out=make_rows(3), epochs=5, patience=2)
    train_run(str(folder.path))
    record, state = read_json(folder.adapter / "run.json"), folder.state()
    assert (state.status, state.best_step, record["best_step"]) == ("finished", 4, 4)
    assert len(record["losses"]) == 8
    assert record["scores"]["eval_loss"] == {"base": 3.0, "adapted": 1.0, "n": 3}
    saved = tensors(folder)
    assert all(
        torch.equal(saved[name.replace(".default", "")], weight) for name, weight in kept[4].items()
    )


def test_loss_that_explodes_ends_the_run_with_good_weights_and_names_the_knob(
    order_run: Any, make_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure, seen = CompletionLoss.__call__, []

    def astray(self: CompletionLoss, batch: Any) -> TokenLosses:
        seen.append(batch)
        found = measure(self, batch).losses
        return TokenLosses(found * 4 if len(seen) > 6 else found)

    monkeypatch.setattr(CompletionLoss, "__call__", astray)
    monkeypatch.setattr(Trainer, "_interval", lambda _: 1)
    folder = order_run(make_rows(40), make_rows(3), learning_rate=0.01)
    train_run(str(folder.path))
    error = folder.state().error
    assert folder.state().status == "failed"
    assert isinstance(error, RunFailed)
    assert error.key == "loss_exploded"
    assert error.values["rate"] == 0.01
    assert 0 < folder.state().best_step < error.values["step"] - 2


def test_loss_that_explodes_before_anything_was_evaluated_leaves_the_last_sane_weights(
    order_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[int, dict[str, torch.Tensor]] = {}
    measure = CompletionLoss.__call__

    def astray(self: CompletionLoss, batch: Any) -> TokenLosses:
        found = measure(self, batch).losses
        kept[len(kept) + 1] = {
            n: w.detach().clone() for n, w in self.model.named_parameters() if w.requires_grad
        }
        return TokenLosses(found * 4 if len(kept) > 3 else found)

    monkeypatch.setattr(CompletionLoss, "__call__", astray)
    folder = order_run(learning_rate=0.01)
    train_run(str(folder.path))
    assert folder.state().error_key == "loss_exploded"
    saved = tensors(folder)
    assert all(
        torch.equal(saved[name.replace(".default", "")], weight) for name, weight in kept[3].items()
    )


def test_probes_are_two_held_out_questions_and_one_from_elsewhere(
    tokenizer: LabTokenizer, make_rows: Any
) -> None:
    rows = make_rows(3)
    long = Row(9, (Message("user", "very " * 300 + "long"), Message("assistant", "Yes.")))
    found = chosen(tokenizer, [long, rows[0], rows[0], *rows])
    asked = [Probe(row.messages[0].content, row.messages[1].content) for row in rows[:2]]
    assert found == (*asked, ELSEWHERE)


def test_answers_of_the_probes_are_kept_from_the_first_step_to_the_last(
    order_run: Any, make_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Prober, "steps", lambda *_: {2, 4})
    folder = order_run(held_out=make_rows(3))
    train_run(str(folder.path))
    lapse = folder.time_lapse()
    assert [answers.step for answers in lapse.answers] == [0, 2, 4, 6]
    assert len(lapse.probes) == 3
    assert all(len(answers.answers) == 3 for answers in lapse.answers)


def test_probes_take_a_small_part_of_the_run_only() -> None:
    prober = Prober(None, None, ())  # type: ignore[arg-type]
    prober.seconds = 1.0
    assert prober.steps(100, 10.0) == set()
    assert prober.steps(100, 50.0) == {33, 67}
    assert len(prober.steps(1000, 10_000.0)) == 12
