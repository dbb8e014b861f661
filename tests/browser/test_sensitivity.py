"""A visitor measures how fragile a prompt is, stops in the middle, and keeps the partial result."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations


def set_number(lab: LabPage, name: str, value: int) -> None:
    field = lab.page.locator("#sensitivity").get_by_label(lab.text(f"sensitivity.{name}")).first
    field.fill(str(value))
    field.press("Tab")


def test_sensitivity_is_measured_stopped_and_explained(visit: OpenVisitor) -> None:
    visitor = visit()
    lab = LabPage(visitor.page).wait_until_ready()
    view = lab.page.locator("#sensitivity-view")
    lab.unfold("sensitivity.title")
    # A set that is not there yet is explained where it was asked for.
    lab.page.get_by_label(lab.text("sensitivity.dataset")).click()
    lab.page.get_by_role("option").last.click()
    lab.button("sensitivity.go").click()
    expect(view.get_by_role("alert")).to_contain_text("Upload one there")

    lab.page.get_by_label(lab.text("sensitivity.dataset")).click()
    lab.page.get_by_role("option").nth(1).click()
    for name, value in (("shots", 1), ("questions", 4), ("orders", 0), ("random_labels", 1)):
        set_number(lab, name, value)
    lab.page.locator("#sensitivity textarea").fill("Mood?\nHappy or not?")
    lab.button("sensitivity.go").click()
    expect(view.locator("tbody tr")).to_have_count(4)
    expect(view.locator(".verdict")).to_be_visible()
    expect(view.locator(".found li")).to_have_count(3)
    expect(view.locator(".strip-row .track")).to_have_count(4)
    expect(lab.button("sensitivity.stop")).to_be_hidden()
    assert lab.overflow() <= 0
    assert violations(lab.page) == []

    set_number(lab, "questions", 20)
    lab.button("sensitivity.go").click()
    expect(view.locator("progress")).to_be_visible()
    visitor.reload()
    lab.wait_until_ready()
    lab.unfold("sensitivity.title")
    expect(view.locator("tbody tr")).to_have_count(4)
    expect(view.locator(".verdict")).to_be_visible()

    lab.page.get_by_label(lab.text("sensitivity.dataset")).click()
    lab.page.get_by_role("option").nth(1).click()
    set_number(lab, "questions", 40)
    lab.button("sensitivity.go").click()
    expect(view.locator("progress")).to_be_visible()
    lab.button("sensitivity.stop").click()
    expect(view.locator(".partial")).to_contain_text("partial result")
    expect(lab.button("sensitivity.go")).to_be_visible()
