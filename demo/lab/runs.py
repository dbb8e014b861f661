"""Everything that is asked of runs: plans, starting and ending them, and what they leave behind.

Whose workspace it is, and every limit of a name or a disk, is decided here. Knows no widget.
"""

from pathlib import Path

from demo.checks import checked_text
from demo.data.store import DatasetStore
from demo.engine.service import Engine
from demo.lab.keeping import Keeping
from demo.lab.own_adapters import OwnAdapters
from demo.run_records import BatchLook, RunPlan, RunState, TrainSettings
from demo.settings import LabSettings
from demo.training import shelf
from demo.training.look import batch_at
from demo.training.ordering import Wanted
from demo.training.queue import RunQueue
from demo.workspace import Workspaces

LONGEST_NAME = 60
"""Characters of a run's name."""


class Runs:
    """The runs of all workspaces behind one door."""

    settings: LabSettings
    engine: Engine
    workspaces: Workspaces
    datasets: DatasetStore
    keeping: Keeping
    own_adapters: OwnAdapters
    runs: RunQueue

    def plan_run(self, workspace: str, dataset: str, settings: TrainSettings) -> RunPlan:
        """What a run would do and cost. Raises `BadInput` for a run that cannot learn."""
        wanted = self._wanted(workspace, dataset, "", settings)
        return self.runs.ordering.plan(wanted.rows, wanted.info, settings)

    def training_batch(
        self, workspace: str, dataset: str, settings: TrainSettings, step: int
    ) -> BatchLook:
        """The very batch that a step of a run would learn from. Raises `BadInput` for no such step."""
        rows = self._wanted(workspace, dataset, "", settings).rows
        return batch_at(self.engine.tokenizer, rows, settings, step, self.runs.ordering.readings)

    def fit_run(
        self, workspace: str, dataset: str, settings: TrainSettings, dial: str
    ) -> TrainSettings:
        """The settings with as many epochs and steps as `quick` or `thorough` has time for."""
        wanted = self._wanted(workspace, dataset, "", settings)
        return self.runs.ordering.fitted(wanted.rows, wanted.info, settings, dial)

    def start_run(
        self, workspace: str, dataset: str, name: str, settings: TrainSettings, parent: str = ""
    ) -> str:
        """Queue a run, which begins with the weights of `parent` if one is given; returns its id."""
        folder = self.workspaces.open(workspace)
        self.workspaces.require_room(folder)
        wanted = self._wanted(workspace, dataset, run_name(name), settings, parent)
        return self.runs.enqueue(folder, [wanted])[0].id

    def resume_run(self, workspace: str, run: str) -> None:
        """Queue a run again that was stopped, or whose worker died; it goes on at its checkpoint."""
        folder = self.workspaces.open(workspace)
        self.workspaces.require_room(folder)
        self.runs.resume(folder, run)

    def run(self, workspace: str, run: str) -> RunState:
        """A run as its folder tells it now."""
        return self.runs.register.state(self.workspaces.open(workspace), run)

    def held_out_prompt(self, workspace: str, run: str) -> str:
        """A question of a run's dataset that it did not learn, where one was held out."""
        return shelf.held_out_prompt(self.workspaces.open(workspace), run)

    def runs_of(self, workspace: str) -> list[RunState]:
        """Every run of a workspace, newest first."""
        return self.runs.register.states(self.workspaces.open(workspace))

    def rename_run(self, workspace: str, run: str, name: str) -> None:
        """Call a run that has ended, and its adapter, otherwise."""
        folder = self.workspaces.open(workspace)
        shelf.rename(folder, run, run_name(name), self.settings.served)

    def stop_run(self, workspace: str, run: str) -> None:
        """Stop after the step under way and keep what was learned."""
        self.runs.stop(self.workspaces.open(workspace), run)

    def delete_run(self, workspace: str, run: str) -> None:
        """Stop a run and delete its folder."""
        self.runs.delete(self.workspaces.open(workspace), run)

    def download(self, workspace: str, run: str) -> Path:
        """A zip of an own adapter, in a folder that is served until the workspace goes."""
        if self.own_adapters.has(workspace, run):
            return self.own_adapters.export(workspace, run)
        return shelf.export(self.workspaces.open(workspace), run, self.settings.served)

    def notebook(self, workspace: str, run: str) -> Path:
        """A notebook that repeats a run outside the lab; served for a day, or until the workspace goes.

        Raises:
            BadInput: there is no adapter yet, or no few lines repeat how it was made.
        """
        folder, keeping = self.workspaces.open(workspace), self.keeping
        file = shelf.notebook_of(
            folder, run, self.engine.tokenizer, keeping.base_code, keeping.versions()
        )
        return keeping.save(workspace, *file)

    def _wanted(
        self, workspace: str, dataset: str, name: str, settings: TrainSettings, parent: str = ""
    ) -> Wanted:
        folder = self.workspaces.open(workspace) if workspace else None
        info, rows = self.datasets.info(folder, dataset), self.datasets.rows(folder, dataset)
        return Wanted(name, info, rows, settings, parent)


def run_name(name: str) -> str:
    """A run's name in one line. Raises `BadInput` for an empty or a long one."""
    return " ".join(checked_text("name", name, LONGEST_NAME).split())
