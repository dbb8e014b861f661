"""A run that was recorded once and is shown to visitors who wait: read from the file beside its sample.

Knows neither the queue nor the page; `benchmarks.record_lapse` writes the file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.run_records import Probe, ProbeAnswers, RunEvent, TimeLapse
from demo.workspace import read_json

FILE = "lapse.json"


@dataclass(frozen=True)
class RecordedRun:
    """What is told of it."""

    dataset: str
    """The dataset's id."""
    recorded: str
    """The day, as YYYY-MM-DD."""
    machine: str
    model: str
    cpu_seconds: float
    """That its training took of all cores together."""
    steps: int
    rows: int
    """That it learned."""
    events: tuple[RunEvent, ...]
    time_lapse: TimeLapse
    source: str
    licence: str
    """Of the rows, whose words the probes quote."""


def load_recorded(path: Path) -> RecordedRun:
    """A recorded run from its file. Raises `OSError`, `ValueError`, `KeyError` or `TypeError`."""
    stored: dict[str, Any] = read_json(path)
    probes = tuple(Probe(**probe) for probe in stored["probes"])
    answers = tuple(ProbeAnswers(a["step"], tuple(a["answers"])) for a in stored["answers"])
    return RecordedRun(
        dataset=stored["dataset"]["id"],
        recorded=stored["recorded"],
        machine=stored["machine"],
        model=stored["model"],
        cpu_seconds=stored["cpu_seconds"],
        steps=stored["steps"],
        rows=stored["rows"],
        events=tuple(RunEvent(**event) for event in stored["events"]),
        time_lapse=TimeLapse(probes, answers),
        source=stored["dataset"]["source"],
        licence=stored["dataset"]["licence"],
    )
