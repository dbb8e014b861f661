"""Keeps datasets: the samples that ship with the lab, and each visitor's uploads in the visitor's workspace.

Knows nothing of who the visitor is: whoever passes a workspace's folder may use what lies in it.
"""

import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from demo.checks import chosen
from demo.data.damage import problem_of
from demo.data.doctor.examine import Patient, examine
from demo.data.doctor.fixes import KEYS, Measure
from demo.data.folder import DatasetFolder, Recipe, not_measured
from demo.data.ingest import Table, ingest
from demo.data.rows import to_rows
from demo.data.samples import Sample, load_samples
from demo.data.shapes import COLUMNS, Mapping, recognise
from demo.dataset_records import Fix, Report
from demo.errors import BadInput, NotFound
from demo.run_records import DatasetInfo, Row, TrainSettings
from demo.workspace import inside

MOST_DATASETS = 20
"""In one workspace; one more takes the place of the oldest."""
FILES_READ_AT_ONCE = 2
"""Each may take a gigabyte while it is read."""
TRIED = 20
"""Records among which a first usable row is looked for."""
LINES_NAMED = 10
"""Of damaged lines, in one sentence."""


class DatasetStore:
    """Samples and uploads by id."""

    def __init__(self, samples_folder: Path) -> None:
        self.samples_folder = samples_folder
        self._reading = threading.BoundedSemaphore(FILES_READ_AT_ONCE)

    @cached_property
    def _samples(self) -> dict[str, Sample]:
        return load_samples(self.samples_folder)

    def samples(self) -> list[DatasetInfo]:
        """The datasets that ship with the lab."""
        return [sample.info for sample in self._samples.values()]

    def own(self, folder: Path) -> list[DatasetInfo]:
        """The datasets of a workspace, the one used last first."""
        kept = sorted(_kept(folder / "datasets"), key=lambda path: path.stat().st_mtime)
        return [DatasetFolder(path).info() for path in reversed(kept)]

    def add(
        self, folder: Path, name: str, data: bytes, about: dict[str, str] | None = None
    ) -> DatasetInfo:
        """Check an uploaded file and keep its rows in the workspace at `folder`.

        The same file again is the same dataset; beyond `MOST_DATASETS` the one longest unused goes.

        Raises:
            BadInput: the file cannot be used; the message names line and cure.
        """
        table = self._read(name, data)
        for path in _kept(folder / "datasets"):
            info = DatasetFolder(path).info()
            if (info.sha256, info.name) == (table.sha256, table.name):
                os.utime(path)
                return info
        return _create(folder, table, Recipe(recognise(table), about=about or {}), data)

    def info(self, folder: Path | None, dataset: str) -> DatasetInfo:
        """A sample or an uploaded dataset.

        Raises:
            NotFound: no such dataset in this workspace.
        """
        if dataset in self._samples:
            return self._samples[dataset].info
        return _dataset(folder, dataset).info()

    def map(self, folder: Path, dataset: str, prompt: str, completion: str) -> DatasetInfo:
        """Choose which column is the prompt and which the completion; what was mended is taken back.

        Args:
            folder: the workspace.
            dataset: an upload.
            prompt: empty where the completion is plain text, to be learned whole.
            completion: another column.

        Raises:
            BadInput: there is no such column, or it gives no usable row.
        """
        kept = self._upload(folder, dataset)
        mapping = _mapping(kept.table(), prompt, completion)
        return kept.write(Recipe(mapping, about=kept.recipe().about), not_measured)

    def try_mapping(self, folder: Path, dataset: str, prompt: str, completion: str) -> Row | None:
        """The first usable row that such a choice of columns would give; changes nothing."""
        table = self._upload(folder, dataset).table()
        mapping = _mapping(table, prompt, completion)
        few = replace(table, records=table.records[:TRIED], lines=table.lines[:TRIED])
        return next(iter(to_rows(few, mapping).rows), None)

    def decode(self, folder: Path, dataset: str, encoding: str) -> DatasetInfo:
        """Read an upload's bytes as other letters; its columns and fixes begin anew.

        Raises:
            BadInput: its bytes cannot be read so.
        """
        kept = self._upload(folder, dataset)
        before = kept.table()
        names = [candidate.name for candidate in before.encoding.candidates]
        encoding = chosen("encoding", encoding, names)
        table = self._read(before.name, kept.source(), encoding)
        kept.write_table(table)
        return kept.write(Recipe(recognise(table), about=kept.recipe().about), not_measured)

    def fix(
        self, folder: Path, dataset: str, fixes: Sequence[Fix], measure: Measure
    ) -> DatasetInfo:
        """Let exactly these fixes be in force, in this order. A sample is copied first.

        Raises:
            BadInput: there is no such fix, or it would leave no row.
        """
        for fix in fixes:
            chosen("fix", fix.key, KEYS)
        wanted = tuple(dict.fromkeys(fixes))
        if dataset in self._samples:
            sample = self._samples[dataset]
            names = ("source", "licence", "url", "teaches")
            about = {name: getattr(sample.info, name) for name in names}
            table = replace(sample.table, name=sample.info.name)
            dataset = _create(folder, table, Recipe(sample.mapping, about=about)).id
        kept = _dataset(folder, dataset)
        return kept.write(replace(kept.recipe(), fixes=wanted), measure)

    def doctor(
        self, folder: Path | None, dataset: str, settings: TrainSettings, measure: Measure
    ) -> Report:
        """What would spoil a run over these rows, and what can be done about it."""
        if dataset in self._samples:
            sample = self._samples[dataset]
            info, table, mapped, rows = sample.info, sample.table, sample.mapped, sample.rows
        else:
            kept = _dataset(folder, dataset)
            info, table, rows = kept.info(), kept.table(), kept.rows()
            mapped = to_rows(table, kept.recipe().mapping)
        return examine(Patient(info, table, mapped, rows, settings), measure)

    def rows(self, folder: Path | None, dataset: str) -> tuple[Row, ...]:
        """The rows to learn from.

        Raises:
            BadInput: the visitor has not chosen the columns yet, or what becomes of damaged lines.
            NotFound: no such dataset in this workspace.
        """
        if dataset in self._samples:
            return self._samples[dataset].rows
        kept = _dataset(folder, dataset)
        info = kept.info()
        if not info.mapped:
            raise BadInput("file_columns", file=info.name)
        if info.damaged:
            lines = ", ".join(str(damage.line) for damage in info.damaged[:LINES_NAMED])
            raise BadInput(
                "file_damaged",
                file=info.name,
                got=len(info.damaged),
                lines=lines + " …" * (len(info.damaged) > LINES_NAMED),
                problem=problem_of(info.damaged[0]),
            )
        return kept.rows()

    def _read(self, name: str, data: bytes, encoding: str = "") -> Table:
        with self._reading:
            return ingest(name, data, encoding)

    def _upload(self, folder: Path, dataset: str) -> DatasetFolder:
        if dataset in self._samples:
            raise BadInput("not_a_choice", field="dataset", choices="your uploads", got=dataset)
        return _dataset(folder, dataset)


def _create(folder: Path, table: Table, recipe: Recipe, source: bytes = b"") -> DatasetInfo:
    datasets = folder / "datasets"
    datasets.mkdir(exist_ok=True)
    _drop_oldest(_kept(datasets), MOST_DATASETS - 1)
    return DatasetFolder.create(datasets, table, recipe, source)


def _mapping(table: Table, prompt: str, completion: str) -> Mapping:
    prompt = chosen("prompt", prompt, ("", *table.columns))
    others = [column for column in table.columns if column != prompt]
    return Mapping(COLUMNS, prompt, chosen("completion", completion, others), certain=True)


def _kept(datasets: Path) -> list[Path]:
    if not datasets.is_dir():
        return []
    return [path for path in datasets.iterdir() if not path.name.startswith(".")]


def _drop_oldest(kept: list[Path], places: int) -> None:
    """Delete the datasets longest unused until so many are left; runs hold their own copies."""
    by_use = sorted(kept, key=lambda path: path.stat().st_mtime)
    for path in by_use[: max(0, len(kept) - places)]:
        shutil.rmtree(path, ignore_errors=True)


def _dataset(folder: Path | None, dataset: str) -> DatasetFolder:
    if folder is None:
        raise NotFound
    return DatasetFolder(inside(folder / "datasets", dataset))
