"""The one object that the page and the scripts receive: every service of the lab, and every limit.

Knows no widget. What is asked of it is checked here, whoever asks.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from demo.checks import checked_text
from demo.data.store import DatasetStore
from demo.engine.expression import parse
from demo.engine.model.adapters import AdapterShelf
from demo.engine.service import Engine
from demo.errors import BadInput, Busy
from demo.prompting.library import PromptLibrary
from demo.records import (
    BASE,
    AdapterInfo,
    Answer,
    AnswerRequest,
    BaseProof,
    LabStatus,
    Message,
    RenderedPrompt,
    Scored,
    ScoreRequest,
)
from demo.run_records import DatasetInfo, RunPlan, RunState, TrainSettings
from demo.settings import ROOT, LabSettings
from demo.training.queue import RunQueue
from demo.workspace import Workspaces

LONGEST_TEXT = 40_000
"""Characters of one message: about the context of the embedded model, refused before tokenizing."""
MOST_ADAPTERS = 3
"""Beside the base, in one comparison."""
TIDY_SECONDS = 3600


class Lab:
    """Engine, prompts, adapters, datasets, runs and workspaces behind one door."""

    def __init__(self, settings: LabSettings) -> None:
        self.settings = settings
        self.workspaces = Workspaces(
            settings.data / "workspaces", settings.workspace_megabytes, settings.keep_days
        )
        self.prompts = PromptLibrary(ROOT / "prompts")
        self.engine = Engine(settings)
        self.adapter_shelf = AdapterShelf(ROOT / "adapters")
        self.datasets = DatasetStore(ROOT / "demo" / "samples")
        self.runs = RunQueue(settings, self.workspaces, self.engine)
        self._closing = threading.Event()
        self._answering: dict[str, int] = {}
        self._answering_lock = threading.Lock()

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

    # answers
    def render(self, request: AnswerRequest) -> RenderedPrompt:
        """The exact prompt of a request, with its tokens."""
        return self.engine.render(replace(request, messages=_checked(request.messages)))

    def answer(self, request: AnswerRequest) -> Iterator[Answer]:
        """Stream one answer. Closing the iterator stops it and frees its place."""
        for answers in self.compare(request, [request.adapter]):
            yield answers[0]

    def compare(
        self, request: AnswerRequest, adapters: Sequence[str]
    ) -> Iterator[tuple[Answer, ...]]:
        """Stream the answers of several adapters to one prompt as rows of one batch, with one seed.

        Args:
            request: the question; its own `adapter` is not looked at.
            adapters: as in `AnswerRequest.adapter`, `base` among them if wanted.
        """
        request = replace(request, messages=_checked(request.messages))
        others = len(adapters) - (BASE in adapters)
        if others > MOST_ADAPTERS:
            raise BadInput("too_many_adapters", got=others, high=MOST_ADAPTERS)
        self._require_workspace(request.workspace)
        sources = [self._source(request.workspace, name) for name in adapters]
        self.engine.require_ready()
        with _Turn(self, request.visitor or request.workspace):
            requests = [replace(request, adapter=name) for name in adapters]
            yield from self.engine.stream(requests, sources)

    def score(self, request: ScoreRequest) -> list[Scored]:
        """How likely each continuation is after the prompt; waits behind every answer."""
        checked = replace(
            request,
            messages=_checked(request.messages, empty=request.completion),
            continuations=tuple(
                checked_text("continuations", text, LONGEST_TEXT) for text in request.continuations
            ),
        )
        self._require_workspace(request.workspace)
        source = self._source(request.workspace, request.adapter)
        self.engine.require_ready()
        with _Turn(self, request.visitor or request.workspace):
            return self.engine.score(checked, source)

    def adapters(self, workspace: str = "") -> list[AdapterInfo]:
        """Base, shipped adapters and the finished runs of a workspace."""
        own = self.runs.adapters(self.workspaces.open(workspace)) if workspace else []
        return [*self.adapter_shelf.list(self.engine.fingerprint()), *own]

    # workspaces
    def new_workspace(self) -> str:
        """Make a workspace; returns the capability that opens it."""
        return self.workspaces.create()

    def delete_workspace(self, workspace: str) -> None:
        """Stop its runs and delete everything in it."""
        self.runs.stop_all(self.workspaces.open(workspace))
        self.workspaces.delete(workspace)

    # datasets
    def samples(self) -> list[DatasetInfo]:
        """The datasets that ship with the lab."""
        return self.datasets.samples()

    def add_dataset(self, workspace: str, name: str, data: bytes) -> DatasetInfo:
        """Check an uploaded file and keep its rows in the workspace."""
        folder = self.workspaces.open(workspace)
        self.workspaces.require_room(folder)
        return self.datasets.add(folder, name, data)

    def dataset(self, workspace: str, dataset: str) -> DatasetInfo:
        """A sample or an uploaded dataset."""
        return self.datasets.info(self._folder(workspace), dataset)

    def map_dataset(
        self, workspace: str, dataset: str, prompt: str, completion: str
    ) -> DatasetInfo:
        """Choose which column is the prompt and which the completion."""
        return self.datasets.map(self.workspaces.open(workspace), dataset, prompt, completion)

    # runs
    def plan_run(self, workspace: str, dataset: str, settings: TrainSettings) -> RunPlan:
        """What a run would do and cost. Raises `BadInput` for a run that cannot learn."""
        rows = self.datasets.rows(self._folder(workspace), dataset)
        return self.runs.plan(rows, self.datasets.info(self._folder(workspace), dataset), settings)

    def start_run(self, workspace: str, dataset: str, name: str, settings: TrainSettings) -> str:
        """Queue a run; returns its id."""
        folder = self.workspaces.open(workspace)
        self.workspaces.require_room(folder)
        name = " ".join(checked_text("name", name, 60).split())
        info = self.datasets.info(folder, dataset)
        return self.runs.start_run(
            folder, name, info, self.datasets.rows(folder, dataset), settings
        )

    def run(self, workspace: str, run: str) -> RunState:
        """A run as its folder tells it now."""
        return self.runs.state(self.workspaces.open(workspace), run)

    def held_out_prompt(self, workspace: str, run: str) -> str:
        """A question of a run's dataset that it did not learn, where one was held out."""
        return self.runs.held_out_prompt(self.workspaces.open(workspace), run)

    def runs_of(self, workspace: str) -> list[RunState]:
        """Every run of a workspace, newest first."""
        return self.runs.list(self.workspaces.open(workspace))

    def stop_run(self, workspace: str, run: str) -> None:
        """Stop after the step under way and keep what was learned."""
        self.runs.stop(self.workspaces.open(workspace), run)

    def delete_run(self, workspace: str, run: str) -> None:
        """Stop a run and delete its folder."""
        self.runs.delete(self.workspaces.open(workspace), run)

    def download(self, workspace: str, run: str) -> Path:
        """A zip of a run's adapter, in a folder that is served until the workspace goes."""
        return self.runs.export(self.workspaces.open(workspace), run)

    def _tidy(self) -> None:
        """Delete expired workspaces, and their downloads, now and once an hour."""
        while True:
            self.workspaces.expire()
            self.runs.tidy()
            if self._closing.wait(TIDY_SECONDS):
                return

    def _folder(self, workspace: str) -> Path | None:
        return self.workspaces.open(workspace) if workspace else None

    def _require_workspace(self, workspace: str) -> None:
        """Limits count it, so an invented one must not pass."""
        if workspace:
            self.workspaces.open(workspace)

    def _source(self, workspace: str, expression: str) -> tuple[tuple[Path, float], ...]:
        """Folders and strengths of who answers; none for the base."""
        return tuple(
            (self._adapter_folder(workspace, term.name), term.strength)
            for term in parse(expression)
        )

    def _adapter_folder(self, workspace: str, name: str) -> Path:
        """Where an adapter lies. Raises `NotFound` for a foreign one."""
        shipped = self.adapter_shelf.folder(name)
        if shipped is not None:
            return shipped
        return self.runs.adapter_folder(self.workspaces.open(workspace), name)


class _Turn:
    """One visitor's place among the answers under way: counted on entry, given back on exit."""

    def __init__(self, lab: Lab, visitor: str) -> None:
        self.lab = lab
        self.visitor = visitor

    def __enter__(self) -> None:
        with self.lab._answering_lock:
            under_way = self.lab._answering.get(self.visitor, 0)
            if under_way >= self.lab.settings.answers_per_visitor:
                raise Busy("visitor_busy", got=under_way)
            self.lab._answering[self.visitor] = under_way + 1

    def __exit__(self, *_: Any) -> None:
        with self.lab._answering_lock:
            self.lab._answering[self.visitor] -= 1
            if not self.lab._answering[self.visitor]:
                del self.lab._answering[self.visitor]


def _checked(messages: Sequence[Message], *, empty: bool = False) -> tuple[Message, ...]:
    """Messages whose texts can be tokenized. Raises `BadInput` otherwise."""
    if not messages:
        raise BadInput("empty_text", field="message")
    return tuple(
        Message(m.role, checked_text("message", m.content, LONGEST_TEXT, empty=empty))
        for m in messages
    )
