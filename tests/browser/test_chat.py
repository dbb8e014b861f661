"""A visitor takes back, asks again, completes plain text, presses presets and reads the prompt token by token."""

from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations


def knob(lab: LabPage, name: str) -> Locator:
    """The field of a knob of sampling."""
    return lab.panel().get_by_label(lab.text(f"sampling.{name}")).first


def questions(lab: LabPage) -> Locator:
    """What was asked in the chat, in order."""
    return lab.page.locator("#chat .asked .said")


def test_earlier_question_is_edited_asked_again_and_taken_back(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    expect(lab.button("playground.undo")).to_have_count(0)
    lab.set_longest_answer(4)
    for asked in ("Name a fruit.", "And a tree?"):
        lab.ask(asked)
    field = lab.page.locator("#message textarea")
    field.fill("A draft")
    edit = lab.page.get_by_role("button", name=lab.said("edit_turn").format(count=1))
    edit.focus()
    edit.press("Enter")
    expect(field).to_have_value("Name a fruit.")
    expect(field).to_be_focused()
    expect(questions(lab)).to_have_count(2)
    assert violations(lab.page) == []
    lab.page.get_by_role("button", name=lab.said("edit_kept_turn").format(count=1)).click()
    expect(field).to_have_value("A draft")
    edit.click()
    lab.ask("Name a colour.")
    expect(questions(lab)).to_have_count(1)
    expect(field).to_have_value("A draft")
    lab.button("playground.retry").click()
    lab.wait_for_answer("Name a colour.")
    expect(questions(lab)).to_have_count(1)
    lab.ask("Another?")
    lab.button("playground.undo").click()
    expect(questions(lab)).to_have_text(["Name a colour."])


def test_plain_text_is_continued_and_its_template_tokens_count_only_where_switched_on(
    visit: OpenVisitor,
) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    lab.set_longest_answer(4)
    control = lab.panel().get_by_label(lab.text("plain_text.control"))
    lab.unfold("plain_text.title")
    expect(control).to_be_hidden()
    lab.panel().get_by_label(lab.text("plain_text.completion")).check()
    lab.unfold("playground.reads")
    text = "<|im_start|>The capital of France is"
    lab.page.locator("#message textarea").fill(text)
    expect(lab.page.locator("#reads .exact")).to_have_text(text)
    expect(lab.page.locator("#reads .exact .control")).to_have_count(0)
    control.check()
    expect(lab.page.locator("#reads .exact .control")).to_have_text("<|im_start|>")
    lab.button("playground.send").click()
    expect(lab.page.locator("#chat .turns")).to_have_attribute("aria-busy", "false")
    expect(lab.page.locator("#chat .given")).to_have_text(text)
    expect(lab.page.locator("#chat .made")).not_to_be_empty()


def test_preset_sets_the_knobs_and_says_their_values(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    lab.unfold("framing.sampling")
    lab.button("presets.balanced").click()
    expect(knob(lab, "temperature")).to_have_value("0.7")
    expect(knob(lab, "top_p")).to_have_value("0.9")
    lab.button("presets.neutral").click()
    expect(knob(lab, "temperature")).to_have_value("1")
    expect(knob(lab, "top_p")).to_have_value("1")


def test_prompt_is_read_token_by_token_with_the_keyboard(visit: OpenVisitor) -> None:
    lab = LabPage(visit(width=390).page).wait_until_ready()
    lab.unfold("playground.reads")
    lab.page.locator("#message textarea").fill("Zażółć ű")
    prompt = lab.page.locator("#reads .exact")
    expect(prompt.locator(".part").first).to_contain_text("c5")
    expect(prompt.locator(".control").first).to_have_text("<|im_start|>")
    expect(prompt.locator(".template").filter(has_text="assistant")).to_have_count(1)
    prompt.press("ArrowRight")
    prompt.press("ArrowRight")
    expect(lab.page.locator("#reads .token-told")).to_contain_text("Token 2 of")
    assert lab.overflow() <= 0
    assert violations(lab.page) == []
