"""The code fold follows the screen: while it is open at once, and after that when it is opened again."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage


def test_code_that_was_shown_follows_the_question(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    message, shown = lab.page.locator("#message textarea"), lab.page.locator("#shown-code pre")
    message.fill("Name a river.")
    lab.unfold("code.title")
    expect(shown).to_have_count(0)
    lab.button("code.go").click()
    expect(shown).to_contain_text("Name a river.")
    message.fill("Name a lake.")
    expect(shown).to_contain_text("Name a lake.")
    fold = lab.page.locator("#code > button")
    fold.click()
    message.fill("Name a mountain.")
    expect(shown).to_be_hidden()
    fold.click()
    expect(shown).to_contain_text("Name a mountain.")
