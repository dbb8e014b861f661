"""Orders a run: plans it, refuses what cannot learn, and writes down all that its worker will need.

Knows neither the queue nor how many runs a visitor may have.
"""

import time
from collections.abc import Sequence
from copy import copy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from demo.data.split import split
from demo.engine.service import Engine
from demo.host import detect, for_training
from demo.run_records import DatasetInfo, Row, RunPlan, TrainSettings
from demo.settings import LabSettings
from demo.training import shelf
from demo.training.budget import lasts, within
from demo.training.plan import START_SECONDS, Planner
from demo.training.readings import Held, Readings
from demo.training.run_folder import RunFolder, RunOrder, new_order
from demo.training.speeds import Speeds

TOLD_OF_DATASET = ("id", "name", "sha256", "source", "licence")


@dataclass(frozen=True)
class Wanted:
    """A run as a visitor asks for it."""

    name: str
    info: DatasetInfo
    rows: Sequence[Row]
    """All rows of the dataset."""
    settings: TrainSettings
    parent: str = ""
    """A run of the same workspace with whose weights it begins; empty for the base model."""
    sweep: str = ""
    """The sweep that it belongs to, if any."""
    varied: str = ""
    """The setting in which the runs of that sweep differ."""
    cpu_budget: float = 0.0
    """CPU seconds after which it ends; 0: only where the operator ends every run."""
    taste: bool = False
    """A taste, which goes before full runs."""
    asked: float = field(default_factory=time.time)
    """When; planning a large dataset takes a while. Seconds since the epoch."""


@dataclass(frozen=True)
class Ordered:
    """A run that could be queued now."""

    order: RunOrder
    train: Sequence[Row]
    evaluation: Sequence[Row]
    start: Path | None
    """The checkpoint that it begins with."""

    def create(self, runs: Path) -> RunFolder:
        """Write its folder, as a queued run."""
        return RunFolder.create(runs, self.order, self.train, self.evaluation, start=self.start)


class Ordering:
    """Plans and orders runs for the base model that is loaded."""

    def __init__(self, settings: LabSettings, engine: Engine) -> None:
        self.settings = settings
        self.engine = engine
        self.speeds = Speeds(settings.data / "speed.json")
        self.readings = Readings()

    def for_request(self) -> Self:
        """The same for one request, which reads its rows once, however large and often planned."""
        held = copy(self)
        held.readings = Held(self.readings)
        return held

    def plan(self, rows: Sequence[Row], info: DatasetInfo, settings: TrainSettings) -> RunPlan:
        """What a run would do and cost. Raises `BadInput` for a run that cannot learn."""
        plan = self._planner().plan(rows, info.name, settings)
        most = self._lasts(within(self.settings.run_cpu_seconds))
        return replace(plan, cut_after=most if 0 < most < plan.seconds - START_SECONDS else 0.0)

    def fitted(
        self, rows: Sequence[Row], info: DatasetInfo, settings: TrainSettings, dial: str
    ) -> TrainSettings:
        """The settings with as many epochs and steps as a position of the dial has time for."""
        return self._planner().fitted(rows, info.name, settings, dial)

    def order(self, workspace: Path, wanted: Wanted) -> Ordered:
        """All that the run's folder will hold.

        Raises:
            BadInput: it cannot learn, or not begin with those weights.
            NotFound: no such parent.
        """
        settings = wanted.settings
        plan = self.plan(wanted.rows, wanted.info, settings)
        budget = within(self.settings.run_cpu_seconds, wanted.cpu_budget)
        most, seconds = self._lasts(budget), plan.seconds
        parent = wanted.parent
        start = shelf.weights_to_start(workspace, parent, settings) if parent else None
        order = new_order(
            name=wanted.name,
            parent=parent,
            sweep=wanted.sweep,
            varied=wanted.varied,
            dataset=told_of(wanted.info),
            settings=settings,
            model=self.engine.spec.to_json(),
            fingerprint=asdict(self.engine.require_ready().fingerprint),
            threads=self.settings.threads,
            seconds=min(seconds, START_SECONDS + most) if most else seconds,
            peak_bytes=plan.peak_bytes,
            taste=wanted.taste,
            cpu_budget=budget,
            lasts=most,
            keeps=settings.method != "full" or self.settings.full_tuning,
        )
        return Ordered(order, *self._parts(wanted), start)

    def _lasts(self, budget: float) -> float:
        """Seconds of training that a budget lasts for; 0 where there is none."""
        return lasts(budget, for_training(detect(self.settings.threads))) if budget else 0.0

    def _parts(self, wanted: Wanted) -> tuple[Sequence[Row], Sequence[Row]]:
        settings = wanted.settings
        return split(wanted.rows, settings.eval_share, settings.seed, settings.rows)

    def _planner(self) -> Planner:
        return Planner(self.engine.tokenizer, self.engine.spec, self.speeds, self.readings)


def told_of(info: DatasetInfo) -> dict[str, Any]:
    """What a run writes down of its dataset: where the rows came from, and what was mended in them."""
    facts = {key: getattr(info, key) for key in TOLD_OF_DATASET}
    fixes = [
        {
            "fix": done.fix.key,
            **({"limit": done.fix.limit} if done.fix.limit else {}),
            **{key: getattr(done, key) for key in ("changed", "before", "after")},
        }
        for done in info.fixes
    ]
    return facts | ({"fixes": fixes} if fixes else {})
