"""A student builds a prompt from shots, and takes it home as a file that can be brought back."""

from pathlib import Path

from playwright.sync_api import Locator, expect

from demo.prompting.files import read_prompt_file
from demo.prompting.frame import STEPS
from demo.ui.language import Texts
from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations

QUESTION = "A pen costs 2 dollars and a book costs 5 dollars. What do both cost together?"


def choose(lab: LabPage, key: str, value: str) -> None:
    """Mark one of a radio's choices by its value."""
    choices = Texts.load().node(lab.language, f"components.{key}")["choices"]
    label = next(label for label, known in choices if known == value)
    lab.panel().get_by_label(label, exact=True).first.check()


def set_count(lab: LabPage, count: int) -> None:
    field = lab.panel().get_by_label(lab.text("shots.count")).first
    field.fill(str(count))
    field.press("Tab")


def choose_dataset(lab: LabPage, title: str) -> None:
    lab.panel().get_by_label(lab.text("shots.dataset"), exact=True).click()
    lab.page.get_by_role("option", name=title, exact=True).click()


def press(lab: LabPage, key: str) -> None:
    """Buttons that hand files over have their words as a label."""
    lab.panel().get_by_role("button", name=lab.text(key), exact=True).click()


def shots(lab: LabPage) -> Locator:
    return lab.panel().locator(".shot-list li")


def test_student_builds_shots_and_keeps_the_prompt(visit: OpenVisitor, tmp_path: Path) -> None:
    visitor = visit(accept_downloads=True)
    lab = LabPage(visitor.page).wait_until_ready()
    lab.page.locator("#message textarea").fill(QUESTION)
    lab.unfold("shots.title")
    choose(lab, "shots.source", "dataset")
    choose_dataset(lab, "Word problems with worked steps")
    expect(shots(lab)).to_have_count(4)
    set_count(lab, 0)
    expect(shots(lab)).to_have_count(0)
    choose(lab, "shots.chain", "steps")
    lab.unfold("playground.reads")
    expect(lab.page.locator("#reads")).to_contain_text(STEPS)
    choose(lab, "shots.chain", "worked")
    set_count(lab, 2)
    expect(shots(lab)).to_have_count(2)
    expect(shots(lab).first).to_contain_text("####")
    _, second = shots(lab).all_inner_texts()
    lab.button("shots.swap").click()
    expect(shots(lab).first).to_have_text(second, use_inner_text=True)
    assert violations(lab.page) == []

    lab.unfold("own_prompts.title")
    lab.panel().get_by_label(lab.text("own_prompts.name"), exact=True).fill("Two worked problems")
    lab.button("own_prompts.save").click()
    file = lab.panel().locator(".prompt-choice input")
    expect(lab.button("own_prompts.delete")).to_be_enabled()
    with lab.page.expect_download() as coming:
        press(lab, "own_prompts.download")
    home = tmp_path / coming.value.suggested_filename
    coming.value.save_as(home)
    kept = read_prompt_file(home)
    assert (kept.name, kept.shots, kept.answer) == ("two-worked-problems", 2, "after_hashes")
    assert kept.technique == "chain-of-thought"
    assert kept.messages({})[-1].content == QUESTION

    lab.button("own_prompts.delete").click()
    expect(lab.button("own_prompts.delete")).to_be_disabled()
    with lab.page.expect_file_chooser() as asked:
        press(lab, "own_prompts.upload")
    asked.value.set_files(home)
    expect(lab.button("own_prompts.delete")).to_be_enabled()
    lab.unfold("framing.prompt_file")
    expect(file).to_have_value("yours · Own · chain-of-thought · Two worked problems")
    choose(lab, "shots.source", "file")
    expect(shots(lab)).to_have_count(2)
    lab.set_longest_answer(80)
    lab.button("playground.send").click()
    lab.wait_for_answer(QUESTION)
    expect(lab.page.locator("#chat .taken-line")).to_be_visible()


def test_file_that_is_no_prompt_is_refused_beside_the_button(
    visit: OpenVisitor, tmp_path: Path
) -> None:
    lab = LabPage(visit(width=390).page).wait_until_ready()
    broken = tmp_path / "mine.md"
    broken.write_text("---\ntitle: T\n---\n## user\n$input\n", encoding="utf-8")
    lab.unfold("own_prompts.title")
    with lab.page.expect_file_chooser() as asked:
        press(lab, "own_prompts.upload")
    asked.value.set_files(broken)
    expect(lab.panel().locator(".notice.error")).to_contain_text(
        "mine.md: the field task is missing"
    )
    lab.unfold("shots.title")
    choose(lab, "shots.source", "typed")
    lab.panel().get_by_label(lab.text("shots.typed")).first.fill("a => b\nno arrow")
    set_count(lab, 2)
    expect(lab.panel().locator(".shots-shown .notice.error")).to_contain_text("Example 2")
    assert lab.overflow() == 0
