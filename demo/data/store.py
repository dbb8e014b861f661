"""Keeps datasets: the samples that ship with the lab, and each visitor's uploads in the visitor's workspace.

Knows nothing of who the visitor is: whoever passes a workspace's folder may use what lies in it.
"""

import json
import os
import shutil
import threading
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from demo.checks import chosen
from demo.data.ingest import Table, ingest
from demo.data.samples import PREVIEW_ROWS, Sample, load_samples
from demo.data.shapes import COLUMNS, Mapping, recognise, to_rows
from demo.errors import BadInput, NotFound
from demo.records import Message
from demo.run_records import DatasetInfo, Row
from demo.workspace import inside, new_id, read_json, write_atomic, write_json

MOST_DATASETS = 20
"""In one workspace; one more takes the place of the oldest."""
FILES_READ_AT_ONCE = 2
"""Each may take a gigabyte while it is read."""


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

    def add(self, folder: Path, name: str, data: bytes) -> DatasetInfo:
        """Check an uploaded file and keep its rows in the workspace at `folder`.

        The same file again is the same dataset; beyond `MOST_DATASETS` the one longest unused goes.

        Raises:
            BadInput: the file cannot be used; the message names line and cure.
        """
        datasets = folder / "datasets"
        datasets.mkdir(exist_ok=True)
        with self._reading:
            table = ingest(name, data)
        kept = [path for path in datasets.iterdir() if not path.name.startswith(".")]
        for path in kept:
            info = _info(path)
            if (info.sha256, info.name) == (table.sha256, table.name):
                os.utime(path)
                return info
        _drop_oldest(kept, MOST_DATASETS - 1)
        return _create(datasets, new_id(), table)

    def info(self, folder: Path | None, dataset: str) -> DatasetInfo:
        """A sample or an uploaded dataset.

        Raises:
            NotFound: no such dataset in this workspace.
        """
        if dataset in self._samples:
            return self._samples[dataset].info
        return _info(_dataset(folder, dataset))

    def map(self, folder: Path, dataset: str, prompt: str, completion: str) -> DatasetInfo:
        """Choose which column is the prompt and which the completion.

        Raises:
            BadInput: there is no such column, or it gives no usable row.
        """
        if dataset in self._samples:
            raise BadInput("not_a_choice", field="dataset", choices="your uploads", got=dataset)
        path = _dataset(folder, dataset)
        table = _table(path)
        prompt = chosen("prompt", prompt, table.columns)
        others = [column for column in table.columns if column != prompt]
        mapping = Mapping(COLUMNS, prompt, chosen("completion", completion, others), certain=True)
        return _write(path, dataset, table, mapping)

    def rows(self, folder: Path | None, dataset: str) -> tuple[Row, ...]:
        """The rows to learn from.

        Raises:
            BadInput: the visitor has not chosen the columns yet.
            NotFound: no such dataset in this workspace.
        """
        if dataset in self._samples:
            return self._samples[dataset].rows
        path = _dataset(folder, dataset)
        info = _info(path)
        if not info.mapped:
            raise BadInput("file_columns", file=info.name)
        lines = (path / "rows.jsonl").read_text(encoding="utf-8").split("\n")
        return tuple(_row(json.loads(line)) for line in lines if line)


def _drop_oldest(kept: list[Path], places: int) -> None:
    """Delete the datasets longest unused until so many are left; runs hold their own copies."""
    by_use = sorted(kept, key=lambda path: path.stat().st_mtime)
    for path in by_use[: max(0, len(kept) - places)]:
        shutil.rmtree(path, ignore_errors=True)


def _create(datasets: Path, dataset_id: str, table: Table) -> DatasetInfo:
    """Write the folder beside its place and move it there, so that it is complete or absent."""
    path = datasets / f".{dataset_id}"
    path.mkdir()
    try:
        write_atomic(path / "table.json", json.dumps(asdict(table), ensure_ascii=False))
        info = _write(path, dataset_id, table, recognise(table))
        os.replace(path, datasets / dataset_id)
    finally:
        shutil.rmtree(path, ignore_errors=True)
    return info


def _write(path: Path, dataset_id: str, table: Table, mapping: Mapping) -> DatasetInfo:
    rows, skipped = to_rows(table, mapping)
    if not rows and mapping.certain:
        raise BadInput("nothing_trained", file=table.name)
    info = DatasetInfo(
        id=dataset_id,
        name=table.name,
        sha256=table.sha256,
        shape=mapping.shape,
        columns=table.columns,
        prompt_column=mapping.prompt,
        completion_column=mapping.completion,
        rows=len(rows),
        preview=rows[:PREVIEW_ROWS],
        skipped=skipped,
        mapped=mapping.certain,
    )
    lines = [json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows]
    write_atomic(path / "rows.jsonl", "".join(lines))
    write_json(path / "dataset.json", asdict(info))
    return info


def _dataset(folder: Path | None, dataset: str) -> Path:
    if folder is None:
        raise NotFound
    return inside(folder / "datasets", dataset)


def _info(path: Path) -> DatasetInfo:
    info = DatasetInfo(**read_json(path / "dataset.json"))
    preview = tuple(_row(row) for row in info.preview)  # type: ignore[arg-type]  # dicts, as stored
    return replace(info, columns=tuple(info.columns), preview=preview)


def _table(path: Path) -> Table:
    values = read_json(path / "table.json")
    for name in ("columns", "records", "lines"):
        values[name] = tuple(values[name])
    return Table(**values)


def _row(values: dict[str, Any]) -> Row:
    return Row(values["line"], tuple(Message(**message) for message in values["messages"]))
