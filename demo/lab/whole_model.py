"""An adapter and its base as one: a whole model to take home, or the lines of code that make it there.

A whole model is as large as the base itself, so it is written only where the operator allows full tuning.
Knows no widget.
"""

import math
import os
import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from demo.engine.model.adapters import read_run
from demo.engine.service import Engine
from demo.errors import BadInput, Busy, NotFound
from demo.lab.own_adapters import WEIGHTS_FREE, OwnAdapters
from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts, base_facts
from demo.methods.file_size import file_bytes
from demo.methods.reading import CONFIG
from demo.methods.travel.into_base import fits_into_weights, write_settings, write_weights
from demo.settings import LabSettings
from demo.workspace import new_id, read_json, slug

WEIGHTS = "model.safetensors"
MOST_WHOLE = 3
"""Whole models of all visitors that lie here at a time; the oldest goes for a new one."""


class WholeModels:
    """Writes adapted models, one at a time.

    Args:
        settings: say whether so large a file may be written.
        engine: knows the base model.
        adapters: know where downloads are served.
        base_code: a precision to the imports and lines that load the base.
    """

    def __init__(
        self,
        settings: LabSettings,
        engine: Engine,
        adapters: OwnAdapters,
        base_code: Callable[[str], tuple[str, str]],
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.adapters = adapters
        self.base_code = base_code
        self._writing = threading.Lock()

    @property
    def megabytes(self) -> int:
        """Of a whole model."""
        return round(file_bytes(self._facts().parameters) / 1e6)

    def export(self, workspace: str, adapter: str) -> Path:
        """A zip with a folder that transformers loads; served until the adapter or the workspace goes.

        Raises:
            BadInput: this lab writes no file of that size, or the weights cannot take the adapter in.
            Busy: there is no room for it.
            NotFound: there is no such adapter here, or no more.
        """
        if not self.settings.full_tuning:
            raise BadInput("into_base_off", got=self.megabytes)
        source, title, _ = self._adapter(workspace, adapter)
        name = f"{slug(title, 'adapter')}-whole"
        path = self.adapters.export_folder(workspace, adapter) / f"{name}.zip"
        with self._writing:
            if not path.exists():
                self._make_way(path.parent.parent)
                self._require_room()
                self._keep(path, self.adapters.read(source, title))
                if not source.is_dir():  # It was deleted meanwhile.
                    path.unlink(missing_ok=True)
                    raise NotFound
        return path

    def code(self, workspace: str, adapter: str) -> str:
        """Lines of Python that merge the downloaded adapter into the base with PEFT alone.

        Raises:
            BadInput: the weights cannot take it in.
        """
        _, title, config = self._adapter(workspace, adapter)
        folder = slug(title, "adapter")
        imports, lines = self.base_code("fp32")
        if config["peft_type"] == "FULL":
            own, merge = "from safetensors.torch import load_file", _full(folder)
        else:
            own, merge = "from peft import PeftModel", _with_peft(folder)
        saving = (
            f'model.save_pretrained("{folder}-whole")\ntokenizer.save_pretrained("{folder}-whole")'
        )
        return f"{imports}\n{own}\n\n{lines}\n{merge}\n{saving}\n"

    def _adapter(self, workspace: str, adapter: str) -> tuple[Path, str, Any]:
        """Where an adapter that the weights can take in lies, its name and its config."""
        folder = self.adapters.folder_of(workspace, adapter)
        title = str(read_run(folder, adapter)["name"])
        config = read_json(folder / CONFIG)
        if not fits_into_weights(config):
            raise BadInput("into_base_kind", adapter=title)
        return folder, title, config

    def _keep(self, path: Path, adapter: Adaptation) -> None:
        """Write it aside and put it in place in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(new_id())
        try:
            self._write(aside, path.stem, adapter)
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)

    def _make_way(self, own: Path) -> None:
        """A workspace has one whole model at a time, and all of them together a few."""
        for other in own.glob("*/*-whole.zip"):
            other.unlink(missing_ok=True)
        others = sorted(own.parent.glob("*/*/*-whole.zip"), key=_age)
        for oldest in others[MOST_WHOLE - 1 :]:
            oldest.unlink(missing_ok=True)

    def _facts(self) -> BaseFacts:
        return base_facts(self.engine.spec.source, self.engine.spec.revision)

    def _require_room(self) -> None:
        free = shutil.disk_usage(self.settings.home).free
        if free < file_bytes(self._facts().parameters) + WEIGHTS_FREE:
            raise Busy("disk_full")

    def _write(self, path: Path, name: str, adapter: Adaptation) -> None:
        """Stored, not compressed: trained numbers hardly get smaller."""
        base = self.engine.require_ready()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            with TemporaryDirectory(dir=path.parent) as folder:
                write_settings(Path(folder), base.spec.source, base.spec.revision)
                base.tokenizer.inner.save_pretrained(folder)
                for file in sorted(Path(folder).iterdir()):
                    archive.write(file, f"{name}/{file.name}")
            with archive.open(f"{name}/{WEIGHTS}", "w", force_zip64=True) as weights:
                write_weights(weights, self._facts(), adapter)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:  # It was deleted meanwhile.
        return math.inf


def _with_peft(folder: str) -> str:
    return f'model = PeftModel.from_pretrained(model, "{folder}").merge_and_unload()'


def _full(folder: str) -> str:
    file = f"{folder}/adapter_model.safetensors"
    return f'model.load_state_dict(load_file("{file}"), strict=False)\nmodel.tie_weights()'
