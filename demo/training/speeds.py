"""How fast this machine trains: measured by every run, kept in one file, guessed before the first.

Knows no run's length.
"""

from dataclasses import dataclass
from pathlib import Path

from demo.workspace import read_json, write_json

FIRST_SPEED = 165.0
"""Tokens a second on two CPU cores with the embedded model, until this machine has been measured."""
FIRST_PARAMETERS = 134_515_008
RELATIVE = {"full": 0.75, "dora": 0.7, "adalora": 0.85, "head": 2.2}
"""Speeds beside LoRA's, until a method has been measured here."""


@dataclass(frozen=True)
class Speeds:
    """Measured training speeds by base model and method."""

    path: Path

    def of(self, lineage: str, parameters: int, method: str = "lora") -> float:
        """Tokens a second of the method's last run; else from any last run, or from the model's size."""
        known = self._all()
        if (own := known.get(_key(lineage, method))) is not None:
            return float(own)
        typical = known.get(lineage, FIRST_SPEED * FIRST_PARAMETERS / parameters)
        return float(typical) * RELATIVE.get(method, 1.0)

    def measured(self, lineage: str) -> bool:
        """Whether any run on this base has told how fast this machine is."""
        return lineage in self._all()

    def learn(self, lineage: str, tokens_per_second: float, method: str = "lora") -> None:
        """Keep what a run measured, for its method and as a hint for all others."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        hint = tokens_per_second / RELATIVE.get(method, 1.0)
        learned = {_key(lineage, method): tokens_per_second, lineage: hint}
        write_json(self.path, {**self._all(), **learned})

    def _all(self) -> dict[str, float]:
        try:
            return dict(read_json(self.path))
        except (OSError, ValueError):
            return {}


def _key(lineage: str, method: str) -> str:
    return f"{lineage} {method}"
