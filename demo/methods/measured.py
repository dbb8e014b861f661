"""What every method reached on one machine in a minute: read from the file that the benchmark writes.

Holds no number of its own; while there is no file, nothing was measured.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from demo.workspace import read_json, write_json

FILE = Path(__file__).with_name("measured.json")


@dataclass(frozen=True)
class Reached:
    """One method's answers after its minute."""

    bleu: float
    """Of greedy answers to prompts that it never saw, against all references; higher is better."""
    seconds: float
    """Of training."""
    trainable: int
    """Weights that were trained."""


@dataclass(frozen=True)
class Measurement:
    """All methods on one machine, one after the other."""

    methods: Mapping[str, Reached]
    """By name; a method that was not measured is missing."""
    base: float
    """BLEU of the base model."""
    parameters: int
    """Weights of the base model."""
    cpu: str
    cores: int
    date: str
    """As 2026-11-21."""
    command: str

    def share(self, name: str) -> float:
        """Percent of the base's weights that a method trained."""
        return 100 * self.methods[name].trainable / self.parameters

    def best_first(self) -> list[str]:
        """Names of the measured methods by BLEU."""
        return sorted(self.methods, key=lambda name: -self.methods[name].bleu)


def measurement(file: Path = FILE) -> Measurement | None:
    """What was measured last; None where nothing was, or the file cannot be read."""
    try:
        values = read_json(file)
        methods = {name: Reached(**reached) for name, reached in values["methods"].items()}
        return Measurement(**{**values, "methods": methods})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def keep(found: Measurement, file: Path = FILE) -> None:
    """Write a measurement in place of the last one."""
    write_json(file, asdict(found))


def reached_in(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Reached]:
    """The methods of a benchmark's table whose answers were scored."""
    return {
        name: Reached(float(row["bleu"]), float(row["seconds"]), int(row["trainable"]))
        for name, row in table.items()
        if row["bleu"] is not None
    }
