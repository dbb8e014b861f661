"""What all run folders say: read once, and again when something in them has changed."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from demo.errors import NotFound
from demo.run_records import RunEvent, RunState, TrainSettings
from demo.training import shelf
from demo.training.register import Register
from demo.training.run_folder import RunFolder, new_order
from demo.training.standing import Ahead
from demo.workspace import Workspaces, write_json

DATASET = {"id": "d", "name": "rows.csv", "sha256": "0" * 64}


@pytest.fixture
def workspaces(tmp_path: Path) -> Workspaces:
    return Workspaces(tmp_path / "workspaces", 300, 7)


def make_run(workspace: Path, name: str = "a", status: str = "finished") -> RunFolder:
    order = new_order(
        name=name, dataset=DATASET, settings=TrainSettings(), model={}, fingerprint={}
    )
    run = RunFolder.create(workspace / "runs", order, [], [])
    run.append_event(RunEvent(1, 1.0, train_loss=2.0))
    run.change_state(status=status, steps=1)
    return run


def test_a_run_that_has_ended_is_read_once(
    workspaces: Workspaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = workspaces.open(workspaces.create())
    make_run(mine)
    register = Register(workspaces)
    before = register.states(mine), register.all()
    for reader in ("order", "state", "events", "record"):
        monkeypatch.delattr(RunFolder, reader)
    assert (register.states(mine), register.all()) == before


def test_a_new_name_and_a_new_try_are_seen_at_once(workspaces: Workspaces, tmp_path: Path) -> None:
    mine = workspaces.open(workspaces.create())
    run = make_run(mine, status="stopped")
    register = Register(workspaces)
    assert [state.name for state in register.states(mine)] == ["a"]
    shelf.rename(mine, run.path.name, "b", tmp_path)
    assert [state.name for state in register.states(mine)] == ["b"]
    run.change_state(status="queued")
    assert [one.unfinished for one in register.of(mine)] == [True]
    assert register.state(mine, run.path.name).status == "queued"


def test_a_run_that_trains_is_read_again_with_every_look(workspaces: Workspaces) -> None:
    mine = workspaces.open(workspaces.create())
    run = make_run(mine, status="running")
    register = Register(workspaces)
    assert register.states(mine)[0].step == 1
    run.append_event(RunEvent(2, 2.0, train_loss=1.0))
    assert register.states(mine)[0].step == 2


@pytest.mark.parametrize(
    "odd", [{"settings": {"rank": 65}}, {"settings": {"method": 7}, "new": 1}, {"name": "a"}]
)
def test_folder_of_another_version_of_the_lab_is_passed_over(
    workspaces: Workspaces, odd: dict[str, Any]
) -> None:
    mine = workspaces.open(workspaces.create())
    kept, other = make_run(mine), make_run(mine)
    stored = asdict(other.order())
    write_json(other.path / "settings.json", odd if "name" in odd else stored | odd)
    register = Register(workspaces)
    assert [one.run.path for one in register.all()] == [kept.path]
    assert [state.id for state in register.states(mine)] == [kept.path.name]
    for run in (kept, other):
        run.adapter.mkdir()
    assert [adapter.name for adapter in shelf.adapters_in(mine, None)] == [kept.path.name]


def test_run_that_is_deleted_while_it_is_read_is_not_found(
    workspaces: Workspaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = workspaces.open(workspaces.create())
    kept, gone = make_run(mine), make_run(mine, status="queued")
    register, describe = Register(workspaces), shelf.describe_run

    def late(run: RunFolder, before: Ahead) -> RunState:
        shutil.rmtree(gone.path, ignore_errors=True)
        return describe(run, before)

    with monkeypatch.context() as patched:
        patched.setattr(shelf, "describe_run", late)
        assert [state.id for state in register.states(mine)] == [kept.path.name]
    again = make_run(mine, status="queued")
    monkeypatch.setattr(RunFolder, "events", lambda run: (run.path / "gone").read_text())
    with pytest.raises(NotFound):
        register.state(mine, again.path.name)


def test_damaged_and_deleted_folders_are_passed_over(workspaces: Workspaces) -> None:
    mine = workspaces.open(workspaces.create())
    kept, damaged = make_run(mine), make_run(mine, "damaged")
    register = Register(workspaces)
    assert len(register.all()) == 2
    (damaged.path / "state.json").write_text("{")
    assert [one.run.path for one in register.all()] == [kept.path]
    workspaces.root.rename(workspaces.root.with_name("gone"))
    assert register.all() == []
