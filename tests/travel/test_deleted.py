"""An adapter that goes is gone in one step, whatever else is being done with it; nothing half-made stays."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demo.errors import NotFound
from demo.lab import Lab, own_adapters, own_folders
from demo.training import shelf
from demo.workspace import remove
from tests.methods.travel.zips import zipped
from tests.travel.looking import kept, tree

AN_ID = "0123456789abcdef"


@pytest.fixture
def mine(lab: Lab) -> str:
    return lab.new_workspace()


@pytest.fixture
def adapter(lab: Lab, mine: str, folders: dict[str, Path]) -> str:
    return lab.import_adapter(mine, "Mine", zipped(folders["lora"])).name


def deleting(function: Callable[..., Any], delete: Callable[[], None]) -> Callable[..., Any]:
    """A function that finds its work deleted once it is done."""

    def wrapped(*given: Any) -> Any:
        done = function(*given)
        delete()
        return done

    return wrapped


def test_an_adapter_is_gone_before_its_first_file_is_deleted(
    lab: Lab, mine: str, adapter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = []

    def rmtree(*_: object, **__: object) -> None:
        listed.append(lab.brought_adapters(mine))

    with monkeypatch.context() as patch:
        patch.setattr("demo.workspace.shutil.rmtree", rmtree)
        lab.delete_adapter(mine, adapter)
    assert listed
    assert not any(listed)
    with pytest.raises(NotFound):
        lab.delete_adapter(mine, adapter)


def test_a_list_leaves_out_what_goes_while_it_is_made(
    lab: Lab, mine: str, adapter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = deleting(own_folders.describe, lambda: lab.delete_adapter(mine, adapter))
    monkeypatch.setattr(own_folders, "describe", gone)
    assert own_folders.own_adapters(lab.workspaces.open(mine), None) == []


def test_a_new_name_brings_no_deleted_adapter_back(
    lab: Lab, mine: str, adapter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = deleting(own_adapters.read_json, lambda: remove(kept(lab, mine, adapter)))
    monkeypatch.setattr(own_adapters, "read_json", gone)
    with pytest.raises(NotFound):
        lab.rename_adapter(mine, adapter, "Another")
    assert tree(lab, mine) == ["adapters"]


@pytest.mark.parametrize("begun", [True, False])
def test_a_download_under_way_brings_no_deleted_adapter_back(
    lab: Lab, mine: str, adapter: str, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    def delete() -> None:
        remove(kept(lab, mine, adapter))

    if begun:
        monkeypatch.setattr(shelf, "_zip", deleting(shelf._zip, delete))
    else:
        monkeypatch.setattr(shelf, "new_id", deleting(lambda: AN_ID, delete))
    with pytest.raises(NotFound):
        lab.download(mine, adapter)
    assert list(lab.own_adapters.export_folder(mine, adapter).iterdir()) == []


def test_a_whole_model_under_way_goes_with_its_adapter(
    lab: Lab, mine: str, adapter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(path: Path, *_: object) -> None:
        path.write_bytes(b"zip")
        remove(kept(lab, mine, adapter))

    monkeypatch.setattr(lab.whole_models, "_write", write)
    with pytest.raises(NotFound):
        lab.whole_model(mine, adapter)
    assert list(lab.own_adapters.export_folder(mine, adapter).iterdir()) == []


def test_what_a_killed_lab_left_is_swept_and_nothing_else(
    lab: Lab, mine: str, adapter: str, folders: dict[str, Path]
) -> None:
    download = lab.download(mine, adapter)
    place, folder = download.parent, kept(lab, mine, adapter).parent
    prompt = place.parent / "prompts" / "mine.md"
    prompt.parent.mkdir()
    prompt.write_text("text")
    left = [folder / f".{AN_ID}", place / AN_ID, place / "tmpabc", prompt.with_name(f".x.{AN_ID}")]
    for path in (left[0], left[2]):
        shutil.copytree(folders["lora"], path)
    for path in (left[1], left[3]):
        path.write_bytes(b"half")
    under_way = [folder / ".fedcba9876543210", place / "fedcba9876543210"]
    for path in under_way:
        path.mkdir()
    for path in (*left, download, prompt, kept(lab, mine, adapter)):
        os.utime(path, (1, 1))
    own_folders.sweep(lab.workspaces.all(), lab.settings.served)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in (*under_way, download, prompt))
    assert [info.name for info in lab.brought_adapters(mine)] == [adapter]
