"""A visitor lets the model write its own prompt: a finished ladder, and one that is stopped in the middle."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations


def set_number(lab: LabPage, name: str, value: int) -> None:
    field = lab.page.locator("#search").get_by_label(lab.text(f"search.{name}")).first
    field.fill(str(value))
    field.press("Tab")


def test_a_search_shows_its_ladder_and_a_stopped_one_keeps_what_was_found(
    visit: OpenVisitor,
) -> None:
    lab = LabPage(visit(width=390).page).wait_until_ready()
    view = lab.page.locator("#search-view")
    lab.unfold("search.title")
    expect(
        lab.page.locator("#search").get_by_text(lab.text("search.honest", "value"))
    ).to_be_visible()
    for name, value in (("candidates", 2), ("questions", 4)):
        set_number(lab, name, value)
    lab.button("search.go").click()
    expect(view.locator(".ladder.ended .verdict")).to_be_visible()
    rungs = view.locator(".rungs li")
    first = rungs.filter(has_text=lab.said("search.kinds.given"))
    expect(first).to_have_count(1)
    expect(first).to_contain_text("of 4, ")
    expect(rungs.filter(has_text=lab.said("search.kinds.none"))).to_have_count(1)
    expect(lab.button("search.stop")).to_be_hidden()
    assert violations(lab.page) == []
    assert lab.overflow() <= 0

    for name, value in (("candidates", 16), ("questions", 40)):
        set_number(lab, name, value)
    lab.button("search.go").click()
    # The first rung is being scored: there is something to keep.
    expect(view.locator(".ladder.trying .rungs li").first).to_be_visible()
    lab.button("search.stop").click()
    expect(view.locator(".ladder.ended .partial")).to_contain_text("partial result")
    expect(rungs.first).to_contain_text(lab.said("search.kinds.given"))
    expect(lab.button("search.go")).to_be_visible()
