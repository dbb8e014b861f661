"""The datasets that ship with the lab: a folder each, with rows and a `sample.yaml` on source and licence.

Knows nothing of workspaces or uploads.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from demo.data.ingest import Table, as_table
from demo.data.reading.child import read
from demo.data.rows import Mapped, to_rows
from demo.data.shapes import Mapping, recognise
from demo.errors import BadInput
from demo.run_records import DatasetInfo, Row

PREFIX = "sample:"
PREVIEW_ROWS = 5


@dataclass(frozen=True)
class SampleCard:
    """What `sample.yaml` says."""

    title: str
    title_hu: str
    title_pl: str
    teaches: str
    source: str
    licence: str
    url: str
    chosen: str
    """How the rows were chosen from the source."""


@dataclass(frozen=True)
class Sample:
    """A shipped dataset."""

    info: DatasetInfo
    table: Table
    mapping: Mapping
    mapped: Mapped

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows to learn from."""
        return self.mapped.rows


def load_samples(folder: Path) -> dict[str, Sample]:
    """Every sample by its id, ordered by folder name.

    Raises:
        BadInput: a card lacks a field or has one too many, or the rows cannot be read.
    """
    cards = sorted(folder.glob("*/sample.yaml"))
    return {f"{PREFIX}{card.parent.name}": load_sample(card) for card in cards}


def load_sample(card_path: Path) -> Sample:
    """One sample from its card and the `rows` file beside it."""
    card = _card(card_path)
    table = _table(next(card_path.parent.glob("rows.*")))
    mapping = recognise(table)
    mapped = to_rows(table, mapping)
    info = DatasetInfo(
        id=f"{PREFIX}{card_path.parent.name}",
        name=card.title,
        sha256=table.sha256,
        shape=mapping.shape,
        columns=table.columns,
        prompt_column=mapping.prompt,
        completion_column=mapping.completion,
        rows=len(mapped.rows),
        preview=mapped.rows[:PREVIEW_ROWS],
        skipped=len(mapped.empty),
        source=card.source,
        licence=card.licence,
        url=card.url,
        teaches=card.teaches,
        titles={"en": card.title, "hu": card.title_hu, "pl": card.title_pl},
    )
    return Sample(info, table, mapping, mapped)


def _card(path: Path) -> SampleCard:
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    wanted = {field.name for field in fields(SampleCard)}
    if odd := wanted.symmetric_difference(values):
        problem = f"missing or unknown field {', '.join(sorted(odd))}"
        raise BadInput("prompt_file", file=f"{path.parent.name}/{path.name}", problem=problem)
    return SampleCard(**values)


def _table(path: Path) -> Table:
    """The rows, read in this process: what ships with the lab needs no fence."""
    data = path.read_bytes()
    return as_table(path.name, data, read(data, path.suffix))
