"""What the methods reached: the numbers of the file are the numbers on the page, and no file shows nothing."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.tuning import _measurement
from demo.methods import METHODS, measured
from demo.methods.measured import Measurement, Reached, keep, measurement, reached_in
from demo.ui.language import LANGUAGES, Texts
from demo.ui.tuning import measured_view
from demo.ui.tuning.about import about

TEXTS = Texts.load()
FOUND = Measurement(
    methods={
        "lora": Reached(61.2, 60.4, 2_442_240),
        "prompt": Reached(9.1, 59.8, 9_216),
        "full": Reached(63.0, 61.0, 134_515_008),
    },
    base=12.4,
    parameters=134_515_008,
    cpu="<An> x86",
    cores=2,
    date="2026-11-21",
    command="python -m benchmarks.tuning methods --write",
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A measurement's file, which the page reads in place of the shipped one."""
    path = tmp_path / "measured.json"
    monkeypatch.setattr(measured_view, "measurement", lambda: measurement(path))
    return path


def test_what_is_kept_is_read_again(file: Path) -> None:
    keep(FOUND, file)
    assert measurement(file) == FOUND


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"methods": {"lora": {"bleu": 1}}}'])
def test_nothing_is_shown_where_nothing_was_measured(file: Path, content: str | None) -> None:
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert measured_view.measured_line(TEXTS, "en", "lora") == ""
    assert measured_view.measured_table(TEXTS, "en", "lora") == ""
    assert "measured" not in about(TEXTS, "en", "lora")


def test_a_methods_story_says_what_it_reached(file: Path) -> None:
    keep(FOUND, file)
    said = str(about(TEXTS, "en", "lora"))
    assert "BLEU 61.2 after 60 s of training (base model 12.4), 1.82 % of the weights" in said
    assert "on 2 CPU cores, 2026-11-21" in said
    assert "Measured: BLEU" not in about(TEXTS, "en", "ia3")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_holds_the_files_numbers_the_losers_too_best_first(
    file: Path, language: str
) -> None:
    keep(FOUND, file)
    table = str(measured_view.measured_table(TEXTS, language, "lora"))
    numbers = re.findall(r"<td>([\d.,]+)</td>", table)
    assert [float(n.replace(",", ".")) for n in numbers] == [63.0, 61.2, 12.4, 9.1]
    assert ("12.4" in table) == (language == "en")
    assert "<strong>LoRA</strong>" in table
    assert "&lt; " in table
    assert "&lt;An&gt; x86" in table


def test_the_shipped_file_names_methods_that_there_are() -> None:
    found = measurement()
    if found is not None:
        assert set(found.methods) <= set(METHODS)
        assert all(0 <= reached.bleu <= 100 for reached in found.methods.values())


def test_the_benchmark_writes_its_own_table(
    file: Path, lab_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_HOME", str(lab_home))
    table = {
        "base": {"bleu": 12.4, "seconds": 0.0, "trainable": 0},
        "lora": {"bleu": 61.2, "seconds": 60.4, "trainable": 2_442_240, "loss": 1.0},
        "full": {"bleu": None, "seconds": 60.0, "trainable": 134_515_008, "loss": 1.1},
    }
    assert reached_in(table).keys() == {"base", "lora"}
    keep(_measurement(table), file)
    assert json.loads(file.read_text("utf-8"))["methods"] == {
        "lora": {"bleu": 61.2, "seconds": 60.4, "trainable": 2_442_240}
    }
    assert measured.measurement(file).parameters == FOUND.parameters  # type: ignore[union-attr]
