"""Everything that is asked of datasets: bringing them in, mapping their columns, the doctor and its fixes.

Whose workspace it is, and every limit, is decided here. Knows no run and no widget.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from demo.checks import bounded, checked_text, chosen
from demo.data.doctor.fixes import KEYS, LEAVE_LONG
from demo.data.encode import lengths
from demo.data.ingest import MOST_BYTES, require_size
from demo.data.pasted import FORMATS, file_name
from demo.data.store import DatasetStore
from demo.dataset_records import Fix, Report
from demo.engine.service import Engine
from demo.errors import BadInput, NotReady
from demo.run_records import DatasetInfo, Row, TrainSettings
from demo.workspace import Workspaces

EDITED_ROWS = 200
"""Rows that one table shows to be edited; the others stay as they are."""
LONGEST_CELL = 8_000
EDITED = " (edited)"
MOST_FIXES = 20
ALL_FIXES = "all"
MOST_LOOKS = 4
MOST_LENGTHS = 100_000
"""Remembered token counts, one number each."""


class Datasets:
    """The datasets of all workspaces behind one door."""

    engine: Engine
    workspaces: Workspaces
    datasets: DatasetStore
    _lengths: dict[int, int]

    def samples(self) -> list[DatasetInfo]:
        """The datasets that ship with the lab."""
        return self.datasets.samples()

    def own_datasets(self, workspace: str) -> list[DatasetInfo]:
        """The datasets that a workspace holds, the newest first."""
        return self.datasets.own(self.workspaces.open(workspace))

    def dataset(self, workspace: str, dataset: str) -> DatasetInfo:
        """A sample or an uploaded dataset."""
        return self.datasets.info(self._folder(workspace), dataset)

    def add_dataset(self, workspace: str, name: str, data: bytes) -> DatasetInfo:
        """Check an uploaded file and keep its rows in the workspace."""
        return self.datasets.add(self._roomy(workspace), name, data)

    def add_file(self, workspace: str, name: str, path: Path) -> DatasetInfo:
        """Check an uploaded file where it lies; one that is too large is never read."""
        require_size(name, path.stat().st_size)
        return self.add_dataset(workspace, name, path.read_bytes())

    def add_text(self, workspace: str, name: str, text: str, format: str = "auto") -> DatasetInfo:
        """Keep pasted text as a dataset, checked like a file of its format.

        Args:
            workspace: whose it will be.
            name: what it is called; empty: "pasted".
            text: at most as long as a file may be.
            format: `auto`, `csv`, `tsv`, `json`, `jsonl` or `txt`.
        """
        text = checked_text("text", text, MOST_BYTES)
        chosen("format", format, FORMATS)
        name = checked_text("name", name or "pasted", 60)
        return self.add_dataset(workspace, file_name(name, text, format), text.encode())

    def map_dataset(
        self, workspace: str, dataset: str, prompt: str, completion: str
    ) -> DatasetInfo:
        """Choose which column is the prompt (or none, for plain text) and which the completion."""
        return self.datasets.map(self.workspaces.open(workspace), dataset, prompt, completion)

    def first_row(
        self, workspace: str, dataset: str, prompt: str, completion: str
    ) -> tuple[str, Row | None]:
        """The first usable row with these columns, and its text as the model reads it.

        Returns:
            The text, empty while the model still loads; and the row, None where none is usable.
        """
        row = self.datasets.try_mapping(
            self.workspaces.open(workspace), dataset, prompt, completion
        )
        if row is None or row.raw:
            return (row.messages[0].content if row else ""), row
        with suppress(NotReady):
            tokenizer = self.engine.tokenizer
            return tokenizer.decode(tokenizer.chat(row.messages, answer=False), control=True), row
        return "", row

    def decode_dataset(self, workspace: str, dataset: str, encoding: str) -> DatasetInfo:
        """Read an upload's bytes as other letters."""
        return self.datasets.decode(self._roomy(workspace), dataset, encoding)

    def doctor(self, workspace: str, dataset: str, settings: TrainSettings) -> Report:
        """What would spoil a run over a dataset, and what can be done about it."""
        measure = partial(self._measured, template=settings.template)
        return self.datasets.doctor(self._folder(workspace), dataset, settings, measure)

    def fix_dataset(self, workspace: str, dataset: str, fixes: Sequence[Fix]) -> DatasetInfo:
        """Let exactly these fixes be in force; leaving one out takes it back.

        A sample stays as it is: its mended copy is a dataset of the workspace.
        """
        bounded("fix", len(fixes), 0, MOST_FIXES, int)
        for fix in fixes:
            bounded("max_length", fix.limit, 0, TrainSettings.RANGES["max_length"][1], int)
        return self.datasets.fix(self._roomy(workspace), dataset, fixes, self._measured)

    def mend_dataset(
        self, workspace: str, dataset: str, names: Sequence[str], settings: TrainSettings
    ) -> DatasetInfo:
        """Put fixes in force by name, beside those that are; returns the mended dataset.

        Args:
            workspace: whose it is.
            dataset: an upload, or a sample, which is copied where anything is to be mended.
            names: of fixes, or `all` for whatever the doctor offers, until nothing is left to offer.
            settings: of the run; they say how long a row may be.
        """
        if list(names) == [ALL_FIXES]:
            return self._all_mended(workspace, dataset, settings)
        for name in names:
            chosen("fixes", name, (ALL_FIXES, *KEYS))
        limits = {LEAVE_LONG: settings.max_length}
        wanted = [Fix(name, limits.get(name, 0)) for name in names]
        return self._mended(workspace, self.dataset(workspace, dataset), wanted)

    def _all_mended(self, workspace: str, dataset: str, settings: TrainSettings) -> DatasetInfo:
        """One fix may bring to light what another one mends, so the doctor looks again."""
        info = self.dataset(workspace, dataset)
        for _ in range(MOST_LOOKS):
            found = self.doctor(workspace, info.id, settings).findings
            offered = [finding.fix for finding in found if finding.fix]
            if not offered:
                break
            info = self._mended(workspace, info, offered)
        return info

    def _mended(self, workspace: str, info: DatasetInfo, wanted: Sequence[Fix]) -> DatasetInfo:
        before = [done.fix for done in info.fixes]
        return self.fix_dataset(workspace, info.id, list(dict.fromkeys([*before, *wanted])))

    def editable_rows(self, workspace: str, dataset: str) -> list[list[str]]:
        """The first rows as prompt and completion; plain text has an empty prompt.

        Raises:
            BadInput: they are conversations, which no table holds.
        """
        rows = self.datasets.rows(self._folder(workspace), dataset)
        if any(len(row.messages) > 2 for row in rows):
            raise BadInput("edit_conversations", file=self.dataset(workspace, dataset).name)
        return [_cells(row) for row in rows[:EDITED_ROWS]]

    def edit_rows(
        self, workspace: str, dataset: str, cells: Sequence[Sequence[Any]]
    ) -> DatasetInfo:
        """Keep a copy of a dataset whose first rows are these; the dataset itself stays as it is.

        Args:
            workspace: whose copy it will be.
            dataset: what was edited.
            cells: prompt and completion of the rows that `editable_rows` gave; wholly empty ones go.
        """
        self.editable_rows(workspace, dataset)
        bounded("rows", len(cells), 0, 2 * EDITED_ROWS, int)
        edited = [pair for pair in map(_checked, cells) if any(pair)]
        rest = self.datasets.rows(self._folder(workspace), dataset)[EDITED_ROWS:]
        info = self.dataset(workspace, dataset)
        about = {name: getattr(info, name) for name in ("source", "licence", "url")}
        data = _lines([*edited, *map(_cells, rest)])
        name = f"{Path(info.name).stem.removesuffix(EDITED)}{EDITED}.jsonl"
        return self.datasets.add(self._roomy(workspace), name, data, about)

    def _measured(self, rows: Sequence[Row], template: str = "own") -> list[int]:
        """Tokens of every row; those counted before are remembered, the rows are not."""
        keys = [hash((row.messages, row.raw, template)) for row in rows]
        before = self._lengths
        known = {key: before[key] for key in keys if key in before}
        missing = {k: row for k, row in zip(keys, rows, strict=True) if k not in known}
        counted = lengths(self.engine.tokenizer, missing.values(), template)
        known |= dict(zip(missing, counted, strict=True))
        # Replaced, never changed: visitors' threads read it at the same time.
        self._lengths = known if len(before) > MOST_LENGTHS else before | known
        return [known[key] for key in keys]

    def _roomy(self, workspace: str) -> Path:
        folder = self.workspaces.open(workspace)
        self.workspaces.require_room(folder)
        return folder

    def _folder(self, workspace: str) -> Path | None:
        return self.workspaces.open(workspace) if workspace else None


def _cells(row: Row) -> list[str]:
    prompt = "" if row.raw else row.messages[0].content
    return [prompt, row.messages[-1].content]


def _checked(cells: Sequence[Any]) -> list[str]:
    """Prompt and completion as a visitor left them in the table."""
    names = ("prompt", "completion")
    texts = [str(cell) if cell is not None else "" for cell in list(cells)[:2]]
    texts += [""] * (2 - len(texts))
    return [
        checked_text(name, text, LONGEST_CELL, empty=True).strip()
        for name, text in zip(names, texts, strict=True)
    ]


def _lines(pairs: Sequence[Sequence[str]]) -> bytes:
    """Pairs as a JSONL file; as plain text where no prompt is among them."""
    raw = not any(prompt for prompt, _ in pairs)
    rows = [
        {"text": completion} if raw else {"prompt": prompt, "completion": completion}
        for prompt, completion in pairs
    ]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
