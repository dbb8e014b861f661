"""The judge and the attention view in a real browser, on the real model."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations

PRESS_STOP = """() => {
    const button = document.querySelector('#judge button.when-judging');
    if (!button?.checkVisibility()) return false;
    button.click();
    return true;
}"""


def test_continuations_are_judged_and_the_verdict_follows_the_switch(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    lab.unfold("judge.title")
    lab.button("judge.go").click()
    expect(lab.page.locator("#judge-view .notice")).to_contain_text("“The text so far” is empty")
    lab.page.locator("#judge-before textarea").fill("The capital of France is")
    lab.page.locator("#judge-options textarea").fill(
        "Paris.\nLyon.\nthe old and beautiful city of Paris."
    )
    lab.button("judge.go").click()
    verdict = lab.page.locator("#judge-view .verdict")
    expect(verdict).to_contain_text("“Paris” wins: as a whole")
    expect(lab.page.locator("#judge-view .options li")).to_have_count(3)
    lab.panel().get_by_label(lab.text("judge.per_token")).check()
    expect(verdict).to_contain_text("per token")
    assert violations(lab.page) == []


def test_shipped_pairs_are_counted_and_can_be_stopped(visit: OpenVisitor) -> None:
    lab = LabPage(visit(width=390).page).wait_until_ready()
    lab.unfold("judge.title")
    lab.button("judge.pronouns").click()
    # All pairs take about a second: the button is pressed as soon as it shows.
    lab.page.wait_for_function(PRESS_STOP, polling="raf")
    expect(lab.page.locator("#pairs-pronouns .judging")).to_have_count(0)
    expect(lab.button("judge.words")).to_be_visible()
    lab.button("judge.words").click()
    expect(lab.page.locator("#pairs-words .verdict")).to_contain_text("Neither is right")
    expect(lab.page.locator("#pairs-words .lean")).to_have_count(12)
    assert lab.overflow() <= 0


@pytest.mark.parametrize("width", [1280, 390])
def test_a_head_is_chosen_and_another_token_looks_by_keyboard_alone(
    visit: OpenVisitor, width: int
) -> None:
    lab = LabPage(visit(width=width).page).wait_until_ready()
    lab.page.locator("#message textarea").fill("A cat sat on a mat. What sat on the mat?")
    lab.unfold("attention.title")
    lab.button("attention.look").click()
    said = lab.page.locator(".attention-said")
    expect(said).to_contain_text("On the mean of all heads")
    lab.page.locator("select.attention-layer").select_option(index=4)
    lab.page.locator("select.attention-head").select_option(index=3)
    expect(said).to_contain_text("Layer 4, head 3")
    looking = lab.page.locator(".attention-token[aria-current]")
    last = looking.get_attribute("data-position")
    looking.focus()
    for key in ("ArrowLeft", "ArrowLeft", "Enter"):
        lab.page.keyboard.press(key)
    expect(looking).to_have_attribute("data-position", str(int(last or 0) - 2))
    expect(looking).to_be_focused()
    expect(lab.page.locator("button.attention-token.later")).to_have_count(2)
    expect(said).to_contain_text("Layer 4, head 3")
    assert violations(lab.page) == []
    assert lab.overflow() <= 0
