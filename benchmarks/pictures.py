"""Photograph every tab of the running lab: two widths, light and dark, three languages, empty and in use.

`python -m benchmarks.pictures FOLDER` starts the app in a home of its own, trains a few steps for the
pictures in use, and writes PNG files; `playground-en-1280-light-used.png` is one of them.
"""

import csv
import itertools
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from demo.settings import ROOT
from tests.browser.steps import TABS, LabPage
from tests.browser.visitor import Visitor, chromium
from tests.running import RunningApp, start_app, stop_app

WIDTHS = (1280, 390)
THEMES = ("light", "dark")
LANGUAGES = ("en", "hu", "pl")
QUESTION = "What is photosynthesis?"
FACTS = "name[Blue Spice], eatType[coffee shop], customer rating[5 out of 5], area[riverside]"
TITLE = "Restaurants"
STEPS = 12


def main(folder: Path) -> None:
    """Take all pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        app = start_app(Path(home))
        try:
            app.wait_until_ready()
            _photograph_lab(browser, app, folder)
        finally:
            stop_app(app)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


def _photograph_lab(browser: Browser, app: RunningApp, folder: Path) -> None:
    """One visitor who looks in every language, uses every tab once, and looks again."""
    with Visitor.arrive(browser, app.url, device_scale_factor=1.5) as visitor:
        lab = LabPage(visitor.page).wait_until_ready()
        for language in LANGUAGES:
            _photograph(lab.switch_language(language), folder, "empty")
        _use(lab.switch_language("en"), Path(tempfile.mkdtemp(dir=app.home)))
        for language in LANGUAGES:
            _photograph(lab.switch_language(language), folder, "used")


def _photograph(lab: LabPage, folder: Path, state: str) -> None:
    for tab, width, theme in itertools.product(TABS, WIDTHS, THEMES):
        lab.page.set_viewport_size({"width": width, "height": 900})
        lab.open_tab(tab)
        lab.page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
        lab.page.mouse.move(0, 0)
        lab.page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0) }")
        file = folder / f"{tab}-{lab.language}-{width}-{theme}-{state}.png"
        lab.page.screenshot(path=file, full_page=True, animations="disabled")


def _use(lab: LabPage, folder: Path) -> None:
    """Ask, train for a minute, and compare, as a visitor does."""
    lab.open_tab("finetune")
    lab.upload(_rows(folder))
    lab.set_training(max_steps=STEPS)
    lab.start_run(TITLE)
    lab.wait_for_run(TITLE)
    lab.page.locator("#compare-it").click()
    lab.page.locator("#question textarea").fill(FACTS)
    lab.set_longest_answer(60)
    lab.unfold("framing.sampling")
    lab.compare()
    lab.open_tab("playground")
    lab.ask(QUESTION)


def _rows(folder: Path) -> Path:
    """The restaurant sample as a file of the visitor's own."""
    with (ROOT / "demo/samples/restaurants/rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    path = folder / f"{TITLE}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/pictures"))
