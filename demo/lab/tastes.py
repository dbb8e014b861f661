"""What a visitor is offered while many wait: a taste of his own run, and a run recorded earlier.

Decides who may have one. Does not know the page that offers it.
"""

from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from demo.errors import BadInput
from demo.host import detect, for_training
from demo.lab.runs import LONGEST_NAME, Runs, run_name
from demo.run_records import TrainSettings
from demo.settings import ROOT
from demo.training import budget, taste
from demo.training.recorded import FILE, RecordedRun, load_recorded

CROWDED = 6
"""Waiting runs of all visitors from which on tastes are given."""


class Tastes(Runs):
    """Tastes of all workspaces behind one door, and the recorded run."""

    def is_crowded(self) -> bool:
        """Whether so many runs wait that tastes are given."""
        return self._waiting() >= CROWDED

    def start_taste(
        self,
        workspace: str,
        dataset: str,
        name: str,
        settings: TrainSettings,
        word: str = "taste",
    ) -> str:
        """Queue a taste of a run before the full runs; returns its id.

        Args:
            workspace: whose it is.
            dataset: that the full run would learn.
            name: of the full run; empty: the dataset's.
            settings: of the full run.
            word: what the visitor's language calls a taste, for the name of the run.

        Raises:
            BadInput: few runs wait, or the rows cannot be learned from.
            Busy: this visitor has a taste under way already, or the lab is full.
        """
        folder = self.workspaces.open(workspace)
        self.workspaces.require_room(folder)
        if (waiting := self._waiting()) < CROWDED:
            raise BadInput("taste_needless", low=CROWDED, got=waiting)
        ordering = self.runs.ordering.for_request()
        full = self._wanted(workspace, dataset, run_name(name) if name else "", settings)
        title = full.name or full.info.name.rsplit(".", 1)[0]
        said = f" · {word}"
        wanted = replace(
            full,
            name=title[: LONGEST_NAME - len(said)].rstrip() + said,
            settings=taste.fitted(
                settings, len(full.rows), partial(ordering.plan, full.rows, full.info)
            ),
            cpu_budget=budget.of_seconds(
                taste.SECONDS, for_training(detect(self.settings.threads))
            ),
            taste=True,
        )
        return self.runs.enqueue(folder, [wanted], ordering)[0].id

    def recorded_run(self) -> RecordedRun | None:
        """A real run, recorded on another day; None where this lab ships without one."""
        return _recorded(ROOT / "demo" / "samples")

    def _waiting(self) -> int:
        return sum(one.state.status == "queued" for one in self.runs.register.all())


@cache
def _recorded(samples: Path) -> RecordedRun | None:
    found = sorted(samples.glob(f"*/{FILE}"))
    return load_recorded(found[0]) if found else None
