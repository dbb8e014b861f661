"""The run folder: all that a run is, in files that the page, the worker and a bigger machine read.

    settings.json  what was ordered            events.jsonl  one measurement a line
    train.jsonl    rows to learn               state.json    status, written by rename
    eval.jsonl     rows held out               stop          asks the worker to end
    adapter/       complete or absent          worker.log    for the operator
    outcome/       of a run that keeps no weights: scores and answers
    checkpoint/    complete or absent          probes.json   questions asked on the way
    start/         weights to begin with       probes.jsonl  their answers, a step a line

Does not train and does not decide who may run when.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from demo.errors import LabError, RunFailed
from demo.run_records import (
    Probe,
    ProbeAnswers,
    Row,
    RunEvent,
    RunStatus,
    TimeLapse,
    TrainSettings,
)
from demo.workspace import new_id, read_json, write_atomic, write_json

UNFINISHED = ("queued", "running")


@dataclass(frozen=True)
class RunOrder:
    """What was ordered: everything the worker needs beside the rows."""

    id: str
    name: str
    created: float
    dataset: dict[str, Any]
    """`id`, `name`, `sha256`, `source`, `licence` of the dataset, and `fixes` where any are in force."""
    settings: TrainSettings
    model: dict[str, Any]
    """Where the base lies, as `ModelSpec` writes it."""
    fingerprint: dict[str, str]
    """`lineage` and `weights` of the base."""
    threads: int = 0
    seconds: float = 60.0
    """The plan's estimate."""
    peak_bytes: int = 0
    """The plan's estimate."""
    keeps: bool = True
    """False: its weights are too large to stay, and only scores and answers do."""
    parent: str = ""
    """The run with whose weights this one begins."""
    cpu_budget: float = 0.0
    """CPU seconds after which it ends and keeps what it has learned; 0 means none."""
    lasts: float = 0.0
    """Seconds of training that this budget lasts for where nobody else computes; 0 means for ever."""
    taste: bool = False
    """A few seconds of training while many wait; it goes before full runs."""
    sweep: str = ""
    """The sweep that it belongs to, if any."""
    varied: str = ""
    """The setting in which the runs of that sweep differ."""

    def repeats(self, other: "RunOrder", since: float) -> bool:
        """Whether this is the second click of a double click on `other`, queued after `since`."""
        same = all(getattr(self, n) == getattr(other, n) for n in ("name", "dataset", "settings"))
        alike = bool(self.sweep) == bool(other.sweep)
        return same and alike and other.created > since

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """As read back from `settings.json`."""
        return cls(**{**values, "settings": TrainSettings.from_json(values["settings"])})


@dataclass(frozen=True)
class StoredState:
    """`state.json`."""

    status: RunStatus = "queued"
    steps: int = 0
    pid: int = 0
    pid_started: str = ""
    """When the process `pid` began, so that another process with the same number is told apart."""
    begun: float = 0.0
    """When the worker took the run up; seconds since the epoch."""
    queued: float = 0.0
    """When it was queued last, where that was not at its creation."""
    crashes: int = 0
    """How often its worker died since a visitor last started it."""
    best_step: int = 0
    spent: float = 0.0
    """The budget of CPU seconds that ended it."""
    error_key: str = ""
    error_values: dict[str, Any] = field(default_factory=dict)

    @property
    def error(self) -> LabError | None:
        """Why the run failed."""
        return RunFailed(self.error_key, **self.error_values) if self.error_key else None


class RunFolder:
    """One run's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.adapter = path / "adapter"
        self.outcome = path / "outcome"
        self.checkpoint = path / "checkpoint"
        self.start = path / "start"
        self.log = path / "worker.log"

    @classmethod
    def create(
        cls,
        runs: Path,
        order: RunOrder,
        train: Sequence[Row],
        evaluation: Sequence[Row],
        start: Path | None = None,
    ) -> Self:
        """Write a queued run under `runs` and put it in place in one step.

        Args:
            runs: the workspace's folder of runs.
            order: what was ordered.
            train: rows to learn.
            evaluation: rows held out.
            start: the checkpoint of another run, to begin with its weights.
        """
        temporary = cls(runs / f".{order.id}")
        temporary.path.mkdir(parents=True)
        try:
            write_json(temporary.path / "settings.json", asdict(order))
            _write_rows(temporary.path / "train.jsonl", train)
            _write_rows(temporary.path / "eval.jsonl", evaluation)
            if start is not None:
                shutil.copytree(start, temporary.start)
            temporary.write_state(StoredState())
            return cls(temporary.path.rename(runs / order.id))
        except BaseException:
            shutil.rmtree(temporary.path, ignore_errors=True)
            raise

    def order(self) -> RunOrder:
        """What was ordered."""
        return RunOrder.from_json(read_json(self.path / "settings.json"))

    def rename(self, name: str) -> None:
        """Call the run otherwise."""
        write_json(self.path / "settings.json", asdict(replace(self.order(), name=name)))

    def train_rows(self) -> tuple[Row, ...]:
        """The rows to learn."""
        return _read_rows(self.path / "train.jsonl")

    def eval_rows(self) -> tuple[Row, ...]:
        """The rows held out."""
        return _read_rows(self.path / "eval.jsonl")

    def state(self) -> StoredState:
        """The state as last written."""
        return StoredState(**read_json(self.path / "state.json"))

    def write_state(self, state: StoredState) -> None:
        """Replace the state in one step."""
        write_json(self.path / "state.json", asdict(state))

    def change_state(self, **changes: Any) -> None:
        """Replace some fields of the state."""
        self.write_state(replace(self.state(), **changes))

    def fail(self, error: LabError) -> None:
        """End the run with the reason a visitor will read."""
        self.change_state(status="failed", error_key=error.key, error_values=error.values)

    def append_event(self, event: RunEvent) -> None:
        """Add one measurement: one write, so that a reader sees at most one half line, the last."""
        self._append("events.jsonl", {k: v for k, v in asdict(event).items() if v is not None})

    def events(self) -> tuple[RunEvent, ...]:
        """Every measurement so far; a line still being written is left out."""
        return tuple(self._lines("events.jsonl", lambda line: RunEvent(**line)))

    def write_probes(self, probes: Sequence[Probe]) -> None:
        """The questions that will be asked on the way."""
        write_json(self.path / "probes.json", [asdict(probe) for probe in probes])

    def append_answers(self, answers: ProbeAnswers) -> None:
        """What the probes were answered with."""
        self._append("probes.jsonl", asdict(answers))

    def time_lapse(self) -> TimeLapse:
        """The probes and their answers so far; empty where none was asked."""
        try:
            probes = tuple(Probe(**probe) for probe in read_json(self.path / "probes.json"))
        except (OSError, ValueError, TypeError):
            return TimeLapse()
        lines = self._lines(
            "probes.jsonl", lambda line: ProbeAnswers(line["step"], tuple(line["answers"]))
        )
        return TimeLapse(probes, tuple(lines))

    def cut_after(self, step: int) -> None:
        """Forget what was written after a step, and what ended the run there."""
        events = [
            e
            for e in self.events()
            if e.step < step or (e.step == step and (e.train_loss is not None or not step))
        ]
        answers = [a for a in self.time_lapse().answers if a.step < step]
        for name, kept in (("events.jsonl", events), ("probes.jsonl", answers)):
            lines = (
                json.dumps({k: v for k, v in asdict(one).items() if v is not None}) + "\n"
                for one in kept
            )
            write_atomic(self.path / name, "".join(lines))

    def _append(self, name: str, values: dict[str, Any]) -> None:
        with (self.path / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")

    def _lines(self, name: str, read: Callable[[Any], Any]) -> list[Any]:
        try:
            lines = (self.path / name).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            with suppress(ValueError, KeyError, TypeError):
                found.append(read(json.loads(line)))
        return found

    def ask_to_stop(self) -> None:
        """Ask the worker to end after the step under way."""
        (self.path / "stop").touch()

    def asked_to_stop(self) -> bool:
        """Whether the worker should end."""
        return (self.path / "stop").exists()

    def take_back_stop(self) -> None:
        """A run that was asked to end goes on."""
        (self.path / "stop").unlink(missing_ok=True)

    def has_adapter(self) -> bool:
        """Whether there is something to answer with."""
        return self.adapter.is_dir()

    def record(self) -> dict[str, Any]:
        """`run.json`, whether the weights stayed or not; empty before there is one."""
        for folder in (self.adapter, self.outcome):
            with suppress(OSError, ValueError):
                return dict(read_json(folder / "run.json"))
        return {}

    def publish(self, finished: Path, *, adapter: bool) -> None:
        """Put a complete folder in place of the one before.

        Args:
            finished: what the run has come to.
            adapter: whether weights are in it.
        """
        place, old = self.adapter if adapter else self.outcome, self.path / ".old-adapter"
        shutil.rmtree(old, ignore_errors=True)
        with suppress(FileNotFoundError):
            os.replace(place, old)
        os.replace(finished, place)
        shutil.rmtree(old, ignore_errors=True)


def new_order(**values: Any) -> RunOrder:
    """An order with a fresh id, made now."""
    return RunOrder(id=new_id(), created=time.time(), **values)


def _write_rows(path: Path, rows: Iterable[Row]) -> None:
    lines = (json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def _read_rows(path: Path) -> tuple[Row, ...]:
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line)
    return tuple(Row.from_json(row) for row in rows)
