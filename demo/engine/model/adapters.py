"""Adapter folders: what lies in them, whether it fits this base, and which of them are in memory.

Adapters are rebuilt from checked tensors, never loaded by a library into the model: an adapter file
that names other weights could otherwise overwrite the base for everybody.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo.engine.model.catalogue import Fingerprint, file_hash
from demo.errors import BadInput, LabError
from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts
from demo.methods.reading import CONFIG, TENSORS, read_adaptation
from demo.records import BASE, AdapterInfo
from demo.workspace import read_json

FILES = ("adapter_config.json", "adapter_model.safetensors", "README.md", "run.json")
ORIGINS = ("brought", "merged")
"""Of adapters that no run made."""
RESIDENT = 16
"""Adapters kept in memory, about 10 MB each on the embedded model."""
RESIDENT_BYTES = 512 * 2**20
"""What they may take together; one that is larger is kept alone."""
HASHES = 256
"""Files whose hashes are remembered."""


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
    origin = run.get("origin")
    return AdapterInfo(
        name,
        title,
        source,
        detail=str(run.get("summary", "")),
        base_differs=differs,
        base_stated=run.get("base_stated") is not False,
        origin=origin if origin in ORIGINS else "",
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
        lineage, weights = run["base"]["lineage"], run["base"]["weights"]
        if not isinstance(lineage, str) or not isinstance(weights, str):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
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
    """The adapters used last, ready for the engine. Safe from several threads.

    Reading happens in the thread that asks, and holds up only those who ask for the same adapter.
    """

    def __init__(self, facts: BaseFacts, fingerprint: Fingerprint) -> None:
        self.facts = facts
        self.fingerprint = fingerprint
        self._resident: OrderedDict[str, Adaptation] = OrderedDict()
        self._reading: dict[str, threading.Lock] = {}
        self._hashes: OrderedDict[tuple[str, int, int], str] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, folder: Path) -> Adaptation:
        """The adapter in `folder`, from memory or read and checked.

        Raises:
            BadInput: the folder is incomplete, of another base, or cannot be served exactly.
        """
        run = read_run(folder, folder.name)
        title = str(run.get("name", folder.name))
        _same_weights(run, title, self.fingerprint)
        key = self._key(folder)
        with self._lock:
            reading = self._reading.setdefault(key, threading.Lock())
        with reading:
            try:
                return self._found(key) or self._keep(
                    read_adaptation(folder, key, self.facts, title)
                )
            finally:
                with self._lock:
                    self._reading.pop(key, None)

    @property
    def bytes(self) -> int:
        """What the adapters in memory take."""
        with self._lock:
            return sum(one.bytes for one in self._resident.values())

    def _found(self, key: str) -> Adaptation | None:
        with self._lock:
            if key in self._resident:
                self._resident.move_to_end(key)
            return self._resident.get(key)

    def _keep(self, adapter: Adaptation) -> Adaptation:
        """Put it in front; those used longest ago leave, but never the newest."""
        with self._lock:
            self._resident[adapter.key] = adapter
            kept = self._resident.values()
            while len(kept) > 1 and (
                len(kept) > RESIDENT or sum(one.bytes for one in kept) > RESIDENT_BYTES
            ):
                self._resident.popitem(last=False)
        return adapter

    def _key(self, folder: Path) -> str:
        """SHA-256 of both files: the same tensors under another config are another adapter."""
        hashes = "".join(self._hash(folder / name) for name in (CONFIG, TENSORS))
        return hashlib.sha256(hashes.encode()).hexdigest()

    def _hash(self, path: Path) -> str:
        """A file's hash, computed again only once it has changed."""
        stat = path.stat()
        file = (str(path), stat.st_size, stat.st_mtime_ns)
        with self._lock:
            known = self._hashes.get(file)
        if known is None:
            known = file_hash(path)
            with self._lock:
                self._hashes[file] = known
                while len(self._hashes) > HASHES:
                    self._hashes.popitem(last=False)
        return known
