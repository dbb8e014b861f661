"""One dataset's folder: the table as it came, what was chosen and mended, and the rows that follow from both.

Knows nothing of who may open it. The rows can be made anew from the table at any time.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from demo.data.doctor.fixes import LEAVE_DAMAGED, Measure, Mended, apply
from demo.data.ingest import Table, encoding_of, table_parts
from demo.data.rows import Mapped, to_rows
from demo.data.samples import PREVIEW_ROWS
from demo.data.shapes import Mapping
from demo.dataset_records import Damage, Example, Fix, FixDone
from demo.errors import BadInput
from demo.run_records import DatasetInfo, Row
from demo.workspace import new_id, read_json, write_atomic, write_json

SOURCE = "source"
"""The file itself, kept only where its letters can be read in several ways."""


@dataclass(frozen=True)
class Recipe:
    """How rows are made of a table."""

    mapping: Mapping
    fixes: tuple[Fix, ...] = ()
    about: dict[str, str] = field(default_factory=dict)
    """Source, licence and the like, where it began as a sample."""


def not_measured(_: Any) -> list[int]:
    """Stands for a tokenizer where no fix needs one."""
    raise AssertionError("no fix that counts tokens was expected")


class DatasetFolder:
    """Reads and writes one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(
        cls, datasets: Path, table: Table, recipe: Recipe, source: bytes = b""
    ) -> DatasetInfo:
        """Write the folder beside its place and move it there, so that it is complete or absent."""
        dataset = new_id()
        aside = cls(datasets / f".{dataset}")
        aside.path.mkdir()
        try:
            if table.encoding.candidates and source:
                write_atomic(aside.path / SOURCE, source)
            aside.write_table(table)
            info = aside.write(recipe, not_measured)
            os.replace(aside.path, datasets / dataset)
        finally:
            shutil.rmtree(aside.path, ignore_errors=True)
        return info

    @property
    def id(self) -> str:
        """The dataset's id."""
        return self.path.name.removeprefix(".")

    def write_table(self, table: Table) -> None:
        """Keep the table as it came."""
        write_atomic(self.path / "table.json", json.dumps(asdict(table), ensure_ascii=False))

    def write(self, recipe: Recipe, measure: Measure) -> DatasetInfo:
        """Make the rows anew and keep them with what is known of them.

        Raises:
            BadInput: not one row is left.
        """
        table = self.table()
        mapped = to_rows(table, recipe.mapping)
        mended = apply(mapped, recipe.fixes, measure)
        if not mended.rows and recipe.mapping.certain:
            raise BadInput("nothing_trained", file=table.name)
        info = replace(described(self.id, table, recipe, mapped), **_after(mended, recipe))
        lines = [json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in mended.rows]
        write_atomic(self.path / "rows.jsonl", "".join(lines))
        write_json(self.path / "recipe.json", asdict(recipe))
        write_json(self.path / "dataset.json", asdict(info))
        return info

    def table(self) -> Table:
        """The records as they stand in the file."""
        values = read_json(self.path / "table.json")
        return Table(values["name"], values["sha256"], **table_parts(values))

    def source(self) -> bytes:
        """The file itself. Raises FileNotFoundError where it was not kept."""
        return (self.path / SOURCE).read_bytes()

    def recipe(self) -> Recipe:
        """How its rows are made now."""
        values = read_json(self.path / "recipe.json")
        fixes = tuple(Fix(**fix) for fix in values["fixes"])
        return Recipe(Mapping(**values["mapping"]), fixes, values["about"])

    def rows(self) -> tuple[Row, ...]:
        """The rows as mapped and mended."""
        lines = (self.path / "rows.jsonl").read_text(encoding="utf-8").split("\n")
        return tuple(Row.from_json(json.loads(line)) for line in lines if line)

    def info(self) -> DatasetInfo:
        """What the page shows of it."""
        values = read_json(self.path / "dataset.json")
        values["columns"] = tuple(values["columns"])
        values["preview"] = tuple(map(Row.from_json, values["preview"]))
        values["damaged"] = tuple(Damage(**damage) for damage in values["damaged"])
        values["fixes"] = tuple(map(_done, values["fixes"]))
        values["encoding"] = encoding_of(values["encoding"])
        return DatasetInfo(**values)


def described(dataset: str, table: Table, recipe: Recipe, mapped: Mapped) -> DatasetInfo:
    """What is known of a dataset before it is mended."""
    left_out = {fix.key for fix in recipe.fixes}
    return DatasetInfo(
        id=dataset,
        name=table.name,
        sha256=table.sha256,
        shape=recipe.mapping.shape,
        columns=table.columns,
        prompt_column=recipe.mapping.prompt,
        completion_column=recipe.mapping.completion,
        rows=len(mapped.rows),
        preview=mapped.rows[:PREVIEW_ROWS],
        skipped=len(mapped.empty),
        mapped=recipe.mapping.certain,
        encoding=table.encoding,
        damaged=() if LEAVE_DAMAGED in left_out else mapped.damaged,
    )


def _after(mended: Mended, recipe: Recipe) -> dict[str, Any]:
    preview = mended.rows[:PREVIEW_ROWS]
    rows = {"rows": len(mended.rows), "preview": preview, "fixes": mended.done}
    return rows | recipe.about


def _done(values: dict[str, Any]) -> FixDone:
    examples = tuple(Example(**example) for example in values["examples"])
    return FixDone(**values | {"fix": Fix(**values["fix"]), "examples": examples})
