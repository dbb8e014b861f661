"""What is taken home: code that names no place of this machine, files that nobody finds and that go."""

import os
import time
from pathlib import Path

import pytest

from demo.errors import BadInput, NotFound
from demo.lab import Lab
from demo.lab import keeping as keeping_module
from demo.lab.keeping import KEEP_SECONDS, LARGEST, Keeping
from demo.records import AnswerRequest, conversation
from demo.settings import LabSettings


@pytest.fixture
def keeping(lab: Lab, tmp_path: Path) -> Keeping:
    return Keeping(
        LabSettings(home=tmp_path), lab.engine, lab.workspaces, lambda *_: tmp_path, lab.render
    )


def test_a_file_lies_where_it_is_served_under_a_name_of_its_own(
    keeping: Keeping, tmp_path: Path
) -> None:
    paths = [keeping.save("", "report.html", b"x") for _ in range(2)]
    assert paths[0] != paths[1]
    assert all(path.is_relative_to(LabSettings(home=tmp_path).served) for path in paths)
    assert all(len(path.parent.name) >= 32 for path in paths)
    assert [path.read_bytes() for path in paths] == [b"x", b"x"]


def test_a_file_goes_after_a_day(keeping: Keeping) -> None:
    old, new = keeping.save("", "a.json", b"x"), keeping.save("", "b.json", b"x")
    then = time.time() - KEEP_SECONDS - 1
    os.utime(old.parent, (then, then))
    keeping.tidy()
    assert (old.exists(), new.exists()) == (False, True)


def test_the_oldest_files_make_room_for_a_new_one(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping_module, "ROOM", 25)
    paths = []
    for age in (30, 20, 10):
        paths.append(keeping.save("", "a.json", b"x" * 10))
        os.utime(paths[-1].parent, (time.time() - age,) * 2)
    keeping.tidy()
    assert [path.exists() for path in paths] == [False, True, True]


def test_files_go_with_their_workspace_and_no_other_does(lab: Lab) -> None:
    mine, other = lab.new_workspace(), lab.new_workspace()
    gone, left = (lab.keeping.save(owner, "report.html", b"x") for owner in (mine, other))
    assert mine not in str(gone)
    lab.delete_workspace(mine)
    assert (gone.exists(), left.exists()) == (False, True)
    with pytest.raises(NotFound):
        lab.keeping.save(mine, "report.html", b"x")


def test_a_file_that_is_too_large_is_refused(keeping: Keeping) -> None:
    with pytest.raises(BadInput, match="the most is 8 MB"):
        keeping.save("", "a.json", b"x" * (LARGEST + 1))


def test_the_code_names_no_place_of_this_machine(lab: Lab) -> None:
    for adapter in ("base", "restaurants", "restaurants@0.5 + worked-steps@0.5"):
        lines = lab.keeping.code(AnswerRequest(conversation("Hi"), adapter=adapter))
        assert str(lab.settings.home) not in lines
        assert "/data/" not in lines
    assert '"adapters/restaurants"' in lines
    assert '[0.5, 0.5], "blend"' in lines


def test_code_is_shown_for_what_could_be_asked_only(lab: Lab) -> None:
    with pytest.raises(BadInput, match="message is empty"):
        lab.keeping.code(AnswerRequest(conversation(" ")))
    with pytest.raises(NotFound):
        lab.keeping.code(AnswerRequest(conversation("Hi"), adapter="0123456789abcdef"))
