"""The token lens in a real browser: every token with what the model thought, by keyboard, and branches from it."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations

STOP_AT = """() => {{
    const button = document.querySelector('{button}');
    const tokens = document.querySelectorAll('#lens-view .lens-token').length;
    if (tokens < {least} || !button?.checkVisibility()) return false;
    button.click();
    return true;
}}"""
"""An answer takes a second or two: the button is pressed as soon as some of it is there."""
STOP_ANSWER = STOP_AT.format(button="#tabs button.when-busy", least=8)
STOP_BRANCH = STOP_AT.format(button="#lens button.lens-stop", least=4)
SETTLED_MS = 1000
"""Tokens that were on their way when the button was pressed may still come, or go."""
QUESTION = "What is photosynthesis?"


def open_lens(lab: LabPage) -> Locator:
    lab.page.locator("#lens button.label-wrap").click()
    lab.page.get_by_label(lab.text("lens.watch")).check()
    return lab.page.locator("#lens-view")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label')"))


def test_student_reads_tokens_by_keyboard_and_goes_on_from_another(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    lab.set_longest_answer(16)
    view, page = open_lens(lab), lab.page
    expect(view.locator(".lens-token")).to_have_count(0)
    lab.ask(QUESTION)
    tokens = view.locator(".lens-token")
    expect(tokens).to_have_count(16)
    said = "".join(token.text_content() or "" for token in tokens.all())
    assert said == page.locator("#chat .answer .said").text_content()

    tokens.nth(1).click()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert re.search(r"%, rank 1$", focused(page))
    expect(tokens.nth(3)).to_be_focused()
    expect(view.locator('.lens-token[tabindex="0"]')).to_have_count(1)
    others = view.locator(".lens-others li")
    expect(others).to_have_count(5)
    expect(
        view.locator(".lens-others [aria-current], .lens-others li[aria-current]")
    ).to_have_count(1)

    page.keyboard.press("ArrowDown")
    wanted = page.locator("*:focus .lens-text").text_content()
    page.keyboard.press("Enter")
    branches = view.locator(".lens-branch")
    expect(branches).to_have_count(2)
    expect(view.locator('.lens[data-busy="false"]')).to_have_count(1)
    expect(branches.nth(1)).to_have_attribute("aria-current", "true")
    expect(tokens.nth(3)).to_have_text(str(wanted), use_inner_text=False)
    expect(tokens.nth(3)).to_be_focused()
    expect(tokens).to_have_count(16)

    branches.nth(0).click()
    assert "".join(token.text_content() or "" for token in tokens.all()) == said
    assert violations(page) == []
    assert lab.overflow() <= 0

    polish = lab.switch_language("pl")
    expect(view.get_by_text(polish.said("lens.legend"))).to_be_visible()
    polish.button("playground.fresh").click()
    expect(tokens).to_have_count(0)


def test_what_the_model_says_is_text_and_not_markup(visit: OpenVisitor) -> None:
    lab = LabPage(visit(width=390).page).wait_until_ready()
    lab.set_longest_answer(8)
    view = open_lens(lab)
    lab.ask("Repeat: <img src=x onerror=alert(1)> ${alert(1)} {{value}}")
    expect(view.locator(".lens-token")).not_to_have_count(0)
    expect(view.get_by_text("onerror=alert(1)> ${alert(1)} {{value}}")).to_be_visible()
    expect(view.locator("img")).to_have_count(0)
    assert lab.overflow() <= 0


def test_answer_stopped_in_the_middle_keeps_its_tokens_and_says_so(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    lab.set_longest_answer(400)
    view, page = open_lens(lab), lab.page
    tokens, ended = view.locator(".lens-token"), view.locator(".lens-ended")
    page.locator("#message textarea").fill("Write a long story about the sea.")
    lab.button("playground.send").click()
    page.wait_for_function(STOP_ANSWER, polling="raf")
    expect(ended).to_be_visible()
    page.wait_for_timeout(SETTLED_MS)
    count = tokens.count()
    assert 8 <= count < 400
    expect(ended).to_have_text(lab.said("lens.stopped").format(count=count))
    said = "".join(tokens.all_text_contents()).replace("↵", "\n")
    answer = page.locator("#chat .answer .said").text_content() or ""
    assert said.strip() == answer.strip()

    # What was decoded can be gone on from, and that can be stopped as well.
    tokens.nth(2).click()
    view.locator("button.lens-other:not([aria-disabled])").first.click()
    expect(view.locator(".lens-branch")).to_have_count(2)
    page.wait_for_function(STOP_BRANCH, polling="raf")
    expect(ended).to_be_visible()
    page.wait_for_timeout(SETTLED_MS)
    kept = tokens.count()
    expect(ended).to_have_text(lab.said("lens.stopped").format(count=kept))
    assert 4 <= kept < 400
