"""What a visitor sees first: few controls, the right language, nothing that axe objects to."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import TABS, LabPage, violations


@pytest.mark.parametrize("language", ["en", "hu", "pl"])
@pytest.mark.parametrize("width", [1280, 390])
def test_first_view_of_each_tab_has_one_input_one_primary_button_and_at_most_six_controls(
    visit: OpenVisitor, width: int, language: str
) -> None:
    page = visit(width=width, path=f"/?lang={language}").page
    lab = LabPage(page, language).wait_until_ready()
    for name in TABS:
        lab.open_tab(name)
        controls = lab.controls()
        assert len(controls) <= 6, (name, controls)
        assert controls.count("button.primary") == 1, (name, controls)
        assert controls.count("textarea") <= 1, (name, controls)
        assert lab.cut_buttons() == [], name
        assert lab.overflow() <= 0, name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_tab(visit: OpenVisitor, theme: str) -> None:
    lab = LabPage(visit(path=f"/?__theme={theme}", color_scheme=theme).page).wait_until_ready()
    found = {}
    for name in TABS:
        lab.open_tab(name)
        found[name] = violations(lab.page)
    assert found == {name: [] for name in TABS}


@pytest.mark.parametrize(
    ("path", "locale", "language"),
    [
        ("/", "en-US", "en"),
        ("/", "hu-HU", "hu"),
        ("/", "pl-PL", "pl"),
        ("/", "de-DE", "en"),
        ("/?lang=pl", "hu-HU", "pl"),
        ("/?lang=xx", "hu-HU", "hu"),
    ],
)
def test_page_speaks_the_language_of_the_address_or_else_of_the_browser(
    visit: OpenVisitor, path: str, locale: str, language: str
) -> None:
    lab = LabPage(visit(path=path, locale=locale).page, language).wait_until_ready()
    expect(lab.button("playground.send")).to_be_visible()
    expect(lab.page.locator("html")).to_have_attribute("lang", language)


def test_switch_of_language_keeps_what_was_typed_and_is_remembered(visit: OpenVisitor) -> None:
    visitor = visit()
    lab = LabPage(visitor.page).wait_until_ready()
    lab.page.locator("#message textarea").fill("Árvíztűrő tükörfúrógép?")
    lab.open_tab("compare")
    lab.page.locator("#question textarea").fill("Zażółć gęślą jaźń")
    for language in ("hu", "pl", "hu"):
        lab = lab.switch_language(language)
        expect(lab.button("compare.go")).to_be_visible()
        expect(lab.page.locator("#question textarea")).to_have_value("Zażółć gęślą jaźń")
    lab.open_tab("playground")
    expect(lab.page.locator("#message textarea")).to_have_value("Árvíztűrő tükörfúrógép?")
    visitor.reload()
    expect(lab.wait_until_ready().button("playground.send")).to_be_visible()


def test_prompt_file_frames_the_question_and_shows_what_the_model_reads(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    lab.unfold("framing.prompt_file")
    lab.panel().get_by_label(lab.text("framing.file")).last.click()
    lab.page.get_by_role("option", name="English to French by example").click()
    expect(lab.page.locator("#message textarea")).to_have_value("cheese")
    lab.unfold("playground.reads")
    expect(lab.page.locator("#reads pre")).to_contain_text("sea otter => loutre de mer")
    expect(lab.page.locator("#reads pre")).to_contain_text("cheese =>")
    expect(lab.page.locator("#reads .facts")).to_contain_text("of 8,192 tokens")


def test_text_that_looks_like_markup_is_shown_as_it_was_typed(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    lab.set_longest_answer(4)
    typed = "<img src=x onerror=alert(1)> ${1+1} {{value}} ![a](http://example.org/a.png)"
    lab.ask(typed)
    expect(lab.page.locator("#chat .asked .said")).to_have_text(typed)


def test_stop_ends_an_answer_and_the_next_question_is_answered(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    lab.set_longest_answer(512)
    lab.page.locator("#message textarea").fill("Write a very long story about a river.")
    lab.button("playground.send").click()
    expect(lab.page.locator("#chat .answer .said")).not_to_be_empty()
    lab.button("playground.stop").click()
    expect(lab.page.locator("#chat .answer .cost")).to_contain_text("stopped")
    lab.button("playground.fresh").click()
    lab.ask("Hi")


def test_second_question_waits_and_one_that_fails_is_handed_back(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    lab.set_longest_answer(512)
    field = lab.page.locator("#message textarea")
    field.fill("Write a very long story about a river.")
    field.press("Enter")
    expect(lab.page.locator("#chat .answer .said")).not_to_be_empty()
    field.fill("And now?")
    field.press("Enter")
    expect(lab.panel().get_by_text(lab.said("answer_under_way"))).to_be_visible()
    expect(field).to_have_value("And now?")
    lab.button("playground.stop").click()
    expect(lab.page.locator("#chat .answer .cost")).to_contain_text("stopped")
    too_long = "a " * 10_000
    field.fill(too_long)
    lab.button("playground.send").click()
    expect(lab.panel().locator(".notice")).to_contain_text("8,192")
    expect(field).to_have_value(too_long)
    expect(lab.page.locator("#chat .answer")).to_have_count(1)
