"""The prompts of a visitor: those that ship with the lab, own ones, and shots drawn from a dataset.

Whose workspace it is, and that no shot comes from rows that are held out, is decided here. Knows
no model and no widget.
"""

import threading
from collections.abc import Iterable
from pathlib import Path

from demo.data.split import split
from demo.data.store import DatasetStore
from demo.prompting import own
from demo.prompting.build import Built, ShotPlan, build
from demo.prompting.files import PromptFile
from demo.prompting.library import PromptLibrary
from demo.prompting.shots import Shot, draw, of_row
from demo.run_records import Row, TrainSettings
from demo.settings import LabSettings
from demo.training.shelf import exports
from demo.workspace import Workspaces, write_atomic


class Prompts:
    """Shipped and own prompt files behind one door.

    Args:
        settings: say where downloads are served.
        workspaces: open to whoever holds a capability.
        library: what ships with the lab.
        datasets: whose rows become shots.
    """

    def __init__(
        self,
        settings: LabSettings,
        workspaces: Workspaces,
        library: PromptLibrary,
        datasets: DatasetStore,
    ) -> None:
        self.settings = settings
        self.workspaces = workspaces
        self.library = library
        self.datasets = datasets
        self._writing = threading.Lock()

    def own(self, workspace: str) -> list[PromptFile]:
        """The prompts that a workspace holds, by title; their names begin with `own:`."""
        return own.own_prompts(self.workspaces.open(workspace)) if workspace else []

    def get(self, workspace: str, name: str) -> PromptFile:
        """A shipped prompt, or an own one.

        Raises:
            BadInput: no shipped prompt has this name.
            NotFound: no own one has.
        """
        if not str(name).startswith(own.PREFIX):
            return self.library.get(name)
        return own.own_prompt(self.workspaces.open(workspace), name)

    def save(self, workspace: str, prompt: PromptFile) -> PromptFile:
        """Keep a prompt under its title, in the place of one that has it already."""
        with self._writing:
            return own.save(self._with_room(workspace), prompt)

    def add(self, workspace: str, file: str, content: bytes) -> PromptFile:
        """Keep an uploaded prompt file, checked by the rules of every prompt file."""
        with self._writing:
            return own.add(self._with_room(workspace), file, content)

    def add_file(self, workspace: str, path: Path) -> PromptFile:
        """Keep an uploaded prompt file from where it lies; one that is too large is never read."""
        own.require_size(path.name, path.stat().st_size)
        return self.add(workspace, path.name, path.read_bytes())

    def delete(self, workspace: str, name: str) -> None:
        """Delete an own prompt, and what it left to download."""
        folder = self.workspaces.open(workspace)
        file, _ = own.text_of(folder, name)
        own.delete(folder, name)
        self._served(folder, file).unlink(missing_ok=True)

    def export(self, workspace: str, name: str) -> Path:
        """The file of an own prompt, where it is served."""
        folder = self.workspaces.open(workspace)
        file, content = own.text_of(folder, name)
        path = self._served(folder, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, content)
        return path

    def build(self, workspace: str, file: str, plan: ShotPlan, asked: Iterable[str] = ()) -> Built:
        """A prompt from a file, or none, and from shots that give none of the asked questions away.

        Raises:
            BadInput: no such file, or the typed shots or the order cannot be read.
            NotFound: no such own prompt or dataset in this workspace.
        """
        drawn: tuple[Shot, ...] = ()
        if plan.source == "dataset" and plan.count:
            drawn = self.shots(workspace, plan.dataset, plan.count, plan.seed, asked)
        return build(plan, self.get(workspace, file) if file else None, drawn)

    def shots(
        self, workspace: str, dataset: str, count: int, seed: int, asked: Iterable[str] = ()
    ) -> tuple[Shot, ...]:
        """Shots from a dataset's train split, none of them a question that is asked."""
        train, _ = self._split(workspace, dataset)
        return draw(train, count, seed, asked)

    def held_out(self, workspace: str, dataset: str) -> tuple[Shot, ...]:
        """Questions that no shot gives away, with their answers."""
        _, held_out = self._split(workspace, dataset)
        return tuple(shot for shot in map(of_row, held_out) if shot.input)

    def _split(self, workspace: str, dataset: str) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        """As a run with its usual settings would part the rows."""
        folder = self.workspaces.open(workspace) if workspace else None
        usual = TrainSettings()
        return split(self.datasets.rows(folder, dataset), usual.eval_share, usual.seed)

    def _with_room(self, workspace: str) -> Path:
        folder = self.workspaces.open(workspace)
        self.workspaces.require_room(folder)
        return folder

    def _served(self, folder: Path, file: str) -> Path:
        return exports(folder, self.settings.served) / "prompts" / file
