"""A poll of the page: one look at the folders, what has ended is offered, and no picture spoils the rest."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from demo.lab import Lab
from demo.run_records import TrainSettings
from demo.settings import LabSettings
from demo.training.run_folder import RunFolder, new_order
from demo.ui.following import Pages, look_again, poll
from demo.ui.language import Labels, Texts
from demo.ui.memory import browser_memory
from demo.ui.page import _tabs
from demo.ui.shell import Shell
from demo.ui.tuning import sweep


@pytest.fixture(scope="module")
def page(own_home: Path) -> Iterator[tuple[Shell, Pages]]:
    """The tabs over a lab whose model was never loaded."""
    lab, texts = Lab(LabSettings(home=own_home)), Texts.load()
    with gr.Blocks():
        language = gr.Radio(["en"], value="en")
        shell = Shell(lab, texts, Labels(texts), browser_memory(), language)
        yield shell, _tabs(shell)


@pytest.fixture
def workspace(page: tuple[Shell, Pages]) -> str:
    return page[0].lab.new_workspace()


def add_run(shell: Shell, workspace: str, status: str, **order: Any) -> RunFolder:
    """A run's folder as a worker leaves it."""
    dataset = dict.fromkeys(("id", "name", "sha256", "source", "licence"), "")
    given: dict[str, Any] = {"dataset": dataset, "settings": TrainSettings(max_steps=4)}
    given |= {"name": "Mine", "model": {}, "fingerprint": {}} | order
    folder = shell.lab.workspaces.open(workspace) / "runs"
    run = RunFolder.create(folder, new_order(**given), [], [])
    run.change_state(status=status)
    return run


def given(workspace: str, run: RunFolder | None = None, told: Any = None) -> dict[str, Any]:
    memory = {"workspace": workspace, "run": run.path.name if run else ""}
    chosen = {"speaks": "base", "adapters": [], "waits": "", "sweep": None, "told": told}
    return {"memory": memory, "language": "en"} | chosen


def test_a_poll_of_a_run_under_way_looks_at_the_folders_once(
    page: tuple[Shell, Pages], workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, pages = page
    run, looks = add_run(shell, workspace, "running"), []
    told = poll(shell, pages, **given(workspace, run))[pages.banner]
    register, read = shell.lab.runs.register, shell.lab.runs.register.states
    monkeypatch.setattr(register, "states", lambda folder: looks.append(folder) or read(folder))
    monkeypatch.setattr(register, "state", None)
    assert poll(shell, pages, **given(workspace, run, told))[pages.banner]["live"]
    assert len(looks) == 1


def test_what_has_ended_is_offered_while_a_sweep_goes_on(
    page: tuple[Shell, Pages], workspace: str
) -> None:
    shell, pages = page
    runs = pages.fine_tune.shelf.runs
    full = add_run(shell, workspace, "running")
    add_run(shell, workspace, "queued", sweep="s", varied="rank")
    told = poll(shell, pages, **given(workspace, full))[pages.banner]
    assert runs not in poll(shell, pages, **given(workspace, full, told))
    full.change_state(status="stopped")
    shown = poll(shell, pages, **given(workspace, full, told))
    assert ["stopped" in name for name, _ in shown[runs]["choices"]].count(True) == 1
    assert "value" not in shown[runs]
    assert shown[pages.banner]["live"]
    assert runs not in poll(shell, pages, **given(workspace, full, shown[pages.banner]))
    acted = look_again(shell, pages, **given(workspace, full))
    assert acted[runs]["value"] == full.path.name


def test_a_sweep_that_cannot_be_drawn_leaves_the_rest_of_the_page(
    page: tuple[Shell, Pages], workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, pages = page
    run = add_run(shell, workspace, "running")

    def fail(*_: Any) -> None:
        raise ValueError("min() of nothing")

    monkeypatch.setattr(sweep, "shown", fail)
    shown = poll(shell, pages, **given(workspace, run))
    assert "Mine" in shown[pages.banner]["html"]
    assert "went wrong" in shown[pages.fine_tune.sweep.view]


def test_the_full_run_of_a_taste_is_followed_to_its_end(
    page: tuple[Shell, Pages], workspace: str
) -> None:
    shell, pages = page
    said = pages.fine_tune.control.taste.said
    full = add_run(shell, workspace, "queued")
    taste = add_run(shell, workspace, "stopped", taste=True)
    shown = poll(shell, pages, **given(workspace, taste))
    assert shown[pages.banner]["live"]
    assert "keeps its place" in shown[said]
    full.change_state(status="stopped")
    shown = poll(shell, pages, **given(workspace, taste, shown[pages.banner]))
    assert "has ended" in shown[said]
    assert not shown[pages.banner]["live"]
