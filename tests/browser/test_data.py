"""A student brings data by other roads than a file, and the doctor finds and mends what is wrong with it."""

from pathlib import Path

from playwright.sync_api import Locator, expect

from demo.ui.language import Texts
from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations

PASTED = """question,answer
What is 2 + 2?,4
What is 2 + 2?,4
What is the capital of Hungary?,Budapest
Who painted the Mona Lisa?,Leonardo\N{ZERO WIDTH SPACE} da Vinci
one field only
How many days has a week?,Seven
"""


def said(lab: LabPage, key: str, **values: object) -> str:
    return Texts.load().say(lab.language, key, **values)


def finding(lab: LabPage, key: str, count: int) -> Locator:
    words = said(lab, f"doctor.findings.{key}", count=count)
    return lab.page.locator("#doctor-view .finding", has_text=words)


def try_columns(lab: LabPage, file: Path) -> None:
    """Columns that nobody knows are shown on the first row as the model would read it."""
    lab.upload(file)
    shown = lab.panel().locator("pre.first-row")
    choose(lab, "completion_column", "sentence")
    expect(shown).to_contain_text("<|im_start|>user\nblue sky<|im_end|>")
    expect(shown).to_contain_text("<|im_start|>assistant\nThe sky is blue.<|im_end|>")
    choose(lab, "prompt_column", said(lab, "no_prompt"))
    expect(shown).to_have_text("The sky is blue.")
    lab.button("finetune.map").click()
    expect(lab.page.locator("#plan .plan").last).to_contain_text("rows to learn from: 1")


def choose(lab: LabPage, key: str, option: str) -> None:
    lab.panel().get_by_label(lab.text(f"finetune.{key}"), exact=True).click()
    lab.page.get_by_role("option", name=option, exact=True).click()


def test_student_pastes_a_text_and_the_doctor_mends_it(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    lab.open_tab("finetune")
    lab.unfold("bring.title")
    lab.page.locator("#pasted textarea").fill(PASTED)
    lab.button("bring.use").click()
    expect(lab.page.locator("#dataset input")).to_have_value("pasted.csv")
    expect(lab.page.locator("#plan .notice.error")).to_contain_text("1 damaged lines or rows (6)")

    lab.unfold("doctor.title")
    damaged = finding(lab, "damaged", 1)
    expect(damaged).to_contain_text("the header has 2 fields and this row 1")
    expect(finding(lab, "repeated", 1)).to_contain_text("lines 3")
    expect(finding(lab, "stray_characters", 1)).to_be_visible()
    assert violations(lab.page) == []
    damaged.get_by_role("button").click()
    expect(damaged).to_have_count(0)
    expect(lab.page.locator("#plan .plan").last).to_contain_text("rows to learn from: 4")
    finding(lab, "repeated", 1).get_by_role("button").click()
    expect(lab.page.locator("#doctor-view .fixes > li")).to_have_count(2)
    expect(lab.page.locator("#plan .plan").last).to_contain_text("rows to learn from: 3")
    lab.page.locator("#doctor-view .fixes > li").last.get_by_role("button").click()
    expect(finding(lab, "repeated", 1)).to_be_visible()
    expect(lab.page.locator("#plan .plan").last).to_contain_text("rows to learn from: 4")

    lab.button("bring.edit").click()
    expect(lab.page.locator("#edited")).to_contain_text("Who painted the Mona Lisa?")
    cell = lab.page.locator("#edited [role=gridcell]", has_text="Budapest")
    cell.dblclick()
    lab.page.keyboard.press("Control+A")
    lab.page.keyboard.type("Budapest, on the Danube")
    lab.page.keyboard.press("Enter")
    lab.button("bring.keep").click()
    expect(lab.page.locator("#dataset input")).to_have_value("pasted (edited).jsonl")
    expect(lab.panel().locator("table.rows")).to_contain_text("Budapest, on the Danube")


def test_letters_and_columns_are_shown_in_every_reading_and_chosen(
    visit: OpenVisitor, tmp_path: Path
) -> None:
    lab = LabPage(visit(width=390).page).wait_until_ready()
    lab.open_tab("finetune")
    file = tmp_path / "pytania.csv"
    rows = ["pytanie;odpowiedź", "Gdzie śpi jeż?;Pod liśćmi", "Co jedzą gęsi?;Trawę", "Kto?;Źrebię"]
    file.write_bytes("\n".join(rows).encode("iso8859-2"))
    lab.upload(file)
    choices = lab.page.locator("#encoding label")
    expect(choices).to_have_count(3)
    expect(choices.first).to_contain_text("ISO-8859-2: ")
    expect(lab.page.locator("#encoding input:checked")).to_have_value("iso8859-2")
    expect(lab.panel().locator("table.rows")).to_contain_text("Gdzie śpi jeż?")
    choices.nth(1).click()
    expect(lab.panel().locator("table.rows")).to_contain_text("Gdzie ¶pi jeż?")
    choices.first.click()
    expect(lab.panel().locator("table.rows")).to_contain_text("Gdzie śpi jeż?")
    expect(lab.panel().locator(".facts").first).to_contain_text(
        said(lab, "letters.chosen", name="ISO-8859-2")
    )
    assert lab.overflow() == 0
    facts = tmp_path / "facts.csv"
    facts.write_text(
        "id,facts,sentence\n1,blue sky,The sky is blue.\n2,green grass,Grass is green.\n"
    )
    try_columns(lab, facts)
    assert violations(lab.page) == []
