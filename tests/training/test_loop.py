from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from demo.engine.model.catalogue import ModelSpec
from demo.training import loop
from demo.training.loop import train_run
from demo.training.run_folder import RunFolder
from demo.training.trainer import Trainer
from demo.workspace import read_json


def tensors(folder: RunFolder) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder.adapter / "adapter_model.safetensors")


def test_run_writes_every_step_and_a_complete_adapter_folder(
    order_run: Any, make_rows: Any
) -> None:
    folder = order_run(held_out=make_rows(3), epochs=2)
    train_run(str(folder.path))
    state, events = folder.state(), folder.events()
    assert (state.status, state.steps) == ("finished", 12)
    assert [e.step for e in events if e.train_loss is not None] == list(range(1, 13))
    assert events[0].step == 0
    assert events[0].eval_loss is not None
    assert events[-1].eval_loss is not None
    files = {file.name for file in folder.adapter.iterdir()}
    assert files == {"adapter_config.json", "adapter_model.safetensors", "README.md", "run.json"}
    run = read_json(folder.adapter / "run.json")
    assert len(run["losses"]) == 12
    assert run["scores"]["eval_loss"]["base"] == pytest.approx(events[0].eval_loss, abs=1e-4)
    assert run["scores"]["eval_loss"]["adapted"] == pytest.approx(events[-1].eval_loss, abs=1e-4)


def test_same_seed_trains_the_same_adapter(order_run: Any) -> None:
    first, second, other = order_run(seed=1), order_run(seed=1), order_run(seed=2)
    for folder in (first, second, other):
        train_run(str(folder.path))
    same, differs = tensors(second), tensors(other)
    assert all(torch.equal(tensor, same[name]) for name, tensor in tensors(first).items())
    assert not all(torch.equal(tensor, differs[name]) for name, tensor in tensors(first).items())


def test_run_ends_after_the_step_under_way_and_keeps_its_adapter_when_asked_to_stop(
    order_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: RunFolder = order_run(epochs=5)
    append = RunFolder.append_event

    def stop_at_second_step(self: RunFolder, event: Any) -> None:
        append(self, event)
        if event.step == 2:
            self.ask_to_stop()

    monkeypatch.setattr(RunFolder, "append_event", stop_at_second_step)
    train_run(str(folder.path))
    assert folder.state().status == "stopped"
    assert len(read_json(folder.adapter / "run.json")["losses"]) == 2


def test_run_stopped_before_its_first_step_has_no_adapter(order_run: Any) -> None:
    folder = order_run()
    folder.ask_to_stop()
    train_run(str(folder.path))
    assert folder.state().status == "stopped"
    assert not folder.has_adapter()


def test_run_keeps_the_last_finite_weights_when_the_loss_is_not_finite(
    order_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = order_run(learning_rate=0.01)
    step = Trainer._train_step

    def poisoned(self: Trainer, batch: Any, rate: float) -> float:
        if self.step == 4:
            with torch.no_grad():
                next(iter(self.weights.values())).fill_(float("nan"))
        return step(self, batch, rate)

    monkeypatch.setattr(Trainer, "_train_step", poisoned)
    train_run(str(folder.path))
    error = folder.state().error
    assert folder.state().status == "failed"
    assert "step 4" in str(error)
    assert "0.01" in str(error)
    assert all(torch.isfinite(tensor).all() for tensor in tensors(folder).values())
    assert any(tensor.abs().sum() for name, tensor in tensors(folder).items() if "lora_B" in name)


@pytest.mark.parametrize(
    ("cause", "expected_error"),
    [
        (MemoryError(), "out of memory"),
        (torch.OutOfMemoryError("CUDA"), "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), "out of memory"),
        (RuntimeError("shapes do not fit"), "written to the log"),
        (KeyError("secret path"), "written to the log"),
    ],
)
def test_run_tells_memory_from_other_failures_and_hides_the_traceback(
    order_run: Any, monkeypatch: pytest.MonkeyPatch, cause: Exception, expected_error: str
) -> None:
    def fail(*_: Any) -> None:
        raise cause

    monkeypatch.setattr(loop, "load_for_training", fail)
    folder = order_run()
    train_run(str(folder.path))
    assert folder.state().status == "failed"
    assert expected_error in str(folder.state().error)
    assert "secret" not in (folder.path / "state.json").read_text()


def test_real_model_learns_in_six_steps_and_plain_peft_gives_the_same_logits(
    real: ModelSpec, order_run: Any, make_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[PeftModel] = []
    publish = loop._Run._publish

    def keep(self: Any, trainer: Trainer, *rest: Any) -> None:
        trained.append(trainer.model)
        publish(self, trainer, *rest)

    monkeypatch.setattr(loop._Run, "_publish", keep)
    folder = order_run(make_rows(12), make_rows(2), spec=real, max_steps=6)
    train_run(str(folder.path))
    score = read_json(folder.adapter / "run.json")["scores"]["eval_loss"]
    assert score["adapted"] < score["base"]
    base = AutoModelForCausalLM.from_pretrained(real.source, dtype=torch.float32)
    plain = PeftModel.from_pretrained(base, str(folder.adapter)).eval()
    ids = torch.arange(100, 130)[None]
    with torch.no_grad():
        torch.testing.assert_close(plain(ids).logits, trained[0].eval()(ids).logits)


def test_publishing_leaves_nothing_half_written(
    order_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> str:
        raise OSError("disk")

    monkeypatch.setattr(loop, "card", fail)
    folder = order_run()
    train_run(str(folder.path))
    assert folder.state().status == "failed"
    assert not Path(folder.adapter).exists()
