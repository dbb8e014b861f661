"""Adapter folders: what lies in them, whether it fits this base, and their tensors in memory.

Adapters are rebuilt from checked tensors, never loaded by a library into the model: an adapter file
that names other weights could otherwise overwrite the base for everybody.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from demo.engine.catalogue import Fingerprint, file_hash
from demo.engine.lora import LowRank
from demo.errors import BadInput, LabError
from demo.methods.lora import LoraShape, check_config
from demo.records import BASE, AdapterInfo
from demo.workspace import read_json

FILES = ("adapter_config.json", "adapter_model.safetensors", "README.md", "run.json")
RESIDENT = 16
"""Adapters kept in memory, about 10 MB each on the embedded model."""


class AdapterShelf:
    """The adapters that ship with the lab: one folder each."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self, fingerprint: Fingerprint | None) -> list[AdapterInfo]:
        """The base, then every shipped adapter; a broken folder is listed with its reason.

        Args:
            fingerprint: of the base; None while it is loading.
        """
        folders = sorted(self.root.iterdir()) if self.root.is_dir() else []
        shipped = [
            describe(folder, folder.name, "shipped", fingerprint)
            for folder in folders
            if folder.is_dir()
        ]
        return [AdapterInfo(BASE, BASE, "base"), *shipped]

    def folder(self, name: str) -> Path | None:
        """The folder of a shipped adapter; None if there is none of this name."""
        known = {path.name: path for path in self.root.iterdir()} if self.root.is_dir() else {}
        return known.get(name)


def describe(folder: Path, name: str, source: Any, fingerprint: Fingerprint | None) -> AdapterInfo:
    """What the page shows of an adapter folder; problems are words, not exceptions."""
    title = name
    try:
        run = read_run(folder, name)
        title = str(run.get("name", name))
        differs = fingerprint is not None and not _same_weights(run, title, fingerprint)
    except LabError as error:
        return AdapterInfo(name, title, source, problem=str(error))
    return AdapterInfo(
        name, title, source, detail=str(run.get("summary", "")), base_differs=differs
    )


def read_run(folder: Path, title: str) -> dict[str, Any]:
    """`run.json` of a complete adapter folder.

    Raises:
        BadInput: a file is missing or unreadable; the message names it.
    """
    missing = [file for file in FILES if not (folder / file).is_file()]
    if missing:
        raise BadInput("adapter_broken", adapter=title, problem=f"{missing[0]} is missing")
    try:
        run = read_json(folder / "run.json")
        run["base"]["lineage"], run["base"]["weights"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            "adapter_broken", adapter=title, problem="run.json cannot be read"
        ) from error
    return dict(run)


def _same_weights(run: Mapping[str, Any], title: str, fingerprint: Fingerprint) -> bool:
    """Whether an adapter was trained on these very weights.

    Raises:
        BadInput: it was trained on another model.
    """
    base = run["base"]
    if base["lineage"] != fingerprint.lineage:
        wanted, got = (
            lineage.partition("#")[0] for lineage in (base["lineage"], fingerprint.lineage)
        )
        raise BadInput("adapter_other_base", adapter=title, wanted=wanted, got=got)
    return bool(base["weights"] == fingerprint.weights)


class AdapterCache:
    """The tensors of the adapters used last, ready for the engine. Safe from several threads."""

    def __init__(
        self, layers: Mapping[str, tuple[int, int]], fingerprint: Fingerprint, device: Any
    ) -> None:
        self.layers = layers
        self.fingerprint = fingerprint
        self.device = device
        self._resident: OrderedDict[str, LowRank] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, folder: Path) -> LowRank:
        """The adapter in `folder`, from memory or read and checked.

        Raises:
            BadInput: the folder is incomplete, of another base, or its tensors are not exactly
                those that its config announces.
        """
        run = read_run(folder, folder.name)
        title = str(run.get("name", folder.name))
        _same_weights(run, title, self.fingerprint)
        key = file_hash(folder / "adapter_model.safetensors")
        with self._lock:
            if key not in self._resident:
                self._resident[key] = self._read(folder, title, key)
            self._resident.move_to_end(key)
            while len(self._resident) > RESIDENT:
                self._resident.popitem(last=False)
            return self._resident[key]

    def _read(self, folder: Path, title: str, key: str) -> LowRank:
        try:
            shape = check_config(read_json(folder / "adapter_config.json"), title)
        except ValueError as error:
            raise BadInput(
                "adapter_broken", adapter=title, problem="its config is no JSON"
            ) from error
        expected = self._expected(shape)
        path = folder / "adapter_model.safetensors"
        try:
            with safe_open(path, framework="pt") as file:
                found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
                if found != expected:
                    raise BadInput(
                        "adapter_broken",
                        adapter=title,
                        problem="its tensors do not match its config",
                    )
                tensors = {name: file.get_tensor(name).float() for name in found}
        except SafetensorError as error:
            raise BadInput(
                "adapter_broken", adapter=title, problem="its weights cannot be read"
            ) from error
        if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
            raise BadInput(
                "adapter_broken", adapter=title, problem="its weights hold NaN or infinity"
            )
        return self._low_rank(tensors, shape, key)

    def _targets(self, shape: LoraShape) -> list[str]:
        return [name for name in self.layers if name.rpartition(".")[2] in shape.targets]

    def _expected(self, shape: LoraShape) -> dict[str, tuple[int, int]]:
        expected: dict[str, tuple[int, int]] = {}
        for name in self._targets(shape):
            inputs, outputs = self.layers[name]
            expected[f"base_model.model.{name}.lora_A.weight"] = (shape.rank, inputs)
            expected[f"base_model.model.{name}.lora_B.weight"] = (outputs, shape.rank)
        return expected

    def _low_rank(self, tensors: dict[str, torch.Tensor], shape: LoraShape, key: str) -> LowRank:
        pairs = {
            name: (
                tensors[f"base_model.model.{name}.lora_A.weight"].t().contiguous().to(self.device),
                (tensors[f"base_model.model.{name}.lora_B.weight"].t() * shape.scale)
                .contiguous()
                .to(self.device),
            )
            for name in self._targets(shape)
        }
        return LowRank(pairs, key)
