"""A visitor looks into an answer with the X-ray, goes on from the other branch, and has columns scored."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations

QUESTION = "name[The Mill], eatType[pub], food[Thai], area[riverside]"


def test_columns_are_looked_into_and_scored(visit: OpenVisitor) -> None:
    visitor = visit()
    lab = LabPage(visitor.page).wait_until_ready()
    lab.open_tab("compare")
    lab.unfold("xray.title")
    view = lab.page.locator("#xray-view")
    lab.button("xray.go").click()
    expect(view.get_by_role("alert")).to_contain_text("Compare something first")

    # One adapter stands beside the base from the start.
    lab.set_longest_answer(24)
    lab.page.locator("#question textarea").fill(QUESTION)
    lab.compare()
    lab.button("xray.go").click()
    expect(view.locator(".xray-verdict")).to_contain_text("They part at token")
    fork = view.locator(".xray-token.forks")
    expect(fork).to_have_attribute("aria-current", "true")
    expect(view.locator(".xray-lists > div")).to_have_count(2)
    fork.press("ArrowRight")
    expect(view.locator(".xray-token[aria-current]")).not_to_have_class("forks")
    view.locator(".xray-lists .speaker-1 button.lens-other").first.click()
    expect(view.locator(".xray-on .said")).to_contain_text("The")
    assert lab.overflow() <= 0
    assert violations(lab.page) == []

    lab.unfold("scoreboard.title")
    board = lab.page.locator("#scoreboard-view")
    field = lab.page.locator("#scoreboard").get_by_label(lab.text("scoreboard.questions")).first
    field.fill("4")
    field.press("Tab")
    lab.button("scoreboard.go").click()
    expect(board.locator(".verdict")).to_contain_text("BLEU")
    expect(board.locator(".board-bars li")).to_have_count(2)
    visitor.reload()
    lab.wait_until_ready()
    lab.open_tab("compare")
    lab.unfold("scoreboard.title")
    expect(board.locator(".verdict")).to_contain_text("BLEU")
    hungarian = lab.switch_language("hu")
    expect(board.locator(".verdict")).to_contain_text("Aligha véletlen", timeout=10_000)
    assert hungarian.overflow() <= 0
    assert violations(lab.page) == []
