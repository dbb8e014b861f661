"""What an adapter has learned from is found through the runs before it and the parts of a sum."""

import json
from pathlib import Path

from demo.errors import NotFound
from demo.lab.lineage import lineage
from demo.run_records import TrainSettings
from demo.training.run_folder import RunFolder, RunOrder


def trained(workspace: Path, run: str, parent: str = "") -> None:
    settings, model = TrainSettings(), {"source": ""}
    order = RunOrder(run, run, 0.0, {"id": ""}, settings, model, {}, parent=parent)
    RunFolder.create(workspace / "runs", order, (), ())


def merged(workspace: Path, name: str, *parts: str) -> None:
    folder = workspace / "adapters" / name
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"parents": [{"id": part} for part in parts]}))


def behind(workspace: Path, *names: str) -> set[str]:
    def folder_of(name: str) -> Path:
        run, own = workspace / "runs" / name, workspace / "adapters" / name
        if not run.is_dir() and not own.is_dir():
            raise NotFound
        return run / "adapter" if run.is_dir() else own

    return {run.path.name for run in lineage(names, folder_of)}


def test_a_run_that_continues_another_has_learned_its_rows_too(tmp_path: Path) -> None:
    trained(tmp_path, "first")
    trained(tmp_path, "second", parent="first")
    trained(tmp_path, "third", parent="second")
    assert behind(tmp_path, "third") == {"first", "second", "third"}


def test_a_sum_has_learned_what_its_parts_have(tmp_path: Path) -> None:
    trained(tmp_path, "one")
    trained(tmp_path, "two", parent="one")
    merged(tmp_path, "inner", "two", "deleted")
    merged(tmp_path, "outer", "inner", "two")
    assert behind(tmp_path, "outer") >= {"one", "two"}


def test_what_is_gone_or_goes_in_circles_ends_the_search(tmp_path: Path) -> None:
    trained(tmp_path, "late", parent="deleted")
    trained(tmp_path, "a", parent="b")
    trained(tmp_path, "b", parent="a")
    assert behind(tmp_path, "late", "a", "nobody") == {"late", "deleted", "a", "b"}
