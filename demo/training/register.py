"""The run folders of all workspaces, each read again only once its files have changed.

Starts and stops nothing; a lab that was restarted reads every folder once.
"""

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from demo.errors import NotFound
from demo.run_records import RunState
from demo.training import shelf
from demo.training.line import Line
from demo.training.run_folder import UNFINISHED, RunFolder
from demo.training.standing import UNREADABLE, Ahead, Standing, ahead
from demo.workspace import Workspaces

MOST_DESCRIBED = 1_000
"""Ended runs whose measurements are remembered, at most about 50 kB each."""
SETTLED = ("settings.json", "state.json", "adapter", "outcome", "checkpoint")
"""What still changes in the folder of a run that has ended: a new name, a new try."""

Mark = tuple[int, ...]


class Register:
    """What all run folders say, remembered by path and time of writing."""

    def __init__(self, workspaces: Workspaces) -> None:
        self.workspaces = workspaces
        self.line = Line()
        self._standings: dict[Path, tuple[Mark, Standing]] = {}
        self._described: dict[Path, tuple[Mark, RunState]] = {}
        self._lock = threading.Lock()

    def of(self, workspace: Path) -> list[Standing]:
        """Every readable run of a workspace, in no order."""
        with self._lock:
            return self._read(shelf.runs_in(workspace))

    def all(self) -> list[Standing]:
        """Every readable run of every workspace, in no order; those that are gone are forgotten."""
        runs = [run for workspace in self.workspaces.all() for run in shelf.runs_in(workspace)]
        paths = {run.path for run in runs}
        with self._lock:
            self._standings = {p: s for p, s in self._standings.items() if p in paths}
            self._described = {p: s for p, s in self._described.items() if p in paths}
            return self._read(runs)

    def state(self, workspace: Path, run: str) -> RunState:
        """A run as its folder tells it now. Raises `NotFound`."""
        found = shelf.run_in(workspace, run)
        try:
            waits = found.state().status == "queued"
            return self._describe(found, self._line() if waits else [])
        except FileNotFoundError:  # Deleted since.
            raise NotFound from None

    def states(self, workspace: Path) -> list[RunState]:
        """Every run of a workspace, newest first."""
        own = self.of(workspace)
        line = self._line() if any(one.state.status == "queued" for one in own) else []
        states = []
        for one in own:
            with suppress(FileNotFoundError):  # Deleted since.
                states.append(self._describe(one.run, line))
        return sorted(states, key=lambda state: state.created, reverse=True)

    def _line(self) -> list[Standing]:
        """Who trains and who waits, in turn."""
        everybody = self.all()
        trains = [one for one in everybody if one.state.status == "running"]
        return trains + self.line.waiting(everybody)

    def _describe(self, run: RunFolder, line: list[Standing]) -> RunState:
        mark = _mark(run, SETTLED)
        known, state = self._described.get(run.path, ((), None))
        if state is not None and known == mark:
            return state
        described = shelf.describe_run(run, _ahead(run, line))
        if described.status not in UNFINISHED and mark:
            with self._lock:
                if len(self._described) >= MOST_DESCRIBED:
                    self._described.pop(next(iter(self._described)))
                self._described[run.path] = (mark, described)
        return described

    def _read(self, runs: Iterable[RunFolder]) -> list[Standing]:
        found = []
        for run in runs:
            with suppress(*UNREADABLE):
                mark = _mark(run, SETTLED[:2])
                if run.path not in self._standings or self._standings[run.path][0] != mark:
                    written = (run.path / "state.json").stat().st_mtime
                    standing = Standing(run, run.order(), run.state(), written)
                    self._standings[run.path] = (mark, standing)
                found.append(self._standings[run.path][1])
        return found


def _ahead(run: RunFolder, line: list[Standing]) -> Ahead:
    paths = [one.run.path for one in line]
    return ahead(line[: paths.index(run.path)]) if run.path in paths else Ahead()


def _mark(run: RunFolder, names: tuple[str, ...]) -> Mark:
    """Tells whether any of these was replaced; a file that is not there counts as such."""
    mark: list[int] = []
    for name in names:
        try:
            found = os.stat(run.path / name)
        except OSError:
            mark.append(0)
        else:
            mark += (found.st_mtime_ns, found.st_ino)
    return tuple(mark)
