"""The one object that the page and the scripts receive: every service of the lab, and every limit.

Knows no widget. What is asked of it is checked here, whoever asks.
"""

import threading

from demo.data.store import DatasetStore
from demo.engine.service import Engine
from demo.errors import NotFound
from demo.lab.answers import Answers
from demo.lab.datasets import Datasets
from demo.lab.experiments import Experiments
from demo.lab.judging import Judging, Shelves
from demo.lab.keeping import Keeping
from demo.lab.own_adapters import OwnAdapters
from demo.lab.own_folders import sweep
from demo.lab.prompts import Prompts
from demo.lab.sweeps import Sweeps
from demo.lab.tastes import Tastes
from demo.lab.travel import Travel
from demo.lab.under_way import UnderWay
from demo.lab.whole_model import WholeModels
from demo.prompting.library import PromptLibrary
from demo.records import BaseProof, LabStatus
from demo.settings import ROOT, LabSettings
from demo.training.queue import RunQueue
from demo.training.shelf import drop_orphans
from demo.workspace import Workspaces

TIDY_SECONDS = 3600


class Lab(Answers, Datasets, Sweeps, Tastes, Travel):
    """Engine, prompts, adapters, datasets, runs and workspaces behind one door."""

    def __init__(self, settings: LabSettings) -> None:
        engine = Engine(settings)
        workspaces = Workspaces(
            settings.data / "workspaces", settings.workspace_megabytes, settings.keep_days
        )
        super().__init__(settings, engine, workspaces)
        self.runs = RunQueue(settings, workspaces, engine)
        self.prompts = PromptLibrary(ROOT / "prompts")
        self.datasets = DatasetStore(ROOT / "demo" / "samples")
        self._lengths = {}
        self.prompt_files = Prompts(settings, workspaces, self.prompts, self.datasets)
        under_way = UnderWay()
        self.experiments = Experiments(engine, workspaces, self.datasets, self._asked, under_way)
        shelves = Shelves(workspaces, self.datasets, self.prompts, self._adapter_folder)
        self.judging = Judging(engine, shelves, self._asked, under_way)
        self.keeping = Keeping(settings, engine, workspaces, self._adapter_folder, self.render)
        self.own_adapters = OwnAdapters(settings, engine, workspaces, self._adapter_folder)
        self.whole_models = WholeModels(settings, engine, self.own_adapters, self.keeping.base_code)
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
        """Stop its runs and its experiment, and delete everything in it."""
        self.runs.stop_all(self.workspaces.open(workspace))
        self.experiments.forget(workspace)
        self.keeping.forget(workspace)
        self.workspaces.delete(workspace)

    def _tidy(self) -> None:
        """Delete expired workspaces, their downloads and what is half-made, now and once an hour."""
        while True:
            self.workspaces.expire()
            drop_orphans(self.workspaces.root, self.settings.served)
            sweep(self.workspaces.all(), self.settings.served)
            self.keeping.tidy()
            if self._closing.wait(TIDY_SECONDS):
                return
