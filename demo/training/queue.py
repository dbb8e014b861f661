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
from demo.training.register import Register
from demo.training.run_folder import UNFINISHED, RunFolder, RunOrder
from demo.training.standing import UNREADABLE, Standing
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

    def enqueue(
        self, workspace: Path, wanted: Sequence[Wanted], ordering: Ordering | None = None
    ) -> list[RunOrder]:
        """Queue runs, all or none; the second click of a double click finds what the first one queued.

        Args:
            workspace: whose they are.
            wanted: the runs.
            ordering: that has planned them already, so that it has read the rows.

        Raises:
            BadInput: one of them cannot learn, or not begin with its parent's weights.
            NotFound: no such parent.
            Busy: this visitor has enough runs under way, too many wait, or the disk is full.
        """
        ordered = [(ordering or self.ordering).order(workspace, one) for one in wanted]
        orders = [one.order for one in ordered]
        with self._lock:
            own = self._under_way(workspace)
            # The first click may have been planned, and so queued, while the second one was made.
            if before := _queued_before(orders[0], own, wanted[0].asked - DOUBLE_CLICK_SECONDS):
                return before
            self._require_room(workspace, own, orders)
            _create(workspace / "runs", ordered)
        self._wake.set()
        return orders

    def resume(self, workspace: Path, run: str) -> None:
        """Queue a run again that ended before its last step; it goes on where its checkpoint stands.

        Raises:
            BadInput: there is nothing to go on with.
            NotFound: no such run.
            Busy: this visitor has enough runs under way, too many wait, or the disk is full.
        """
        with self._lock:
            found = shelf.run_in(workspace, run)
            order = found.order()
            if not shelf.is_resumable(found, order, found.state()):
                raise BadInput("not_resumable")
            self._require_room(workspace, self._under_way(workspace), [order])
            found.take_back_stop()
            again = {"queued": time.time(), "crashes": 0, "error_key": "", "error_values": {}}
            found.change_state(status="queued", spent=0.0, **again)
        shelf.drop_export(workspace, run, self.settings.served)
        self._wake.set()

    def stop(self, workspace: Path, run: str) -> None:
        """Stop a run: at once while it waits, else after the step under way."""
        with self._lock:
            found = shelf.run_in(workspace, run)
            if found.state().status == "queued":
                found.change_state(status="stopped")
            elif found.state().status == "running":
                found.ask_to_stop()

    def stop_all(self, workspace: Path) -> None:
        """End every run of a workspace that is about to be deleted; nothing more is written there."""
        for run in shelf.runs_in(workspace):
            with self._lock, suppress(*UNREADABLE):  # Nothing would start such a run either.
                self._end(run)
        shutil.rmtree(shelf.exports(workspace, self.settings.served), ignore_errors=True)

    def delete(self, workspace: Path, run: str) -> None:
        """End a run and delete its folder."""
        with self._lock:
            found = shelf.run_in(workspace, run)
            self._end(found)
            # Out of sight at once: nobody reads half a folder, and a late writer finds none.
            gone = found.path.rename(found.path.with_name(f".gone-{run}"))
        shutil.rmtree(gone, ignore_errors=True)
        shelf.drop_export(workspace, run, self.settings.served)

    def _under_way(self, workspace: Path) -> list[RunOrder]:
        return [one.order for one in self.register.of(workspace) if one.unfinished]

    def _require_room(
        self, workspace: Path, own: Sequence[RunOrder], more: Sequence[RunOrder]
    ) -> None:
        """Refuse runs beside this visitor's own, or beyond what may wait of all. Raises `Busy`."""
        require_one_sweep(own, more)
        require_place(workspace, own, more, self.settings)
        line = [one.order for one in self.register.all() if one.unfinished]
        require_room_in_line(line, more, self.settings)

    def _end(self, run: RunFolder) -> None:
        """End a run whose folder is about to go; whoever calls holds the lock."""
        state = run.state()
        if state.status == "running":
            run.ask_to_stop()
            self.launcher.end(state)
        if state.status in UNFINISHED:  # Else the manager would take it up, or for dead.
            run.change_state(status="stopped")

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
            waiting = self.register.line.waiting(everybody)
            if waiting and not alive and not self._closing:
                self.launcher.start(waiting[0].run)
                self.register.line.started(waiting[0], everybody)

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
            run.change_state(status="queued", crashes=1, spent=0.0)
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


def _queued_before(order: RunOrder, own: Sequence[RunOrder], since: float) -> list[RunOrder]:
    """What the first click of a double click queued: a run, or all runs of its sweep."""
    for other in own:
        if order.repeats(other, since):
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
