"""Many wait: a visitor is offered a taste, watches a recorded run, and finds back to the full one."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from demo.lab.tastes import CROWDED
from demo.run_records import TrainSettings
from demo.training.processes import began
from demo.training.run_folder import RunFolder, new_order
from demo.workspace import Workspaces
from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations


def run_of(workspaces: Workspaces, name: str) -> RunFolder:
    dataset = dict.fromkeys(("id", "name", "sha256", "source", "licence"), "")
    settings = TrainSettings()
    order = new_order(name=name, dataset=dataset, settings=settings, model={}, fingerprint={})
    return RunFolder.create(workspaces.open(workspaces.create()) / "runs", order, [], [])


@pytest.fixture
def crowd(lab_home: Path) -> Iterator[None]:
    """One run that seems to train, and six that wait; in the end nobody's run is left to begin."""
    workspaces = Workspaces(lab_home / "data" / "workspaces", 300, 7)
    worker = subprocess.Popen(["sleep", "600"])
    trains = run_of(workspaces, "trains")
    mark = {"pid": worker.pid, "pid_started": began(worker.pid), "begun": time.time()}
    trains.change_state(status="running", steps=100, **mark)
    for number in range(CROWDED):
        run_of(workspaces, f"waits {number}")
    yield
    for runs in workspaces.root.glob("*/runs"):
        for run in runs.iterdir():
            if run != trains.path and RunFolder(run).state().status == "queued":
                shutil.rmtree(run)
    shutil.rmtree(trains.path)
    worker.kill()
    worker.wait()


@pytest.mark.usefixtures("crowd")
def test_visitor_behind_many_has_a_taste_while_a_recorded_run_plays(visit: OpenVisitor) -> None:
    page = visit(width=390).page
    lab = LabPage(page).wait_until_ready()
    lab.open_tab("finetune")
    place = page.locator("#taste")
    expect(place).to_contain_text("More than five runs wait in line")
    expect(page.locator("#plan .plan").first).to_be_visible()
    page.locator("#train").click()
    expect(place).to_contain_text("More than five runs stand before yours")
    expect(page.locator("#recorded-story")).to_contain_text("not your run")
    expect(page.locator("#recorded-lapse li")).to_have_count(3)
    page.locator("#recorded-lapse .lapse-slider").focus()
    page.keyboard.press("Home")
    expect(page.locator("#recorded-lapse .lapse-step")).to_have_text("before the first step")
    page.wait_for_timeout(2500)  # Two polls later it still stands where the visitor has left it.
    expect(page.locator("#recorded-lapse .lapse-step")).to_have_text("before the first step")
    assert violations(page) == []
    assert lab.overflow() <= 0

    page.locator("#have-taste").click()
    expect(place).to_contain_text("This is a taste")
    expect(page.locator("#banner")).to_contain_text("Restaurant sentences · taste")
    page.locator("#back").click()
    expect(page.locator("#banner")).not_to_contain_text("taste")
    expect(place).to_contain_text("stand before yours")
