"""The one object that the page and the scripts receive: every service of the lab, and every limit.

Knows no widget. What is asked of it is checked here, whoever asks.
"""

import threading
from pathlib import Path

from demo.checks import checked_text
from demo.data.store import DatasetStore
from demo.engine.service import Engine
from demo.errors import NotFound
from demo.lab.answers import Answers
from demo.lab.datasets import Datasets
from demo.lab.experiments import Experiments
from demo.lab.keeping import Keeping
from demo.lab.prompts import Prompts
from demo.prompting.library import PromptLibrary
from demo.records import BaseProof, LabStatus
from demo.run_records import BatchLook, RunPlan, RunState, TrainSettings
from demo.settings import ROOT, LabSettings
from demo.training.look import batch_at
from demo.training.queue import RunQueue
from demo.training.shelf import notebook_of
from demo.workspace import Workspaces

TIDY_SECONDS = 3600
LONGEST_NAME = 60
"""Characters of a run's name."""


class Lab(Answers, Datasets):
    """Engine, prompts, adapters, datasets, runs and workspaces behind one door."""

    def __init__(self, settings: LabSettings) -> None:
        engine = Engine(settings)
        workspaces = Workspaces(
            settings.data / "workspaces", settings.workspace_megabytes, settings.keep_days
        )
        super().__init__(settings, engine, workspaces, RunQueue(settings, workspaces, engine))
        self.prompts = PromptLibrary(ROOT / "prompts")
        self.datasets = DatasetStore(ROOT / "demo" / "samples")
        self._lengths = {}
        self.prompt_files = Prompts(settings, workspaces, self.prompts, self.datasets)
        self.experiments = Experiments(engine, workspaces, self.datasets, self._asked)
        self.keeping = Keeping(settings, engine, workspaces, self._adapter_folder, self.render)
        self._closing = threading.Event()

    def start(self) -> None:
        """Load the model, take up the queue of runs and tidy up, all in the background."""
        self.engine.start()
        self.runs.start()
        threading.Thread(target=self._tidy, name="tidy", daemon=True).start()

    def close(self) -> None:
        """Stop answering; a running worker process goes on and is found again at the next start."""
        self._closing.set()
        self.runs.close()
        self.engine.close()

    # state
    def status(self) -> LabStatus:
        """What the header and `/healthz` say."""
        return self.engine.status()

    def base_proof(self) -> BaseProof:
        """Ask the base model its fixed probes again and compare with the answers at start."""
        return self.engine.base_proof()

    # workspaces
    def new_workspace(self) -> str:
        """Make a workspace; returns the capability that opens it."""
        return self.workspaces.create()

    def has_workspace(self, workspace: str) -> bool:
        """Whether a capability opens anything."""
        try:
            self.workspaces.open(workspace)
        except NotFound:
            return False
        return True

    def delete_workspace(self, workspace: str) -> None:
        """Stop its runs and delete everything in it."""
        self.runs.stop_all(self.workspaces.open(workspace))
        self.keeping.forget(workspace)
        self.workspaces.delete(workspace)

    # runs
    def plan_run(self, workspace: str, dataset: str, settings: TrainSettings) -> RunPlan:
        """What a run would do and cost. Raises `BadInput` for a run that cannot learn."""
        rows = self.datasets.rows(self._folder(workspace), dataset)
        return self.runs.plan(rows, self.datasets.info(self._folder(workspace), dataset), settings)

    def training_batch(
        self, workspace: str, dataset: str, settings: TrainSettings, step: int
    ) -> BatchLook:
        """The very batch that a step of a run would learn from. Raises `BadInput` for no such step."""
        rows = self.datasets.rows(self._folder(workspace), dataset)
        return batch_at(self.engine.tokenizer, rows, settings, step, self.runs.readings)

    def fit_run(
        self, workspace: str, dataset: str, settings: TrainSettings, dial: str
    ) -> TrainSettings:
        """The settings with as many epochs and steps as `quick` or `thorough` has time for."""
        rows = self.datasets.rows(self._folder(workspace), dataset)
        info = self.datasets.info(self._folder(workspace), dataset)
        return self.runs.fitted(rows, info, settings, dial)

    def start_run(
        self, workspace: str, dataset: str, name: str, settings: TrainSettings, parent: str = ""
    ) -> str:
        """Queue a run, which begins with the weights of `parent` if one is given; returns its id."""
        folder = self.workspaces.open(workspace)
        self.workspaces.require_room(folder)
        name = " ".join(checked_text("name", name, LONGEST_NAME).split())
        info = self.datasets.info(folder, dataset)
        rows = self.datasets.rows(folder, dataset)
        return self.runs.start_run(folder, name, info, rows, settings, parent)

    def resume_run(self, workspace: str, run: str) -> None:
        """Queue a run again that was stopped, or whose worker died; it goes on at its checkpoint."""
        folder = self.workspaces.open(workspace)
        self.workspaces.require_room(folder)
        self.runs.resume(folder, run)

    def run(self, workspace: str, run: str) -> RunState:
        """A run as its folder tells it now."""
        return self.runs.state(self.workspaces.open(workspace), run)

    def held_out_prompt(self, workspace: str, run: str) -> str:
        """A question of a run's dataset that it did not learn, where one was held out."""
        return self.runs.held_out_prompt(self.workspaces.open(workspace), run)

    def runs_of(self, workspace: str) -> list[RunState]:
        """Every run of a workspace, newest first."""
        return self.runs.list(self.workspaces.open(workspace))

    def rename_run(self, workspace: str, run: str, name: str) -> None:
        """Call a run that has ended, and its adapter, otherwise."""
        name = " ".join(checked_text("name", name, LONGEST_NAME).split())
        self.runs.rename(self.workspaces.open(workspace), run, name)

    def stop_run(self, workspace: str, run: str) -> None:
        """Stop after the step under way and keep what was learned."""
        self.runs.stop(self.workspaces.open(workspace), run)

    def delete_run(self, workspace: str, run: str) -> None:
        """Stop a run and delete its folder."""
        self.runs.delete(self.workspaces.open(workspace), run)

    def download(self, workspace: str, run: str) -> Path:
        """A zip of a run's adapter, in a folder that is served until the workspace goes."""
        return self.runs.export(self.workspaces.open(workspace), run)

    def notebook(self, workspace: str, run: str) -> Path:
        """A notebook that repeats a run outside the lab; served for a day, or until the workspace goes.

        Raises:
            BadInput: there is no adapter yet, or no few lines repeat how it was made.
        """
        folder, keeping = self.workspaces.open(workspace), self.keeping
        file = notebook_of(
            folder, run, self.engine.tokenizer, keeping.base_code, keeping.versions()
        )
        return keeping.save(workspace, *file)

    def _tidy(self) -> None:
        """Delete expired workspaces, and their downloads, now and once an hour."""
        while True:
            self.workspaces.expire()
            self.runs.tidy()
            self.keeping.tidy()
            if self._closing.wait(TIDY_SECONDS):
                return
