"""A run's CPU seconds are counted, carried through a checkpoint, and end it at its budget."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from demo.engine.model.adapters import describe
from demo.host import Host, for_training
from demo.training.budget import Meter, is_spent, lasts, of_seconds, within
from demo.training.loop import train_run
from demo.training.run_folder import RunFolder
from demo.training.shelf import describe_run
from demo.training.standing import Ahead
from demo.training.trainer import Trainer
from demo.workspace import read_json, write_json


def give(folder: RunFolder, budget: float) -> None:
    order = replace(folder.order(), cpu_budget=budget)
    write_json(folder.path / "settings.json", asdict(order))


def test_run_with_a_tiny_budget_ends_after_a_step_keeps_its_adapter_and_says_why(
    order_run: Any, make_rows: Any
) -> None:
    folder = order_run(make_rows(20), make_rows(4))
    give(folder, 0.001)
    train_run(str(folder.path))
    state = describe_run(folder, Ahead())
    assert (state.status, state.step, state.spent) == ("finished", 1, 0.001)
    assert state.has_adapter
    assert not state.resumable
    assert state.error is None
    record = folder.record()
    assert record["cpu_seconds"] >= record["cpu_budget"] == 0.001
    assert state.taken.cpu_seconds == record["cpu_seconds"]
    assert (
        "It ended at its budget of 0.001 CPU seconds" in (folder.adapter / "README.md").read_text()
    )
    assert not describe(folder.adapter, "a", "own", None).problem


def test_run_within_its_budget_reaches_its_last_step(order_run: Any) -> None:
    folder = order_run()
    give(folder, 3600)
    train_run(str(folder.path))
    state = describe_run(folder, Ahead())
    assert (state.status, state.step, state.spent) == ("finished", state.steps, 0)
    assert "budget" not in (folder.adapter / "README.md").read_text()


def test_run_that_goes_on_counts_on_where_its_checkpoint_stood(
    order_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = order_run()
    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "asked_to_stop", lambda run: len(run.events()) > 2)
        train_run(str(folder.path))
    assert folder.state().status == "stopped"
    stored = read_json(folder.checkpoint / "progress.json")
    assert stored["cpu_seconds"] > 0
    write_json(folder.checkpoint / "progress.json", {**stored, "cpu_seconds": 500.0})
    give(folder, 500.0)
    train_run(str(folder.path))
    state = describe_run(folder, Ahead())
    assert (state.status, state.step, state.spent) == ("finished", stored["step"] + 1, 500.0)
    assert state.taken.cpu_seconds > 500


def test_checkpoint_from_before_cpu_seconds_were_counted_is_still_taken_up(
    order_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = order_run()
    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "asked_to_stop", lambda run: len(run.events()) > 2)
        train_run(str(folder.path))
    path: Path = folder.checkpoint / "progress.json"
    stored = read_json(path)
    del stored["cpu_seconds"]
    write_json(path, stored)
    begun: list[int] = []
    monkeypatch.setattr(Trainer, "_interval", lambda trainer: begun.append(trainer.step) or 1)
    train_run(str(folder.path))
    assert folder.state().status == "finished"
    assert begun == [stored["step"]]


def test_smaller_budget_counts_and_none_is_no_budget() -> None:
    assert within(3600, 40) == 40
    assert within(3600) == 3600
    assert within(0, 40) == 40
    assert within(0) == 0
    assert not is_spent(0, 1e9)
    assert is_spent(40, 40.0)
    assert not is_spent(40, 39.9)


def test_budget_of_seconds_counts_every_core_but_a_gpu_once() -> None:
    cpu = Host("cpu", "cpu", "2 CPU cores", 2, bf16=False)
    assert of_seconds(20, cpu) == 40
    assert lasts(40, cpu) == 20
    lent = for_training(replace(cpu, kind="zerogpu"))
    for gpu in (replace(cpu, kind="cuda", device="cuda"), lent):
        assert of_seconds(20, gpu) == lasts(20, gpu) == 20


def test_processor_time_is_counted_where_it_trains_and_the_clock_beside_a_gpu() -> None:
    meter, clock = Meter("cpu"), Meter("cuda:0")
    assert sum(range(300_000))
    assert meter.read() > 0
    assert clock.read() > 0
