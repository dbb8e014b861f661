import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo.errors import BadInput
from demo.run_records import RunEvent
from demo.training import shelf
from demo.training.loop import train_run
from demo.training.run_folder import StoredState
from demo.training.standing import Ahead, Standing, ahead, eta


def test_renamed_run_and_its_card_are_called_otherwise(
    order_run: Any, make_rows: Any, tmp_path: Path
) -> None:
    folder = order_run(make_rows(4), make_rows(2))
    with pytest.raises(BadInput):
        shelf.rename(tmp_path, folder.path.name, "late", tmp_path / "served")
    train_run(str(folder.path))
    shelf.rename(tmp_path, folder.path.name, "My *own* adapter", tmp_path / "served")
    assert folder.order().name == folder.record()["name"] == "My *own* adapter"
    assert "# My \\*own\\* adapter" in (folder.adapter / "README.md").read_text()


def test_run_tells_what_it_was_foretold_and_what_it_took(order_run: Any, make_rows: Any) -> None:
    folder = order_run(make_rows(4), make_rows(2))
    train_run(str(folder.path))
    run = shelf.describe_run(folder, Ahead())
    assert run.taken.seconds > 0
    assert run.taken.peak_bytes > 100_000_000
    assert run.taken.trainable > 0
    assert set(run.scores) == {"eval_loss"}


def test_waiting_run_is_told_when_it_begins(order_run: Any, make_rows: Any) -> None:
    folder = order_run(make_rows(4), make_rows(2))
    one = Standing(folder, folder.order(), folder.state(), 0.0)
    before = ahead([one, one])
    assert before == (2, 2 * folder.order().seconds)
    run = shelf.describe_run(folder, before)
    assert (run.waiting, run.eta_seconds) == (2, before.seconds)


def test_those_ahead_are_counted_though_one_was_deleted_since(
    order_run: Any, make_rows: Any
) -> None:
    folder = order_run(make_rows(4), make_rows(2))
    waits = Standing(folder, folder.order(), folder.state(), 0.0)
    trains = replace(waits, state=StoredState(status="running"))
    shutil.rmtree(folder.path)
    assert ahead([trains, waits]).runs == 2


def test_what_is_left_of_a_run_ends_with_its_budget(order_run: Any) -> None:
    order, trains = order_run().order(), StoredState(status="running", steps=100)
    events = (RunEvent(10, 20.0, train_loss=1.0),)
    assert eta(order, trains, events, Ahead()) == 180
    assert eta(replace(order, lasts=30.0), trains, events, Ahead()) == 10
    assert eta(replace(order, lasts=10.0), trains, events, Ahead()) == 1
