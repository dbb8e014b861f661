"""The queue over real folders and real worker processes, with the tiny model."""

import os
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from demo.engine.model.catalogue import Fingerprint, ModelSpec
from demo.engine.model.load import fingerprint
from demo.errors import BadInput, Busy, NotFound
from demo.run_records import DatasetInfo, Row, TrainSettings
from demo.settings import LabSettings
from demo.text.tokenizer import LabTokenizer
from demo.training import shelf
from demo.training.processes import began, is_alive
from demo.training.queue import RunQueue
from demo.training.run_folder import RunFolder
from demo.workspace import Workspaces

INFO = DatasetInfo("d", "rows.csv", "0" * 64, "messages", (), "", "", 12, ())
SHORT = TrainSettings(rank=2, batch_size=2, eval_share=0.0)
LONG = TrainSettings(rank=2, batch_size=1, epochs=20, eval_share=0.0)


@dataclass(frozen=True)
class Ready:
    """What the queue asks of an engine whose model is loaded."""

    spec: ModelSpec
    tokenizer: LabTokenizer
    mark: Fingerprint

    def fingerprint(self) -> Fingerprint:
        return self.mark

    def require_ready(self) -> Any:
        @dataclass(frozen=True)
        class Base:
            fingerprint: Fingerprint

        return Base(self.mark)


@pytest.fixture
def new_queue(
    tiny: ModelSpec, tokenizer: LabTokenizer, tmp_path: Path
) -> Iterator[Callable[[], RunQueue]]:
    """Makes queues over the same folders, as restarts of the lab would; workers end with the test."""
    engine: Any = Ready(tiny, tokenizer, fingerprint(tiny, tokenizer))
    settings = LabSettings(home=tmp_path, threads=1)
    queues = []

    def make() -> RunQueue:
        queues.append(RunQueue(settings, Workspaces(settings.data / "workspaces", 300, 7), engine))
        return queues[-1]

    yield make
    for queue in queues:
        queue.close()
        for workspace in queue.workspaces.all():
            queue.stop_all(workspace)


@pytest.fixture
def rows(make_rows: Any) -> list[Row]:
    return list(make_rows(12))


@pytest.fixture
def many_rows(make_rows: Any) -> list[Row]:
    """Enough that no machine finishes a `LONG` run of them before it is stopped."""
    return list(make_rows(400))


def workspace_of(queue: RunQueue) -> Path:
    return queue.workspaces.open(queue.workspaces.create())


def wait_for(what: Callable[[], Any], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_runs_of_all_workspaces_train_one_after_the_other_in_the_order_they_came(
    new_queue: Any, rows: list[Row]
) -> None:
    queue = new_queue()
    first, second = workspace_of(queue), workspace_of(queue)
    ordered = [
        (workspace, queue.start_run(workspace, name, INFO, rows, SHORT))
        for workspace, name in ((first, "a"), (second, "b"), (first, "c"))
    ]
    assert [queue.register.state(*run).waiting for run in ordered] == [0, 1, 2]
    queue.start()
    wait_for(lambda: all(queue.register.state(*run).status == "finished" for run in ordered))
    begun = [RunFolder(w / "runs" / run).state().begun for w, run in ordered]
    assert begun == sorted(begun)
    assert [state.name for state in queue.register.states(first)] == ["c", "a"]
    wait_for(lambda: queue.ordering.speeds.path.exists())


def test_restarted_lab_finds_a_live_worker_and_goes_on_with_waiting_runs(
    new_queue: Any, rows: list[Row], many_rows: list[Row]
) -> None:
    queue = new_queue()
    workspace = workspace_of(queue)
    running = queue.start_run(workspace, "running", INFO, many_rows, LONG)
    waiting = queue.start_run(workspace, "waiting", INFO, rows, SHORT)
    queue.start()
    wait_for(lambda: queue.register.state(workspace, running).step > 0)
    pid = RunFolder(workspace / "runs" / running).state().pid
    queue.close()
    again = new_queue()
    again.start()
    time.sleep(1.5)
    assert RunFolder(workspace / "runs" / running).state().pid == pid
    assert again.register.state(workspace, waiting).status == "queued"
    again.stop(workspace, running)
    wait_for(lambda: again.register.state(workspace, running).status == "stopped")
    assert again.register.state(workspace, running).has_adapter
    wait_for(lambda: again.register.state(workspace, waiting).status == "finished")


def kill_worker_of(queue: RunQueue, workspace: Path, run: str) -> None:
    """Once it has taken a few steps, the worker is gone without a word."""
    wait_for(lambda: queue.register.state(workspace, run).step > 1)
    os.kill(RunFolder(workspace / "runs" / run).state().pid, signal.SIGKILL)


def test_run_whose_worker_was_killed_goes_on_once_and_then_fails_with_its_last_step(
    new_queue: Any, rows: list[Row], many_rows: list[Row]
) -> None:
    queue = new_queue()
    workspace = workspace_of(queue)
    killed = queue.start_run(workspace, "killed", INFO, many_rows, LONG)
    following = queue.start_run(workspace, "next", INFO, rows, SHORT)
    queue.start()
    kill_worker_of(queue, workspace, killed)
    folder = RunFolder(workspace / "runs" / killed)
    wait_for(lambda: folder.state().crashes == 1 and folder.state().status == "running")
    wait_for(lambda: "events" if folder.state().pid and folder.events() else "")
    kill_worker_of(queue, workspace, killed)
    wait_for(lambda: queue.register.state(workspace, killed).status == "failed")
    state = queue.register.state(workspace, killed)
    assert f"at step {state.step}" in str(state.error)
    assert not state.has_adapter
    wait_for(lambda: queue.register.state(workspace, following).status == "finished")


def test_stopped_run_goes_on_to_its_end_when_asked_and_a_finished_one_does_not(
    new_queue: Any, rows: list[Row]
) -> None:
    queue = new_queue()
    workspace = workspace_of(queue)
    run = queue.start_run(workspace, "a", INFO, rows * 5, SHORT)
    folder = RunFolder(workspace / "runs" / run)
    queue.start()
    wait_for(lambda: queue.register.state(workspace, run).step > 1)
    queue.stop(workspace, run)
    wait_for(lambda: queue.register.state(workspace, run).status == "stopped")
    assert queue.register.state(workspace, run).resumable
    learned = queue.register.state(workspace, run).step
    queue.resume(workspace, run)
    wait_for(lambda: queue.register.state(workspace, run).status == "finished")
    state = queue.register.state(workspace, run)
    steps = [event.step for event in state.events if event.train_loss is not None]
    assert learned < state.steps
    assert steps == list(range(1, state.steps + 1))
    assert folder.state().crashes == 0
    with pytest.raises(BadInput, match="cannot go on"):
        queue.resume(workspace, run)


def test_run_begins_with_the_weights_of_another_of_the_same_method_and_size(
    new_queue: Any, rows: list[Row]
) -> None:
    queue = new_queue()
    workspace = workspace_of(queue)
    first = queue.start_run(workspace, "first", INFO, rows, SHORT)
    with pytest.raises(BadInput, match="no adapter yet"):
        queue.start_run(workspace, "second", INFO, rows, LONG, first)
    queue.start()
    wait_for(lambda: queue.register.state(workspace, first).status == "finished")
    other = TrainSettings(rank=4, batch_size=2, eval_share=0.0)
    with pytest.raises(BadInput, match="another method or size"):
        queue.start_run(workspace, "second", INFO, rows, other, first)
    second = queue.start_run(workspace, "second", INFO, rows, SHORT, first)
    wait_for(lambda: queue.register.state(workspace, second).status == "finished")
    ends, begins = queue.register.state(workspace, first), queue.register.state(workspace, second)
    assert begins.events[1].train_loss < ends.events[1].train_loss


def test_deleting_a_running_run_ends_its_worker_and_removes_its_folder(
    new_queue: Any, many_rows: list[Row]
) -> None:
    queue = new_queue()
    workspace = workspace_of(queue)
    run = queue.start_run(workspace, "gone", INFO, many_rows, LONG)
    queue.start()
    wait_for(lambda: queue.register.state(workspace, run).status == "running")
    pid = RunFolder(workspace / "runs" / run).state().pid
    queue.delete(workspace, run)
    assert not is_alive(pid, began(pid))
    assert queue.register.states(workspace) == []


def test_second_click_finds_the_first_run(new_queue: Any, rows: list[Row]) -> None:
    queue = new_queue()
    workspace = workspace_of(queue)
    run = queue.start_run(workspace, "a", INFO, rows, SHORT)
    assert queue.start_run(workspace, "a", INFO, rows, SHORT) == run
    assert queue.start_run(workspace, "a", INFO, rows, LONG) != run
    with pytest.raises(Busy, match="2 runs"):
        queue.start_run(workspace, "b", INFO, rows, SHORT)


def test_waiting_run_stops_at_once(new_queue: Any, rows: list[Row]) -> None:
    queue = new_queue()
    workspace = workspace_of(queue)
    run = queue.start_run(workspace, "a", INFO, rows, SHORT)
    queue.stop(workspace, run)
    assert queue.register.state(workspace, run).status == "stopped"
    with pytest.raises(BadInput, match="no adapter yet"):
        shelf.adapter_folder(workspace, run)


@pytest.mark.parametrize("action", ["register.state", "stop", "resume", "delete"])
def test_run_of_another_workspace_is_not_found(
    new_queue: Any, rows: list[Row], action: str
) -> None:
    queue = new_queue()
    run = queue.start_run(workspace_of(queue), "a", INFO, rows, SHORT)
    stranger = workspace_of(queue)
    for name in (run, "../" + run, "", None, "0" * 16):
        with pytest.raises(NotFound):
            attrgetter(action)(queue)(stranger, name)
        with pytest.raises(NotFound):
            shelf.adapter_folder(stranger, name)
    assert queue.register.states(stranger) == []


def test_finished_adapter_is_listed_and_exported_under_the_runs_name(
    new_queue: Any, rows: list[Row]
) -> None:
    queue = new_queue()
    workspace = workspace_of(queue)
    run = queue.start_run(workspace, "Első próba / 1", INFO, rows, SHORT)
    queue.start()
    wait_for(lambda: queue.register.state(workspace, run).status == "finished")
    (info,) = shelf.adapters_in(workspace, queue.ordering.engine.fingerprint())
    assert (info.name, info.title, info.source, info.problem) == (run, "Első próba / 1", "own", "")
    assert "LoRA r=2 · 12 rows" in info.detail
    path = shelf.export(workspace, run, queue.settings.served)
    assert path.name == "elso-proba-1.zip"
    names = set(zipfile.ZipFile(path).namelist())
    files = ("adapter_config.json", "adapter_model.safetensors", "README.md", "run.json")
    assert names == {f"elso-proba-1/{file}" for file in files}


def test_recycled_process_number_is_not_taken_for_the_worker() -> None:
    assert is_alive(os.getpid(), began(os.getpid()))
    assert not is_alive(os.getpid(), "1")
    assert not is_alive(0, "")
    assert not is_alive(2**22 + 5, "")
