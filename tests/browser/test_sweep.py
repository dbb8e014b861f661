"""A sweep in use: two ranks of a few steps become two runs, a chart, and are found again after a reload."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import TRAINED_MS, LabPage, violations


def test_two_ranks_are_trained_charted_and_kept(visit: OpenVisitor) -> None:
    visitor = visit()
    page = visitor.page
    lab = LabPage(page).wait_until_ready()
    lab.open_tab("finetune")
    expect(page.locator("#plan .plan").first).to_be_visible()
    lab.set_training(max_steps=2, batch_size=2)
    lab.unfold("sweep.title")
    values = page.get_by_label(lab.text("sweep.values"))
    values.fill("4, 900")
    page.locator("#sweep-go").click()
    expect(page.locator("#sweep .notice.error")).to_contain_text("The value 900 cannot be part")
    values.fill("2, 4")
    page.locator("#sweep-go").click()
    expect(page.locator("#sweep-view tbody tr")).to_have_count(2)
    expect(page.locator("#banner")).to_contain_text("0 of 2 runs ended")
    expect(page.locator("#sweep-view circle.point")).to_have_count(2, timeout=TRAINED_MS)
    expect(page.locator("#sweep-view .verdict")).to_be_visible()
    expect(page.locator("#sweep-view")).to_contain_text("held-out rows")
    assert violations(page) == []
    assert lab.overflow() <= 0

    visitor.reload()
    lab = LabPage(page).wait_until_ready()
    lab.open_tab("finetune")
    lab.unfold("sweep.title")
    expect(page.locator("#sweep-view circle.point")).to_have_count(2)
    expect(page.locator("#sweep-go")).to_be_visible()
