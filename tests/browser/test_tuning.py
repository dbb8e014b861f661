"""Fine-tune in use: a method is chosen, a run is watched, kept on the shelf, and another one thrown away."""

from playwright.sync_api import Locator, Page, expect

from demo.ui.tuning.breaking import PRESETS
from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations


def choose(lab: LabPage, field: str, option: str) -> None:
    """Pick an option of a list by its words."""
    lab.page.locator(f"{field} input").click()
    lab.page.get_by_role("option", name=option).click()


def knob(page: Page, lab: LabPage, name: str) -> Locator:
    """A number under Advanced."""
    return page.locator("#advanced").get_by_label(lab.text(f"training.{name}")).first


def test_method_shows_its_own_knobs_and_a_preset_that_fails_fills_the_form(
    visit: OpenVisitor,
) -> None:
    page = visit().page
    lab = LabPage(page).wait_until_ready()
    lab.open_tab("finetune")
    expect(page.locator("#plan")).to_contain_text("LoRA: trains")
    lab.unfold("finetune.advanced")
    expect(knob(page, lab, "rank")).to_be_visible()
    expect(page.locator("#costs")).to_contain_text("full tuning")
    choose(lab, "#method", "Prompt tuning:")
    expect(knob(page, lab, "virtual_tokens")).to_be_visible()
    expect(knob(page, lab, "rank")).to_have_count(0)
    expect(page.locator("#plan")).to_contain_text("Prompt tuning: trains 9,216 of 135 million")
    lab.unfold("methods.about")
    expect(page.locator("#about-method g.lit")).to_contain_text("virtual tokens")
    lab.unfold("breaking.title")
    page.locator("#break-by_heart").click()
    expect(knob(page, lab, "epochs")).to_have_value(str(PRESETS["by_heart"]["epochs"]))
    expect(page.locator("#plan")).to_contain_text("rows to learn from: 1,")
    assert violations(page) == []
    assert lab.overflow() <= 0


def test_run_is_replayed_renamed_and_cloned_and_another_one_thrown_away(
    visit: OpenVisitor,
) -> None:
    page = visit().page
    lab = LabPage(page).wait_until_ready()
    lab.open_tab("finetune")
    expect(page.locator("#plan .plan").first).to_be_visible()
    lab.set_training(max_steps=2, batch_size=2)
    lab.start_run("A short run")
    lab.wait_for_run("A short run")
    expect(page.locator("#summary")).to_contain_text("foretold")
    page.locator(".lapse-slider").focus()
    page.keyboard.press("Home")
    expect(page.locator(".lapse-step")).to_have_text("before the first step")
    expect(page.locator("#time-lapse li")).to_have_count(3)
    page.keyboard.press("End")
    expect(page.locator(".lapse-step")).to_have_text("after step 2")

    lab.unfold("finetune.earlier")
    expect(page.locator("#runs-table tbody tr")).to_have_count(1)
    page.get_by_label(lab.text("tuning.new_name")).fill("Kept for later")
    lab.button("tuning.rename").click()
    expect(page.locator("#runs-table")).to_contain_text("Kept for later")
    choose(lab, "#over", "Kept for later")
    expect(page.locator("#curves path.over")).to_have_count(1)
    page.locator("#continue").click()
    expect(page.locator("#parent input")).to_have_value("Kept for later")

    field = knob(page, lab, "max_steps")
    field.fill("200")
    field.press("Tab")
    lab.start_run("Too long")
    lab.button("tuning.discard").click()
    page.get_by_text(lab.text("tuning.sure_discard", "value")).wait_for()
    lab.button("tuning.yes_delete").click()
    expect(page.locator("#banner")).to_have_text("")
    expect(page.locator("#runs-table tbody tr")).to_have_count(1)
