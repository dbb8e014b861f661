"""What a visitor does on the page, step by step: the only test code that knows how it is laid out.

Words are taken from the page's own text files, so that the same steps walk in every language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Download, Locator, Page, expect

from demo.ui.language import Texts

TABS = ("playground", "finetune", "compare")
TRAINED_MS = 600_000
"""A few steps on two cores that others use as well: a limit for what never ends, not a measure."""

WATCH_ANSWER = """() => {
    window.seenAnswers = [];
    const look = () => {
        const said = document.querySelectorAll('#chat .answer .said');
        if (said.length) window.seenAnswers.push(said[said.length - 1].textContent);
    };
    new MutationObserver(look).observe(
        document.querySelector('#chat'), {subtree: true, childList: true, characterData: true});
}"""

VISIBLE_CONTROLS = """panel => {
    const shown = e => e.checkVisibility({visibilityProperty: true, opacityProperty: true})
        && e.getBoundingClientRect().width > 1 && !e.classList.contains('label-wrap');
    const found = [...panel.querySelectorAll('input, textarea, select, button')].filter(shown);
    return found.map(e => `${e.tagName.toLowerCase()}${e.classList.contains('primary') ? '.primary' : ''}`);
}"""

CUT_BUTTONS = """panel => [...panel.querySelectorAll('button:not(.label-wrap)')]
    .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.trim())"""

WIDTHS = """() => ({page: document.documentElement.scrollWidth, window: window.innerWidth})"""


@dataclass(frozen=True)
class LabPage:
    """The lab's page in front of a visitor."""

    page: Page
    language: str = "en"

    def text(self, key: str, part: str = "label") -> str:
        """What a component says in the visitor's language."""
        return str(Texts.load().node(self.language, f"components.{key}")[part])

    def said(self, key: str) -> str:
        """A sentence of the page in the visitor's language."""
        return str(Texts.load().node(self.language, f"say.{key}"))

    def wait_until_ready(self) -> "LabPage":
        """The model has loaded, and the page says so in the visitor's language."""
        expect(self.page.locator("#machine .machine.ready")).to_be_visible()
        expect(self.tab("compare")).to_be_visible()
        return self

    def tab(self, name: str) -> Locator:
        """The tab itself, to click or to look at."""
        return self.page.get_by_role("tab", name=self.text(f"tabs.{name}"), exact=True)

    def panel(self) -> Locator:
        """What the chosen tab shows."""
        return self.page.get_by_role("tabpanel").filter(visible=True)

    def open_tab(self, name: str) -> None:
        """Choose a tab."""
        self.tab(name).click()
        expect(self.tab(name)).to_have_attribute("aria-selected", "true")

    def button(self, key: str) -> Locator:
        """A button of the chosen tab by its words."""
        return self.panel().get_by_role("button", name=self.text(key, "value"), exact=True)

    def unfold(self, key: str) -> None:
        """Open a folded part of the chosen tab."""
        self.panel().locator("button.label-wrap", has_text=self.text(key)).first.click()

    def controls(self) -> list[str]:
        """The controls that the chosen tab shows now, the handles of folded parts not counted."""
        return list(self.panel().evaluate(VISIBLE_CONTROLS))

    def cut_buttons(self) -> list[str]:
        """Buttons of the chosen tab whose words are wider than they are."""
        return list(self.panel().evaluate(CUT_BUTTONS))

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        widths: dict[str, int] = self.page.evaluate(WIDTHS)
        return widths["page"] - widths["window"]

    # Playground
    def ask(self, question: str) -> list[str]:
        """Ask and wait for the whole answer; returns the answer as it was seen growing."""
        self.page.locator("#message textarea").fill(question)
        self.page.evaluate(WATCH_ANSWER)
        self.button("playground.send").click()
        self.wait_for_answer(question)
        seen: list[str] = self.page.evaluate("() => window.seenAnswers")
        return list(dict.fromkeys(text for text in seen if text))

    def wait_for_answer(self, question: str) -> None:
        """The answer to this question is complete."""
        expect(self.page.locator("#chat .asked .said").last).to_have_text(question)
        expect(self.page.locator("#chat .turns")).to_have_attribute("aria-busy", "false")
        expect(self.button("playground.send")).to_be_visible()

    def set_longest_answer(self, tokens: int) -> None:
        """Answers of at most so many tokens in the chosen tab."""
        self.unfold("framing.sampling")
        field = self.panel().get_by_label(self.text("sampling.max_new_tokens")).first
        field.fill(str(tokens))
        field.press("Tab")

    # Fine-tune
    def upload(self, file: Path) -> None:
        """Upload a dataset."""
        with self.page.expect_file_chooser() as asked:
            self.page.locator("#upload").click()
        asked.value.set_files(file)
        expect(self.page.locator("#dataset input")).to_have_value(file.name)

    def map_columns(self, prompt: str, completion: str) -> None:
        """Say which column is which."""
        for key, column in (("prompt_column", prompt), ("completion_column", completion)):
            self.panel().get_by_label(self.text(f"finetune.{key}"), exact=True).click()
            self.page.get_by_role("option", name=column, exact=True).click()
            expect(self.page.get_by_role("option")).to_have_count(0)
        self.button("finetune.map").click()
        expect(self.panel().get_by_text(self.said("choose_columns"))).to_have_count(0)
        expect(self.page.locator("#plan .plan").first).to_be_visible()

    def set_training(self, **values: int) -> None:
        """Change numbers of the run, as named in `TrainSettings`."""
        self.unfold("finetune.advanced")
        for name, value in values.items():
            field = self.page.locator("#advanced").get_by_label(self.text(f"training.{name}")).first
            field.fill(str(value))
            field.press("Tab")

    def start_run(self, name: str) -> None:
        """Train, and wait until the page follows the run."""
        self.page.locator("#advanced").get_by_label(self.text("finetune.name")).fill(name)
        self.page.locator("#train").click()
        self.follow_run(name)

    def follow_run(self, name: str) -> None:
        """The line above the tabs tells of this run."""
        expect(self.page.locator("#banner")).to_contain_text(name)

    def wait_for_run(self, name: str) -> None:
        """The run has ended with an adapter, and the browser's tab says so."""
        expect(self.page.locator("#banner .run.finished")).to_contain_text(name, timeout=TRAINED_MS)

    def download(self) -> Download:
        """Take the adapter home."""
        with self.page.expect_download() as coming:
            self.page.locator("#download").click()
        return coming.value

    # Compare
    def compare(self) -> Sequence[Locator]:
        """Ask all columns; returns them once every answer and the proof stand."""
        self.button("compare.go").click()
        expect(self.page.locator(".columns .proof.good")).to_be_visible()
        expect(self.button("compare.go")).to_be_visible()
        return self.page.locator(".columns article.answer").all()

    def switch_language(self, language: str) -> "LabPage":
        """Choose another language; returns the page in it."""
        self.page.locator(f"#language input[value={language}]").check(force=True)
        return LabPage(self.page, language).wait_until_ready()


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands: rule, help and the first elements."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {rule['help']}: "
        + "; ".join(node["html"][:160] for node in rule["nodes"][:3])
        for rule in found
    ]
