"""Capabilities open exactly one folder; files are old or new, never half."""

import os
import shutil
from pathlib import Path

import pytest

from demo.errors import NotFound
from demo.workspace import Workspaces, inside, new_id, write_atomic


@pytest.fixture
def workspaces(tmp_path: Path) -> Workspaces:
    return Workspaces(tmp_path / "workspaces", megabytes=1, keep_days=1)


def test_a_capability_opens_its_folder_and_is_not_stored(workspaces: Workspaces) -> None:
    capability = workspaces.create()
    folder = workspaces.open(capability)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert capability not in str(folder)


@pytest.mark.parametrize("given", ["", None, 7, "../../etc", "a" * 43, "A" * 42, ["x"], "ü" * 43])
def test_what_is_no_capability_is_not_found(workspaces: Workspaces, given: object) -> None:
    workspaces.create()
    with pytest.raises(NotFound):
        workspaces.open(given)


def test_a_deleted_workspace_is_not_found(workspaces: Workspaces) -> None:
    capability = workspaces.create()
    workspaces.delete(capability)
    with pytest.raises(NotFound):
        workspaces.open(capability)


def test_a_workspace_is_gone_before_its_first_file_is_deleted(
    workspaces: Workspaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    capability = workspaces.create()
    (workspaces.open(capability) / "adapters").mkdir()

    def late(*_: object, **__: object) -> None:
        with pytest.raises(NotFound):
            workspaces.open(capability)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", late)
        workspaces.delete(capability)
    assert list(workspaces.all()) == []
    (left,) = workspaces.root.iterdir()
    workspaces.expire()
    assert not left.exists()


def test_a_workspace_that_goes_meanwhile_does_not_stop_the_others_from_expiring(
    workspaces: Workspaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = workspaces.open(workspaces.create())
    os.utime(old, (1, 1))
    gone = workspaces.root / "gone"
    monkeypatch.setattr(workspaces, "all", lambda: iter([gone, old]))
    workspaces.expire()
    assert not old.exists()


def test_only_untouched_workspaces_expire(workspaces: Workspaces) -> None:
    old, fresh = workspaces.create(), workspaces.create()
    folder = workspaces.open(old)
    os.utime(folder, (1, 1))
    workspaces.expire()
    assert not folder.exists()
    assert workspaces.open(fresh).exists()


@pytest.mark.parametrize("name", ["..", "a/b", "", "0123456789ABCDEF", "0123456789abcde", None])
def test_a_name_that_the_lab_did_not_make_is_not_found(tmp_path: Path, name: object) -> None:
    (tmp_path / "0123456789abcde").mkdir()
    with pytest.raises(NotFound):
        inside(tmp_path, name)


def test_a_made_name_is_found(tmp_path: Path) -> None:
    name = new_id()
    (tmp_path / name).mkdir()
    assert inside(tmp_path, name) == tmp_path / name


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    write_atomic(path, "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
