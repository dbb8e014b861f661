"""Taking things home: the code as it is shown, and report, JSON and CSV as they are downloaded."""

import csv
import io
import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations

QUESTION = "=1+1"


def kept(lab: LabPage, kind: str) -> Download:
    with lab.page.expect_download() as coming:
        lab.button(f"keep.{kind}").click()
    return coming.value


def opened(browser: Browser, file: Path, scheme: str, asked: list[str]) -> Page:
    """A downloaded report in a browser of its own that writes down what it asks for."""
    page = browser.new_context(
        color_scheme=scheme, viewport={"width": 390, "height": 800}
    ).new_page()  # type: ignore[arg-type]
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    return page  # fmt: skip


@pytest.fixture
def lab(visit: OpenVisitor) -> LabPage:
    """A visitor who has asked, and has drawn twenty answers."""
    lab = LabPage(visit(accept_downloads=True).page).wait_until_ready()
    lab.set_longest_answer(8)
    lab.unfold("lens.title")
    lab.page.locator("#watch input").check()
    lab.ask(QUESTION)
    lab.unfold("draws.title")
    lab.button("draws.go").click()
    expect(lab.page.locator("#draws .verdict")).to_contain_text("20 draws")
    lab.unfold("keep.title")
    return lab


def test_everything_on_the_screen_is_taken_home(
    lab: LabPage, browser: Browser, tmp_path: Path
) -> None:
    found = json.loads(Path(kept(lab, "json").path()).read_text(encoding="utf-8"))
    assert found["answers"][0]["question"] == QUESTION
    assert found["settings"]["max_new_tokens"] == 8
    assert QUESTION in found["prompt"]["text"]
    assert len(found["draws"]["draws"]) == 20
    lens = found["lens"]["branches"][0]
    assert "".join(t["token"] for t in lens["tokens"]) == lens["text"]
    assert lens["text"].startswith(found["answers"][0]["answer"])
    assert f'"content": "{QUESTION}"' in found["code"]

    text = Path(kept(lab, "csv").path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    (answer,) = [row for row in rows if row["part"] == "answers"]
    assert answer["question"] == f"'{QUESTION}"
    assert len([row for row in rows if row["part"] == "draws.draws"]) == 20

    file = tmp_path / "report.html"
    kept(lab, "page").save_as(file)
    for scheme in ("light", "dark"):
        asked: list[str] = []
        page = opened(browser, file, scheme, asked)
        expect(page.locator("article.answer")).to_contain_text(found["answers"][0]["answer"])
        expect(page.locator("ol.groups li").first).to_be_visible()
        assert page.locator("script, link, img, iframe, [src], [href]").count() == 0
        assert page.locator("body").get_by_text(QUESTION, exact=True).first.is_visible()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert asked == [file.as_uri()]
        page.context.close()
    assert violations(lab.page) == []


def test_the_code_is_shown_and_can_be_copied(visit: OpenVisitor) -> None:
    lab = LabPage(visit(width=390, permissions=["clipboard-read", "clipboard-write"]).page)
    lab.wait_until_ready()
    lab.unfold("code.title")
    lab.button("code.go").click()
    expect(lab.page.locator("#code .notice")).to_be_visible()
    lab.page.locator("#message textarea").fill("<b>Hi</b> '\"")
    lab.button("code.go").click()
    shown = lab.page.locator("#shown-code pre")
    expect(shown).to_contain_text(repr("<b>Hi</b> '\""))
    expect(shown).to_contain_text("do_sample=False")
    compile(shown.inner_text(), "shown.py", "exec")
    lab.page.locator("#shown-code .copy").click()
    expect(lab.page.locator("#shown-code .copy")).to_have_text(lab.said("code.copied"))
    assert lab.page.evaluate("navigator.clipboard.readText()") == shown.inner_text()
    assert violations(lab.page) == []
    assert lab.overflow() <= 0
