"""The adapters of a workspace that no run made: brought from elsewhere, or merged from others.

Every limit is enforced here; a refused adapter leaves nothing behind. Knows no run and no widget.
"""

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from demo.checks import bounded, checked_text
from demo.engine.model.adapters import describe, read_run
from demo.engine.service import Engine
from demo.errors import BadInput, Busy, NotFound
from demo.lab.adapter_record import (
    UNKNOWN,
    Base,
    Record,
    base_of,
    brought_record,
    card,
    merged_record,
)
from demo.lab.own_folders import FOLDER, own_adapters, own_folder
from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts, base_facts
from demo.methods.limits import STRONGEST, WEAKEST
from demo.methods.readers.low_rank import LARGEST_RANK
from demo.methods.readers.saved import Refused
from demo.methods.reading import CONFIG, read_adaptation
from demo.methods.travel.archive import LARGEST_TENSORS, RUN, require_size, unpack
from demo.methods.travel.config import own_config
from demo.methods.travel.merging import bytes_of, is_low_rank, merged, rank_of
from demo.methods.travel.rebuild import Rebuilt, named_base, rebuilt, write
from demo.methods.travel.strict_json import strict_json
from demo.records import AdapterInfo
from demo.settings import LabSettings
from demo.training.shelf import exports, packed
from demo.workspace import (
    Workspaces,
    inside,
    new_id,
    read_json,
    remove,
    slug,
    write_atomic,
    write_json,
)

MOST_ADAPTERS = 20
"""Brought and merged ones together, in one workspace."""
MOST_PARTS = 4
LONGEST_NAME = 60
WEIGHTS_FREE = 500_000_000
"""Bytes of disk that stay free for the lab itself."""


class OwnAdapters:
    """Takes adapters in, merges, renames, packs and deletes them.

    Args:
        settings: say where downloads are served.
        engine: knows the base model.
        workspaces: whose adapters they are.
        folder_of: a workspace's capability and the name of any adapter to its folder.
    """

    def __init__(
        self,
        settings: LabSettings,
        engine: Engine,
        workspaces: Workspaces,
        folder_of: Callable[[str, str], Path],
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.workspaces = workspaces
        self.folder_of = folder_of
        # One at a time: each holds its numbers in memory about three times.
        self._working = threading.Lock()

    def bring(self, workspace: str, name: str, content: bytes | Path) -> AdapterInfo:
        """Check a zip from elsewhere and write its adapter anew.

        Args:
            workspace: whose adapter it will be.
            name: of the new adapter.
            content: of the zip, or the file that holds it; one that is too large is never read.

        Raises:
            BadInput: it cannot be taken in; the message says what is wrong and what to do.
            Busy: the workspace is full.
        """
        title = adapter_name(name)
        if isinstance(content, Path):
            with _told(title):
                require_size(content.stat().st_size)
        with self._place(workspace) as folder:
            with _told(title):
                data = content.read_bytes() if isinstance(content, Path) else content
                adapter, record = self._checked(title, data)
            return self._keep(folder, adapter, record)

    def merge(self, workspace: str, name: str, parts: Sequence[tuple[str, float]]) -> AdapterInfo:
        """A new low-rank adapter that is the exact weighted sum of others.

        Args:
            workspace: whose adapter it will be.
            name: of the new adapter.
            parts: names as in an `AnswerRequest`, and what each is multiplied by.

        Raises:
            BadInput: one of them is more than low rank, or the sum has too high a rank.
            NotFound: there is no such adapter here.
        """
        bounded("adapters", len(parts), 2, MOST_PARTS, int)
        with self._place(workspace) as folder:
            title = adapter_name(name)
            weights = [bounded("strength", weight, WEAKEST, STRONGEST) for _, weight in parts]
            folders = [self.folder_of(workspace, adapter) for adapter, _ in parts]
            runs = [read_run(one, one.name) for one in folders]
            adapters = [
                self._summand(one, str(run["name"])) for one, run in zip(folders, runs, strict=True)
            ]
            facts, model = self._base()
            _require_sum(adapters, facts)
            here = self.engine.require_ready().fingerprint
            bases = [base_of("", run, here) for run in runs]
            config, tensors = merged(list(zip(adapters, weights, strict=True)), facts)
            parents = [
                {"name": run["name"], "id": one, "weight": weight}
                for run, (one, _), weight in zip(runs, parts, weights, strict=True)
            ]
            config = own_config(config, facts, model)
            record = merged_record(title, config, parents, _common_base(bases))
            return self._keep(folder, Rebuilt(config, tensors), record)

    def list(self, workspace: str) -> "list[AdapterInfo]":
        """The brought and merged adapters, newest first."""
        return own_adapters(self.workspaces.open(workspace), self.engine.fingerprint())

    def rename(self, workspace: str, adapter: str, name: str) -> None:
        """Call one of them otherwise. Raises `NotFound` for any other adapter."""
        found, title = self._own(workspace, adapter), adapter_name(name)
        try:
            _describe_in(found, {**read_json(found / RUN), "name": title})
        except FileNotFoundError:  # It was deleted meanwhile.
            raise NotFound from None
        self._drop_export(workspace, adapter)

    def delete(self, workspace: str, adapter: str) -> None:
        """Delete one of them with its download. Raises `NotFound` for any other adapter."""
        remove(self._own(workspace, adapter))
        self._drop_export(workspace, adapter)

    def export(self, workspace: str, adapter: str) -> Path:
        """A zip of one of them, where it is served."""
        found = self._own(workspace, adapter)
        name = slug(str(read_run(found, adapter)["name"]), "adapter")
        return packed(found, self.export_folder(workspace, adapter) / f"{name}.zip")

    def has(self, workspace: str, adapter: str) -> bool:
        """Whether an adapter is one of these, and not a run's."""
        return own_folder(self.workspaces.open(workspace), adapter) is not None

    def export_folder(self, workspace: str, adapter: str) -> Path:
        """Where the downloads of an adapter are served."""
        return exports(self.workspaces.open(workspace), self.settings.served) / adapter

    def read(self, folder: Path, title: str) -> Adaptation:
        """The adapter in a folder of this lab, as it is served."""
        return read_adaptation(folder, folder.name, self._base()[0], title)

    def _summand(self, folder: Path, title: str) -> Adaptation:
        """An adapter that can be a part of a sum. Raises `BadInput` for any other."""
        adapter = self.read(folder, title)
        if not is_low_rank(adapter):
            raise BadInput("merge_kind", adapter=title)
        return adapter

    def _base(self) -> tuple[BaseFacts, str]:
        spec = self.engine.spec
        return base_facts(spec.source, spec.revision), spec.lineage

    def _checked(self, title: str, content: bytes) -> tuple[Rebuilt, Record]:
        """The adapter in a zip, and what is known of it. The base first: other shapes are its fault."""
        parcel = unpack(content)
        config = strict_json(parcel.config, CONFIG)
        run: Any = strict_json(parcel.run, RUN) if parcel.run else {}
        facts, model = self._base()
        told = run if isinstance(run, dict) else {}
        base = base_of(named_base(config), told, self.engine.require_ready().fingerprint)
        adapter = rebuilt(parcel, facts, model)
        return adapter, brought_record(title, adapter.config, told, base)

    @contextmanager
    def _place(self, workspace: str) -> Iterator[Path]:
        """The workspace's folder, once there is room for one more adapter in it."""
        folder = self.workspaces.open(workspace)
        self.engine.require_ready()
        with self._working:
            self.workspaces.require_room(folder)
            kept = len(own_adapters(folder, None))
            if kept >= MOST_ADAPTERS:
                raise Busy("adapters_full", got=kept)
            if shutil.disk_usage(folder).free < WEIGHTS_FREE:
                raise Busy("disk_full")
            yield folder

    def _keep(self, workspace: Path, adapter: Rebuilt, record: Record) -> AdapterInfo:
        """Write it aside and put it in place in one step."""
        place = workspace / FOLDER
        aside, final = place / f".{new_id()}", place / new_id()
        try:
            place.mkdir(exist_ok=True)
            aside.mkdir(mode=0o700)
            write(adapter, aside)
            _describe_in(aside, record)
            aside.rename(final)
        except (OSError, SafetensorError) as error:
            if not place.is_dir():  # The workspace was deleted meanwhile.
                raise NotFound from None
            raise Busy("disk_full") from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return describe(final, final.name, "own", self.engine.fingerprint())

    def _own(self, workspace: str, adapter: str) -> Path:
        return inside(self.workspaces.open(workspace) / FOLDER, adapter)

    def _drop_export(self, workspace: str, adapter: str) -> None:
        shutil.rmtree(self.export_folder(workspace, adapter), ignore_errors=True)


def adapter_name(name: str) -> str:
    """A name in one line. Raises `BadInput` for an empty or a long one."""
    return " ".join(checked_text("name", name, LONGEST_NAME).split())


@contextmanager
def _told(title: str) -> Iterator[None]:
    """Say of what a zip holds why it cannot be taken in."""
    try:
        yield
    except (Refused, MemoryError, RuntimeError) as error:
        # Torch has no error of its own for memory that it does not get.
        if isinstance(error, RuntimeError) and "DefaultCPUAllocator" not in str(error):
            raise
        problem = str(error) if isinstance(error, Refused) else "it does not fit into memory"
        raise BadInput("adapter_archive", file=title, problem=problem) from error


def _describe_in(folder: Path, record: Record) -> None:
    write_json(folder / RUN, record)
    write_atomic(folder / "README.md", card(record))


def _require_sum(adapters: Sequence[Adaptation], facts: BaseFacts) -> None:
    """Refuse a sum that could not be served, before its numbers exist."""
    rank = rank_of(adapters)
    if rank > LARGEST_RANK:
        raise BadInput("merge_rank", got=rank, high=LARGEST_RANK)
    size = bytes_of(adapters, facts)
    if size > LARGEST_TENSORS:
        raise BadInput("merge_size", got=-(-size // 10**6), high=LARGEST_TENSORS // 10**6)


def _common_base(bases: Sequence[Base]) -> Base:
    """The base of all of them; the weights stay open where they were trained on different ones."""
    weights = {base["weights"] for base, _ in bases}
    common = {**bases[0][0], "weights": weights.pop() if len(weights) == 1 else UNKNOWN}
    return common, all(stated for _, stated in bases)
