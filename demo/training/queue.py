"""Runs of all visitors: one worker at a time, first come first served, everything read from folders.

Nothing about a run is kept in memory, so a restart of the lab goes on where it was. Does not train.
"""

import builtins
import logging
import shutil
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from demo.data.split import split
from demo.engine.service import Engine
from demo.errors import BadInput, Busy, RunFailed
from demo.records import AdapterInfo
from demo.run_records import DatasetInfo, Row, RunPlan, RunState, TrainSettings
from demo.settings import LabSettings
from demo.training import shelf
from demo.training.launch import Launcher
from demo.training.plan import Planner
from demo.training.readings import Readings
from demo.training.run_folder import UNFINISHED, RunFolder, StoredState, new_order
from demo.training.speeds import Speeds
from demo.workspace import Workspaces

TICK_SECONDS = 0.5
DOUBLE_CLICK_SECONDS = 3.0
LEAST_FREE_BYTES = 500_000_000
"""A run leaves about 20 MB; the rest keeps the lab itself alive."""
STEPS_TO_MEASURE = 5
"""The first steps of a process are slow; a shorter run says little about this machine."""

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unfinished:
    """A run that waits or runs, with the state it had when it was looked at."""

    queued: float
    run: RunFolder
    state: StoredState


class RunQueue:
    """Plans, queues, starts, stops and deletes runs."""

    def __init__(self, settings: LabSettings, workspaces: Workspaces, engine: Engine) -> None:
        self.settings = settings
        self.workspaces = workspaces
        self.engine = engine
        self.speeds = Speeds(settings.data / "speed.json")
        self.readings = Readings()
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

    def plan(self, rows: Sequence[Row], info: DatasetInfo, settings: TrainSettings) -> RunPlan:
        """What a run would do and cost. Raises `BadInput` for a run that cannot learn."""
        return self._planner().plan(rows, info.name, settings)

    def fitted(
        self, rows: Sequence[Row], info: DatasetInfo, settings: TrainSettings, dial: str
    ) -> TrainSettings:
        """The settings with as many epochs and steps as a position of the dial has time for."""
        return self._planner().fitted(rows, info.name, settings, dial)

    def _planner(self) -> Planner:
        return Planner(self.engine.tokenizer, self.engine.spec, self.speeds, self.readings)

    def start_run(
        self,
        folder: Path,
        name: str,
        info: DatasetInfo,
        rows: Sequence[Row],
        settings: TrainSettings,
        parent: str = "",
    ) -> str:
        """Queue a run; the second click of a double click finds the first one's run.

        Args:
            folder: the workspace.
            name: of the run.
            info: of the dataset.
            rows: all of its rows.
            settings: how it trains.
            parent: a run of this workspace with whose weights it begins; empty for the base model.

        Raises:
            BadInput: it cannot learn, or not begin with those weights.
            NotFound: no such parent.
            Busy: this visitor has enough runs under way, or the disk is full.
        """
        plan = self.plan(rows, info, settings)
        start = shelf.weights_to_start(folder, parent, settings) if parent else None
        order = new_order(
            name=name,
            parent=parent,
            dataset={
                key: getattr(info, key) for key in ("id", "name", "sha256", "source", "licence")
            },
            settings=settings,
            model=self.engine.spec.to_json(),
            fingerprint=asdict(self.engine.require_ready().fingerprint),
            threads=self.settings.threads,
            seconds=plan.seconds,
            peak_bytes=plan.peak_bytes,
            keeps=settings.method != "full" or self.settings.full_tuning,
        )
        with self._lock:
            own = [run.order() for run in shelf.runs_in(folder) if run.state().status in UNFINISHED]
            for other in own:
                if order.repeats(other, DOUBLE_CLICK_SECONDS):
                    return other.id
            self._require_place(folder, len(own))
            waiting = len(self._unfinished())
            if waiting >= self.settings.runs_waiting:
                raise Busy("runs_full", got=waiting)
            parts = split(rows, settings.eval_share, settings.seed, settings.rows)
            RunFolder.create(folder / "runs", order, *parts, start=start)
        self._wake.set()
        return order.id

    def resume(self, folder: Path, run: str) -> None:
        """Queue a run again that ended before its last step; it goes on where its checkpoint stands.

        Raises:
            BadInput: there is nothing to go on with.
            Busy: this visitor has enough runs under way, or the disk is full.
        """
        found = shelf.run_in(folder, run)
        with self._lock:
            if not shelf.is_resumable(found, found.state()):
                raise BadInput("not_resumable")
            others = [r for r in shelf.runs_in(folder) if r.state().status in UNFINISHED]
            self._require_place(folder, len(others))
            found.take_back_stop()
            again = {"queued": time.time(), "crashes": 0, "error_key": "", "error_values": {}}
            found.change_state(status="queued", **again)
        shutil.rmtree(shelf.exports(folder, self.settings.served) / run, ignore_errors=True)
        self._wake.set()

    def _require_place(self, folder: Path, own: int) -> None:
        if own >= self.settings.runs_per_workspace:
            raise Busy("runs_busy", got=own)
        if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
            raise Busy("disk_full")

    def state(self, folder: Path, run: str) -> RunState:
        """A run as its folder tells it now. Raises `NotFound`."""
        found = shelf.run_in(folder, run)
        return shelf.describe_run(found, self._ahead_of(found))

    def held_out_prompt(self, folder: Path, run: str) -> str:
        """The first question of a held-out row, or of a learned one where none was held out."""
        return shelf.held_out_prompt(folder, run)

    def list(self, folder: Path) -> list[RunState]:
        """Every run of a workspace, newest first."""
        states = [shelf.describe_run(run, self._ahead_of(run)) for run in shelf.runs_in(folder)]
        return sorted(states, key=lambda state: state.created, reverse=True)

    def stop(self, folder: Path, run: str) -> None:
        """Stop a run: at once while it waits, else after the step under way."""
        found = shelf.run_in(folder, run)
        with self._lock:
            if found.state().status == "queued":
                found.change_state(status="stopped")
            elif found.state().status == "running":
                found.ask_to_stop()

    def stop_all(self, folder: Path) -> None:
        """End every run of a workspace that is about to be deleted; nothing more is written there."""
        for run in shelf.runs_in(folder):
            self._end(run)
        shutil.rmtree(shelf.exports(folder, self.settings.served), ignore_errors=True)

    def delete(self, folder: Path, run: str) -> None:
        """End a run and delete its folder."""
        found = shelf.run_in(folder, run)
        self._end(found)
        shutil.rmtree(found.path, ignore_errors=True)
        shutil.rmtree(shelf.exports(folder, self.settings.served) / run, ignore_errors=True)

    def export(self, folder: Path, run: str) -> Path:
        """A zip of a run's adapter, where it is served."""
        return shelf.export(folder, run, self.settings.served)

    def tidy(self) -> None:
        """Delete what workspaces that are gone have left to download."""
        shelf.drop_orphans(self.workspaces.root, self.settings.served)

    def adapters(self, folder: Path) -> builtins.list[AdapterInfo]:
        """The adapters of a workspace's runs, newest first."""
        return shelf.adapters_in(folder, self.engine.fingerprint())

    def adapter_folder(self, folder: Path, run: str) -> Path:
        """Where a run's adapter lies. Raises `NotFound`, or `BadInput` while there is none."""
        return shelf.adapter_folder(folder, run)

    def _end(self, run: RunFolder) -> None:
        with self._lock:
            state = run.state()
            if state.status == "queued":
                run.change_state(status="stopped")
            elif state.status == "running":
                run.ask_to_stop()
                self.launcher.end(state)

    def rename(self, folder: Path, run: str, name: str) -> None:
        """Call a run that has ended, and its adapter, otherwise."""
        shelf.rename(folder, run, name, self.settings.served)

    def _ahead_of(self, run: RunFolder) -> shelf.Ahead:
        if run.state().status != "queued":
            return shelf.Ahead()
        queued = shelf.queued_at(run)
        return shelf.ahead(other.run for other in self._unfinished() if other.queued < queued)

    def _unfinished(self) -> builtins.list[Unfinished]:
        """Waiting and running runs of all workspaces, oldest first."""
        found = []
        for workspace in self.workspaces.all():
            for run in shelf.runs_in(workspace):
                with suppress(OSError, ValueError, TypeError):  # Deleted meanwhile, or damaged.
                    state = run.state()
                    if state.status in UNFINISHED:
                        found.append(Unfinished(shelf.queued_at(run), run, state))
        return sorted(found, key=lambda unfinished: unfinished.queued)

    def _manage(self) -> None:
        while not self._closing:
            try:
                self._tick()
            except Exception:  # One strange folder must not end everybody's training.
                LOG.exception("The queue of runs stumbled.")
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()

    def _tick(self) -> None:
        """Notice workers that ended; start the oldest waiting run if none is under way."""
        for run in self.launcher.collect():
            self._learn_speed(run)
        with self._lock:
            unfinished = self._unfinished()
            alive = [u for u in unfinished if u.state.status == "running" and self._is_alive(u)]
            waiting = [u for u in unfinished if u.state.status == "queued"]
            if waiting and not alive and not self._closing:
                self.launcher.start(waiting[0].run)

    def _is_alive(self, unfinished: Unfinished) -> bool:
        """Whether a running run has a worker; one that has lost it goes on once, then it is ended."""
        if self.launcher.is_alive(unfinished.state):
            return True
        run = unfinished.run
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
                self.speeds.learn(order.model["lineage"], speed, order.settings.method)
