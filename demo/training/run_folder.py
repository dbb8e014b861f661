"""The run folder: all that a run is, in files that the page, the worker and a bigger machine read.

    settings.json  what was ordered            events.jsonl  one measurement a line
    train.jsonl    rows to learn               state.json    status, written by rename
    eval.jsonl     rows held out               stop          asks the worker to end
    adapter/       complete or absent          worker.log    for the operator

Does not train and does not decide who may run when.
"""

import json
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from demo.errors import LabError, RunFailed
from demo.records import Message
from demo.run_records import Row, RunEvent, RunStatus, TrainSettings
from demo.workspace import new_id, read_json, write_json

UNFINISHED = ("queued", "running")


@dataclass(frozen=True)
class RunOrder:
    """What was ordered: everything the worker needs beside the rows."""

    id: str
    name: str
    created: float
    dataset: dict[str, str]
    """`id`, `name`, `sha256`, `source` and `licence` of the dataset."""
    settings: TrainSettings
    model: dict[str, Any]
    """Where the base lies, as `ModelSpec` writes it."""
    fingerprint: dict[str, str]
    """`lineage` and `weights` of the base."""
    threads: int = 0
    seconds: float = 60.0
    """The plan's estimate."""

    def repeats(self, other: "RunOrder", seconds: float) -> bool:
        """Whether this is the second click of a double click on `other`."""
        same = (self.name, self.dataset, self.settings) == (
            other.name,
            other.dataset,
            other.settings,
        )
        return same and self.created - other.created < seconds

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
        self.log = path / "worker.log"

    @classmethod
    def create(
        cls, runs: Path, order: RunOrder, train: Sequence[Row], evaluation: Sequence[Row]
    ) -> Self:
        """Write a queued run under `runs` and put it in place in one step."""
        temporary = cls(runs / f".{order.id}")
        temporary.path.mkdir(parents=True)
        write_json(temporary.path / "settings.json", asdict(order))
        _write_rows(temporary.path / "train.jsonl", train)
        _write_rows(temporary.path / "eval.jsonl", evaluation)
        temporary.write_state(StoredState())
        final = runs / order.id
        temporary.path.rename(final)
        return cls(final)

    def order(self) -> RunOrder:
        """What was ordered."""
        return RunOrder.from_json(read_json(self.path / "settings.json"))

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
        known = {name: value for name, value in asdict(event).items() if value is not None}
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(known) + "\n")

    def events(self) -> tuple[RunEvent, ...]:
        """Every measurement so far; a line still being written is left out."""
        try:
            lines = (self.path / "events.jsonl").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ()
        events = []
        for line in lines:
            with suppress(ValueError):
                events.append(RunEvent(**json.loads(line)))
        return tuple(events)

    def ask_to_stop(self) -> None:
        """Ask the worker to end after the step under way."""
        (self.path / "stop").touch()

    def asked_to_stop(self) -> bool:
        """Whether the worker should end."""
        return (self.path / "stop").exists()

    def has_adapter(self) -> bool:
        """Whether there is something to answer with."""
        return self.adapter.is_dir()

    def publish_adapter(self, finished: Path) -> None:
        """Put a complete adapter folder in place in one step."""
        os.replace(finished, self.adapter)


def new_order(**values: Any) -> RunOrder:
    """An order with a fresh id, made now."""
    return RunOrder(id=new_id(), created=time.time(), **values)


def _write_rows(path: Path, rows: Iterable[Row]) -> None:
    lines = (json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def _read_rows(path: Path) -> tuple[Row, ...]:
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line)
    return tuple(
        Row(row["line"], tuple(Message(m["role"], m["content"]) for m in row["messages"]))
        for row in rows
    )
