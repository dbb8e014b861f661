"""The values of a sweep: one setting, several values, a run for each; frozen, plain, checked on creation."""

from dataclasses import dataclass
from typing import Any, ClassVar

from demo.checks import check_ranges, chosen
from demo.errors import BadInput
from demo.run_records import RunStatus, TrainSettings

SWEEPABLE = ("rank", "rows", "learning_rate", "method")
"""Settings that can be varied."""
FULL = "full"
"""Beside numbers, a value of `rank`: every weight is trained, where a low rank is heading."""


@dataclass(frozen=True)
class SweepRequest:
    """One setting over several values. Raises `BadInput` for what no sweep can be."""

    dataset: str
    name: str
    settings: TrainSettings
    """What all runs share."""
    setting: str
    """One of `SWEEPABLE`."""
    values: tuple[Any, ...]
    seconds: int = 150
    """Of training, for all runs together; starting each takes some more."""
    word: str = ""
    """What the visitor's language calls the setting, for the names of the runs."""

    RANGES: ClassVar[dict[str, tuple[float, float, type]]] = {"seconds": (20, 600, int)}
    FEWEST: ClassVar[int] = 2
    MOST: ClassVar[int] = 5

    def __post_init__(self) -> None:
        chosen("setting", self.setting, SWEEPABLE)
        check_ranges(self, self.RANGES)
        if not self.FEWEST <= len(self.values) <= self.MOST:
            raise BadInput("sweep_values", low=self.FEWEST, high=self.MOST, got=len(self.values))


@dataclass(frozen=True)
class SweepPoint:
    """One run of a sweep, as far as it has come."""

    run: str
    value: float | str
    """Of the setting; a method's name, or `full`."""
    status: RunStatus
    step: int = 0
    steps: int = 0
    loss: float | None = None
    """The lowest eval loss, once the run has ended."""
    trainable: int = 0
    seconds: float = 0.0
    eta_seconds: float | None = None

    @property
    def live(self) -> bool:
        """Whether it waits or runs."""
        return self.status in ("queued", "running")

    @property
    def whole(self) -> bool:
        """Whether it has a loss after all of its steps; only such runs are compared."""
        return self.loss is not None and self.status == "finished" and self.step >= self.steps


@dataclass(frozen=True)
class SweepState:
    """A sweep as the folders of its runs tell it."""

    id: str
    name: str
    dataset: str
    setting: str
    created: float
    points: tuple[SweepPoint, ...]
    """By value, full tuning last; methods in the order in which they were chosen."""
    base_loss: float | None = None
    """Of the base model, on the same held-out rows."""
    held_out: int = 0
    """Rows that the losses are measured on."""
    full: SweepPoint | None = None
    """Of a sweep over ranks without full tuning: another run of it on the same rows, if there is one."""

    @property
    def live(self) -> bool:
        """Whether any of its runs waits or runs."""
        return any(point.live for point in self.points)

    @property
    def scored(self) -> tuple[SweepPoint, ...]:
        """The runs that have ended with a loss."""
        return tuple(point for point in self.points if point.loss is not None)

    @property
    def whole(self) -> tuple[SweepPoint, ...]:
        """Those of them that took all of their steps."""
        return tuple(point for point in self.points if point.whole)


@dataclass(frozen=True)
class SweepVerdict:
    """What the losses of a sweep say, before chance is thought of."""

    key: str
    """`none`: no better than the base; `near`: a cheaper value does almost as well; `edge`: the best is the
    lowest or highest that was tried; `best`: none of these."""
    best: SweepPoint
    cheaper: SweepPoint | None = None
    gap: float = 0.0
    """How much higher the cheaper one's loss is."""
    share: float = 1.0
    """What the cheaper one needs of the best one's trained weights, or rows."""
