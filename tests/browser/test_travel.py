"""An adapter comes as a zip, answers in the Playground, is merged with another one, and goes again."""

from pathlib import Path

from playwright.sync_api import expect

from demo.settings import ROOT
from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations
from tests.methods.travel.zips import zipped

NAMES = ("From elsewhere", "Both in one")


def choose(lab: LabPage, field: str, option: str) -> None:
    """Pick an option of a list by its words."""
    lab.page.locator(f"{field} input").click()
    lab.page.get_by_role("option", name=option, exact=True).filter(visible=True).click()
    expect(lab.page.get_by_role("option")).to_have_count(0)


def test_adapter_is_brought_asked_merged_and_deleted(visit: OpenVisitor, tmp_path: Path) -> None:
    page = visit().page
    lab = LabPage(page).wait_until_ready()
    lab.open_tab("finetune")
    lab.unfold("travel.title")
    archive = tmp_path / "adapter.zip"
    archive.write_bytes(b"no zip at all")
    with page.expect_file_chooser() as asked:
        page.locator("#travel-upload").click()
    asked.value.set_files(archive)
    expect(page.locator("#travel-said .notice")).to_contain_text("it is no zip file")

    archive.write_bytes(zipped(ROOT / "adapters" / "restaurants"))
    page.get_by_label(lab.text("travel.name"), exact=True).fill(NAMES[0])
    with page.expect_file_chooser() as asked:
        page.locator("#travel-upload").click()
    asked.value.set_files(archive)
    expect(page.locator("#travel-table tbody")).to_contain_text(NAMES[0])

    choose(lab, "#travel-one", NAMES[0])
    choose(lab, "#travel-other", "Worked steps")
    page.get_by_label(lab.text("travel.name"), exact=True).fill(NAMES[1])
    lab.button("travel.merge").click()
    expect(page.locator("#travel-table tbody tr")).to_have_count(2)
    expect(page.locator("#travel-table")).to_contain_text("LoRA r=16")
    choose(lab, "#travel-whole-of", NAMES[1])
    lab.button("travel.code").click()
    expect(page.locator("#travel-code pre")).to_contain_text("merge_and_unload()")
    assert violations(page) == []
    assert lab.cut_buttons() == []
    assert lab.overflow() <= 0

    lab.open_tab("playground")
    lab.set_longest_answer(12)
    choose(lab, "#speaks", NAMES[0])
    assert lab.ask("name[The Eagle], food[Italian], area[riverside]")[-1].startswith("The Eagle")

    lab.open_tab("finetune")
    choose(lab, "#travel-chosen", NAMES[0])
    page.locator("#travel").get_by_role("button", name=lab.text("travel.delete", "value")).click()
    page.locator("#travel").get_by_role(
        "button", name=lab.text("tuning.yes_delete", "value")
    ).click()
    expect(page.locator("#travel-table tbody tr")).to_have_count(1)
    expect(page.locator("#speaks input")).to_have_value(lab.said("base_model"))
