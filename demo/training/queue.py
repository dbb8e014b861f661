"""Runs of all visitors: one worker at a time, who is next is read from the folders.

Nothing about a run is kept in memory alone, so a restart of the lab goes on where it was. Does not
train, and does not decide whose turn it is.
"""

import logging
import shutil
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from demo.engine.service import Engine
from demo.errors import BadInput, RunFailed
from demo.run_records import DatasetInfo, Row, TrainSettings
from demo.settings import LabSettings
from demo.training import shelf
from demo.training.launch import Launcher
from demo.training.ordering import Ordered, Ordering, Wanted
from demo.training.places import require_one_sweep, require_place, require_room_in_line
from demo.training.register import Register, Standing, waiting_in_turn
from demo.training.run_folder import RunFolder, RunOrder
from demo.workspace import Workspaces

TICK_SECONDS = 0.5
DOUBLE_CLICK_SECONDS = 3.0
STEPS_TO_MEASURE = 5
"""The first steps of a process are slow; a shorter run says little about this machine."""

LOG = logging.getLogger(__name__)


class RunQueue:
    """Queues, starts, stops and deletes runs."""

    def __init__(self, settings: LabSettings, workspaces: Workspaces, engine: Engine) -> None:
        self.settings = settings
        self.workspaces = workspaces
        self.ordering = Ordering(settings, engine)
        self.register = Register(workspaces)
        self.launcher = Launcher(settings.threads)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._manager = threading.Thread(target=self._manage, name="runs", daemon=True)

    def start(self) -> None:
        """Take up the queue in the background."""
        self._manager.start()

    def close(self) -> None:
        """Start no more runs; a worker process goes on and is found again."""
        self._closing = True
        self._wake.set()
        if self._manager.is_alive():
            self._manager.join()

    def start_run(
        self,
        workspace: Path,
        name: str,
        info: DatasetInfo,
        rows: Sequence[Row],
        settings: TrainSettings,
        parent: str = "",
    ) -> str:
        """Queue a run; returns its id. Raises as `enqueue` does."""
        (order,) = self.enqueue(workspace, [Wanted(name, info, rows, settings, parent)])
        return order.id

    def enqueue(self, workspace: Path, wanted: Sequence[Wanted]) -> list[RunOrder]:
        """Queue runs, all or none; the second click of a double click finds what the first one queued.

        Raises:
            BadInput: one of them cannot learn, or not begin with its parent's weights.
            NotFound: no such parent.
            Busy: this visitor has enough runs under way, too many wait, or the disk is full.
        """
        ordered = [self.ordering.order(workspace, one) for one in wanted]
        with self._lock:
            own = [one.order for one in self.register.of(workspace) if one.unfinished]
            if before := _queued_before(ordered[0].order, own):
                return before
            orders = [one.order for one in ordered]
            require_one_sweep(own, orders)
            require_place(workspace, own, orders, self.settings)
            unfinished = sum(one.unfinished for one in self.register.all())
            require_room_in_line(unfinished, len(ordered), self.settings)
            _create(workspace / "runs", ordered)
        self._wake.set()
        return orders

    def resume(self, workspace: Path, run: str) -> None:
        """Queue a run again that ended before its last step; it goes on where its checkpoint stands.

        Raises:
            BadInput: there is nothing to go on with.
            Busy: this visitor has enough runs under way, or the disk is full.
        """
        found = shelf.run_in(workspace, run)
        with self._lock:
            if not shelf.is_resumable(found, found.state()):
                raise BadInput("not_resumable")
            own = [one.order for one in self.register.of(workspace) if one.unfinished]
            require_place(workspace, own, [found.order()], self.settings)
            found.take_back_stop()
            again = {"queued": time.time(), "crashes": 0, "error_key": "", "error_values": {}}
            found.change_state(status="queued", **again)
        shelf.drop_export(workspace, run, self.settings.served)
        self._wake.set()

    def stop(self, workspace: Path, run: str) -> None:
        """Stop a run: at once while it waits, else after the step under way."""
        found = shelf.run_in(workspace, run)
        with self._lock:
            if found.state().status == "queued":
                found.change_state(status="stopped")
            elif found.state().status == "running":
                found.ask_to_stop()

    def stop_all(self, workspace: Path) -> None:
        """End every run of a workspace that is about to be deleted; nothing more is written there."""
        for run in shelf.runs_in(workspace):
            self._end(run)
        shutil.rmtree(shelf.exports(workspace, self.settings.served), ignore_errors=True)

    def delete(self, workspace: Path, run: str) -> None:
        """End a run and delete its folder."""
        found = shelf.run_in(workspace, run)
        self._end(found)
        shutil.rmtree(found.path, ignore_errors=True)
        shelf.drop_export(workspace, run, self.settings.served)

    def _end(self, run: RunFolder) -> None:
        with self._lock:
            state = run.state()
            if state.status == "queued":
                run.change_state(status="stopped")
            elif state.status == "running":
                run.ask_to_stop()
                self.launcher.end(state)

    def _manage(self) -> None:
        while not self._closing:
            try:
                self._tick()
            except Exception:  # One strange folder must not end everybody's training.
                LOG.exception("The queue of runs stumbled.")
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()

    def _tick(self) -> None:
        """Notice workers that ended; start the run whose turn it is if none is under way."""
        for run in self.launcher.collect():
            self._learn_speed(run)
        with self._lock:
            everybody = self.register.all()
            trains = [one for one in everybody if one.state.status == "running"]
            alive = [one for one in trains if self._is_alive(one)]
            waiting = waiting_in_turn(everybody)
            if waiting and not alive and not self._closing:
                self.launcher.start(waiting[0].run)

    def _is_alive(self, standing: Standing) -> bool:
        """Whether a running run has a worker; one that has lost it goes on once, then it is ended."""
        if self.launcher.is_alive(standing.state):
            return True
        run = standing.run
        state = run.state()
        if state.status != "running":  # It may have finished between the two looks.
            return False
        if not state.crashes and not run.asked_to_stop():
            LOG.warning("The worker of run %s died; it is started once more.", run.path.name)
            run.change_state(status="queued", crashes=1)
            return False
        events = run.events()
        run.fail(RunFailed("worker_died", step=events[-1].step if events else 0))
        return False

    def _learn_speed(self, run: RunFolder) -> None:
        with suppress(OSError, ValueError):
            record, order = run.record(), run.order()
            if len(record.get("losses", ())) >= STEPS_TO_MEASURE:
                speed = record["tokens_per_second"]
                self.ordering.speeds.learn(order.model["lineage"], speed, order.settings.method)


def _queued_before(order: RunOrder, own: Sequence[RunOrder]) -> list[RunOrder]:
    """What the first click of a double click queued: a run, or all runs of its sweep."""
    for other in own:
        if order.repeats(other, DOUBLE_CLICK_SECONDS):
            return [one for one in own if (one.sweep or one.id) == (other.sweep or other.id)]
    return []


def _create(runs: Path, ordered: Sequence[Ordered]) -> None:
    """Write the folders of all runs; where one cannot be written, none stays."""
    made: list[RunFolder] = []
    try:
        for one in ordered:
            made.append(one.create(runs))
    except BaseException:
        for run in made:
            shutil.rmtree(run.path, ignore_errors=True)
        raise
