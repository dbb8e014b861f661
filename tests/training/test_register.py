"""What all run folders say: read once, and again when something in them has changed."""

from pathlib import Path

import pytest

from demo.run_records import RunEvent, TrainSettings
from demo.training import shelf
from demo.training.register import Register
from demo.training.run_folder import RunFolder, new_order
from demo.workspace import Workspaces

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


def test_damaged_and_deleted_folders_are_passed_over(workspaces: Workspaces) -> None:
    mine = workspaces.open(workspaces.create())
    kept, damaged = make_run(mine), make_run(mine, "damaged")
    register = Register(workspaces)
    assert len(register.all()) == 2
    (damaged.path / "state.json").write_text("{")
    assert [one.run.path for one in register.all()] == [kept.path]
    workspaces.root.rename(workspaces.root.with_name("gone"))
    assert register.all() == []
