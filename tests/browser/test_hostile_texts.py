"""Texts that would like to be markup: wherever the page shows them, nothing runs and nothing is fetched."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage
from tests.browser.test_shots import choose, press, set_count

HOSTILE = (
    "<img src=hostile.png onerror=window.hit=1><script>window.hit=1</script>"
    "<svg onload=window.hit=1>${window.hit=1}{{value}}"
)
SHORT = "<img src=hostile.png onerror=window.hit=1>"
"""As long as a title may be."""
ESCAPED = HOSTILE.replace("$", "$$")
PROMPT = f"""---
title: {json.dumps("Imported " + SHORT)}
task: {json.dumps("Task " + SHORT)}
technique: few-shot
teaches: {json.dumps("Teaches " + SHORT)}
---
## system
{ESCAPED}
## user
{ESCAPED}
## assistant
{ESCAPED}
## user
$input
"""
BUILT = """() => [window.hit ?? null, document.querySelectorAll(
    'img[src="hostile.png"], [onerror], svg[onload]').length,
    [...document.querySelectorAll('script')].filter(s => s.textContent.includes('window.hit=1')
        && !s.src && s.textContent.length < 200).length]"""


@pytest.fixture
def asked_for() -> list[str]:
    """Every address that a page has asked for."""
    return []


@pytest.fixture
def lab(visit: OpenVisitor, asked_for: list[str]) -> LabPage:
    page = visit(accept_downloads=True).page
    page.on("request", lambda request: asked_for.append(request.url))
    lab = LabPage(page).wait_until_ready()
    lab.set_longest_answer(8)
    return lab


def assert_harmless(page: Page, asked_for: list[str]) -> None:
    page.wait_for_timeout(200)
    assert page.evaluate(BUILT) == [None, 0, 0]
    assert [address for address in asked_for if "hostile" in address] == []


def kept_report(lab: LabPage, file: Path) -> str:
    with lab.page.expect_download() as coming:
        lab.button("keep.page").click()
    coming.value.save_as(file)
    return file.read_text(encoding="utf-8")


def assert_report_harmless(browser: Browser, file: Path) -> None:
    """A report by itself, in a browser that writes down what it asks for."""
    asked_for: list[str] = []
    page = browser.new_context().new_page()
    page.on("request", lambda request: asked_for.append(request.url))
    page.goto(file.as_uri())
    assert page.get_by_text("onerror=window.hit=1").count() > 0
    assert_harmless(page, asked_for[1:])
    assert asked_for == [file.as_uri()]
    page.context.close()


def look(lab: LabPage) -> None:
    lab.page.locator("#next_token button.fold-button").click()
    expect(lab.page.locator("table.next-token tbody tr").first).to_be_visible()


def draw(lab: LabPage) -> None:
    lab.button("draws.go").click()
    expect(lab.page.locator("#draws .verdict")).to_be_visible()


def vote(lab: LabPage) -> None:
    lab.panel().get_by_label(lab.text("votes.truth")).fill(HOSTILE)
    lab.button("votes.go").click()
    expect(lab.page.locator("#votes details.chain").first).to_be_visible()


def judge(lab: LabPage) -> None:
    lab.page.locator("#judge-before textarea").fill(HOSTILE)
    lab.page.locator("#judge-options textarea").fill(f"one {HOSTILE}\ntwo {HOSTILE}")
    lab.button("judge.go").click()
    expect(lab.page.locator("#judge-view .options li")).to_have_count(2)


def attend(lab: LabPage) -> None:
    lab.page.locator("#attention button.fold-button").click()
    expect(lab.page.locator(".attention-said")).to_be_visible()


def measure(lab: LabPage) -> None:
    for name, value in (("shots", 1), ("questions", 4), ("orders", 0), ("random_labels", 0)):
        field = lab.page.locator("#sensitivity").get_by_label(lab.text(f"sensitivity.{name}"))
        field.first.fill(str(value))
        field.first.press("Tab")
    lab.page.locator("#sensitivity textarea").fill(f"Mood? {HOSTILE}\nHappy? {HOSTILE}")
    lab.button("sensitivity.go").click()
    expect(lab.page.locator("#sensitivity-view .verdict")).to_be_visible()


def show_code(lab: LabPage) -> None:
    lab.button("code.go").click()
    expect(lab.page.locator("#shown-code pre")).to_contain_text("onerror")


LOOKS: dict[str, Callable[[LabPage], Any]] = {
    "next_token": look,
    "draws": draw,
    "votes": vote,
    "judge": judge,
    "attention": attend,
    "sensitivity": measure,
    "code": show_code,
}
"""Fold -> how it comes to show a hostile text."""


def test_a_hostile_message_stays_text_in_every_fold_and_in_the_report(
    lab: LabPage, browser: Browser, tmp_path: Path, asked_for: list[str]
) -> None:
    lab.unfold("playground.reads")
    lab.unfold("lens.title")
    lab.page.locator("#watch input").check()
    lab.ask(HOSTILE)
    expect(lab.page.locator("#lens-view .lens-question")).to_contain_text("onerror")
    lab.page.locator("#message textarea").fill(HOSTILE)
    expect(lab.page.locator("#reads .exact")).to_contain_text("onerror")
    assert_harmless(lab.page, asked_for)
    for fold, show in LOOKS.items():
        lab.unfold(f"{fold}.title")
        show(lab)
        assert_harmless(lab.page, asked_for)
    lab.unfold("keep.title")
    file = tmp_path / "report.html"
    html = kept_report(lab, file)
    assert_report_harmless(browser, file)
    # Nor does anything run without the policy that the report carries.
    bare = tmp_path / "bare.html"
    bare.write_text(html.replace("Content-Security-Policy", "x-nothing"), encoding="utf-8")
    assert_report_harmless(browser, bare)
    assert_harmless(lab.page, asked_for)


def test_hostile_shots_titles_and_prompt_files_stay_text(
    lab: LabPage, browser: Browser, tmp_path: Path, asked_for: list[str]
) -> None:
    lab.page.locator("#message textarea").fill("2 + 2?")
    lab.unfold("playground.reads")
    lab.unfold("shots.title")
    choose(lab, "shots.source", "typed")
    lab.panel().get_by_label(lab.text("shots.typed")).first.fill(f"{HOSTILE} => {HOSTILE}")
    set_count(lab, 1)
    expect(lab.panel().locator(".shot-list li")).to_contain_text("onerror")
    expect(lab.page.locator("#reads .exact")).to_contain_text("onerror")
    assert_harmless(lab.page, asked_for)

    lab.unfold("own_prompts.title")
    title = lab.panel().get_by_label(lab.text("own_prompts.name"), exact=True)
    title.fill(f"Own {SHORT}")
    lab.button("own_prompts.save").click()
    expect(lab.button("own_prompts.delete")).to_be_enabled()
    file = tmp_path / "hostile.md"
    file.write_text(PROMPT, encoding="utf-8")
    with lab.page.expect_file_chooser() as chooser:
        press(lab, "own_prompts.upload")
    chooser.value.set_files(file)
    lab.unfold("framing.prompt_file")
    chosen = lab.panel().locator(".prompt-choice input")
    expect(chosen).to_have_value(f"yours · Task {SHORT} · few-shot · Imported {SHORT}")
    chosen.click()
    expect(lab.page.get_by_role("option", name="Own <img").first).to_be_visible()
    lab.page.keyboard.press("Escape")
    choose(lab, "shots.source", "file")
    expect(lab.panel().locator(".shot-list li").first).to_contain_text("onerror")
    assert_harmless(lab.page, asked_for)

    lab.ask("2 + 2?")
    lab.unfold("keep.title")
    report = tmp_path / "report.html"
    assert HOSTILE not in kept_report(lab, report)
    assert_report_harmless(browser, report)
    assert_harmless(lab.page, asked_for)
