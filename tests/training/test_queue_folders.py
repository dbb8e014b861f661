"""What the queue does to folders, without training: deleting, going on, and the second click."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from demo.errors import BadInput, Busy, NotFound
from demo.run_records import DatasetInfo, TrainSettings
from demo.settings import LabSettings
from demo.training import queue as queue_module
from demo.training.ordering import Ordered, Wanted
from demo.training.processes import began, is_alive
from demo.training.queue import RunQueue
from demo.training.run_folder import RunFolder, RunOrder, StoredState, new_order
from demo.workspace import Workspaces, write_json

INFO = DatasetInfo("d", "rows.csv", "0" * 64, "messages", (), "", "", 12, ())


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    """A queue whose manager is not started."""
    engine: Any = None
    workspaces = Workspaces(tmp_path / "workspaces", 300, 7)
    return RunQueue(LabSettings(home=tmp_path, runs_waiting=3), workspaces, engine)


@pytest.fixture
def mine(queue: RunQueue) -> Path:
    return queue.workspaces.open(queue.workspaces.create())


@pytest.fixture
def worker() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "600"])
    yield process.pid
    process.kill()
    process.wait()


def new(**values: Any) -> RunOrder:
    given = {"name": "a", "dataset": {"id": "d", "name": "rows.csv"}, "settings": TrainSettings()}
    return new_order(**given | {"model": {}, "fingerprint": {}} | values)


def folder(workspace: Path, state: StoredState, **values: Any) -> RunFolder:
    run = RunFolder.create(workspace / "runs", new(**values), [], [])
    run.write_state(state)
    return run


def trains(workspace: Path, pid: int) -> RunFolder:
    return folder(workspace, StoredState("running", pid=pid, pid_started=began(pid)))


def stopped(workspace: Path, **values: Any) -> RunFolder:
    """A run that may go on: it has a checkpoint."""
    run = folder(workspace, StoredState("stopped", spent=40.0), **values)
    run.checkpoint.mkdir()
    write_json(run.checkpoint / "progress.json", {})
    return run


def test_deleted_run_is_out_of_sight_before_its_files_go(
    queue: RunQueue, mine: Path, worker: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, seen = trains(mine, worker), []

    def remove(path: Path, **given: Any) -> None:
        if path.parent == run.path.parent:
            queue._tick()
            seen.append((path.name[0], RunFolder(path).state(), queue.register.all()))
        shutil.rmtree(path, **given)

    monkeypatch.setattr(queue_module, "shutil", SimpleNamespace(rmtree=remove))
    queue.delete(mine, run.path.name)
    assert not is_alive(worker, "")
    ((first, state, everybody),) = seen
    assert (first, state.status, state.crashes, everybody) == (".", "stopped", 0, [])
    assert list((mine / "runs").iterdir()) == []
    with pytest.raises(NotFound):
        queue.delete(mine, run.path.name)


def test_manager_leaves_the_runs_of_a_workspace_alone_that_is_about_to_go(
    queue: RunQueue, mine: Path, worker: int
) -> None:
    run, damaged = trains(mine, worker), folder(mine, StoredState())
    (damaged.path / "state.json").write_text("{")
    queue.stop_all(mine)
    (run.path / "stop").unlink()
    queue._tick()
    assert (run.state().status, run.state().crashes, run.state().error) == ("stopped", 0, None)


def test_run_goes_on_only_where_there_is_room_in_the_line(queue: RunQueue, mine: Path) -> None:
    run = stopped(mine)
    for _ in range(3):
        folder(queue.workspaces.open(queue.workspaces.create()), StoredState())
    with pytest.raises(Busy, match="3 runs of all visitors"):
        queue.resume(mine, run.path.name)
    assert run.state().status == "stopped"
    queue.settings = replace(queue.settings, runs_waiting=4)
    queue.resume(mine, run.path.name)
    assert (run.state().status, run.state().spent) == ("queued", 0.0)


def test_run_of_a_sweep_goes_on_beside_its_own_sweep_and_no_other(
    queue: RunQueue, mine: Path
) -> None:
    old, own = stopped(mine, sweep="old"), stopped(mine, sweep="own")
    folder(mine, StoredState(), sweep="own")
    with pytest.raises(Busy, match="a sweep under way"):
        queue.resume(mine, old.path.name)
    queue.resume(mine, own.path.name)
    assert own.state().status == "queued"


def test_taste_does_not_go_on_before_full_runs_again(queue: RunQueue, mine: Path) -> None:
    with pytest.raises(BadInput, match="cannot go on"):
        queue.resume(mine, stopped(mine, taste=True).path.name)


def test_crashed_run_forgets_the_budget_that_it_goes_on_without(
    queue: RunQueue, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = folder(mine, StoredState("running", pid=2**22 + 5, spent=40.0))
    monkeypatch.setattr(queue.launcher, "start", lambda _run: None)
    queue._tick()
    assert (run.state().status, run.state().crashes, run.state().spent) == ("queued", 1, 0.0)


def test_second_click_finds_a_first_one_that_took_long_to_plan(queue: RunQueue, mine: Path) -> None:
    now = time.time()

    def click(asked: float, created: float) -> str:
        planned: Any = SimpleNamespace(
            order=lambda _workspace, one: Ordered(
                replace(new(name=one.name), created=created), [], [], None
            )
        )
        wanted = Wanted("a", INFO, [], TrainSettings(), asked=asked)
        return queue.enqueue(mine, [wanted], planned)[0].id

    first = click(now, now + 20)
    assert click(now + 6, now + 30) == first
    assert click(now + 25, now + 40) != first
