"""The whole path of a stranger: ask, upload, train, reload, ask and compare the adapter, take it home."""

import csv
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from playwright.sync_api import expect
from transformers import AutoModelForCausalLM

from demo.settings import ROOT
from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations
from tests.running import RunningApp

ADAPTER_FILES = {"README.md", "adapter_config.json", "adapter_model.safetensors", "run.json"}
NAMED = ("mr", "ref")
"""Column names that the lab knows; others have to be chosen."""
UNNAMED = ("facts", "sentence")


def forty_rows(folder: Path, columns: tuple[str, str]) -> Path:
    """Forty restaurant rows under other column names, as a visitor's own file."""
    with (ROOT / "demo/samples/restaurants/rows.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["prompt"], row["completion"]) for row in csv.DictReader(file)][:40]
    path = folder / "forty.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def assert_plain_peft_loads(archive: Path, home: Path, folder: Path) -> None:
    """The four files of a zip, read by PEFT alone, change what the base model says."""
    with zipfile.ZipFile(archive) as opened:
        files = [name for name in opened.namelist() if not name.endswith("/")]
        opened.extractall(folder)
    assert {Path(name).name for name in files} == ADAPTER_FILES
    base = next(path.parent for path in home.rglob("model.safetensors"))
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    question = torch.arange(100, 120)[None]
    before = model(question).logits
    adapted = PeftModel.from_pretrained(model, folder / Path(files[0]).parent)
    assert not torch.equal(adapted(question).logits, before)


@pytest.mark.parametrize(("width", "columns"), [(1280, NAMED), (390, UNNAMED)])
def test_stranger_walks_from_a_question_to_an_own_adapter(
    visit: OpenVisitor,
    running_app: RunningApp,
    tmp_path: Path,
    width: int,
    columns: tuple[str, str],
) -> None:
    visitor = visit(width=width, accept_downloads=True)
    lab = LabPage(visitor.page).wait_until_ready()
    name = f"forty at {width}"

    lab.set_longest_answer(40)
    seen = lab.ask("What is photosynthesis?")
    assert len(seen) >= 3
    assert all(later.startswith(earlier) for earlier, later in pairwise(seen))

    lab.open_tab("finetune")
    lab.upload(forty_rows(tmp_path, columns))
    if columns == UNNAMED:
        lab.map_columns(*columns)
    lab.set_training(max_steps=4)
    lab.start_run(name)

    visitor.reload()
    lab.wait_until_ready().follow_run(name)
    lab.wait_for_run(name)
    expect(visitor.page).to_have_title(f"“{name}” is ready · Adaptation Lab")
    lab.open_tab("finetune")
    with_download = tmp_path / "adapter.zip"
    lab.download().save_as(with_download)
    assert_plain_peft_loads(with_download, running_app.home, tmp_path / "unpacked")
    assert violations(visitor.page) == []

    visitor.page.locator("#compare-it").click()
    expect(lab.tab("compare")).to_have_attribute("aria-selected", "true")
    lab.set_longest_answer(24)
    base, adapted = lab.compare()
    expect(adapted.locator(".who")).to_contain_text(name)
    for column in (base, adapted):
        expect(column.locator(".said")).not_to_be_empty()
    assert violations(visitor.page) == []
    assert lab.overflow() <= 0

    lab.open_tab("finetune")
    visitor.page.locator("#ask-it").click()
    expect(lab.tab("playground")).to_have_attribute("aria-selected", "true")
    expect(visitor.page.locator("#speaks input")).to_have_value(name)

    stranger = LabPage(visit().page).wait_until_ready()
    stranger.open_tab("finetune")
    expect(stranger.page.locator("#banner")).to_have_text("")
    expect(stranger.page.get_by_text(name)).to_have_count(0)
    stranger.open_tab("playground")
    stranger.page.locator("#speaks input").click()
    expect(stranger.page.get_by_role("option").first).to_be_visible()
    expect(stranger.page.get_by_role("option", name=name)).to_have_count(0)
