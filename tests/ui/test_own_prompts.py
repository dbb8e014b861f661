"""Prompt files from elsewhere are shown as text, never as a part of the page."""

from pathlib import Path

import gradio as gr
import pytest

from demo.lab import Lab
from demo.settings import ROOT, LabSettings
from demo.ui import own_prompts, prompt_choice
from demo.ui.language import Labels, Texts
from demo.ui.memory import browser_memory
from demo.ui.shell import Shell

HOSTILE = "<img src=x onerror=alert(1)></script>"
FILE = (ROOT / "prompts" / "sentiment-zero-shot.md").read_text(encoding="utf-8")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """The ground over a lab whose model is never started."""
    lab, texts = Lab(LabSettings(home=tmp_path / "home")), Texts.load()
    with gr.Blocks():
        return Shell(lab, texts, Labels(texts), browser_memory(), gr.Radio(["en"], value="en"))


def test_title_and_lesson_of_an_imported_file_are_escaped(shell: Shell, tmp_path: Path) -> None:
    lines = FILE.splitlines()
    lines[1], lines[4] = f"title: {HOSTILE}", f"teaches: {HOSTILE}"
    path = tmp_path / "mine.md"
    path.write_text("\n".join(lines), encoding="utf-8")
    memory, file, *_, told = own_prompts.upload(shell, str(path), None, "en")
    taught, *_ = prompt_choice.choose_file(shell, file["value"], "", "file", memory)
    for shown in (told, taught):
        assert "&lt;img src=x onerror=alert(1)&gt;" in shown
        assert "<img" not in shown
        assert "</script>" not in shown


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.md", "mine.md"])
def test_refusal_of_a_hostile_file_is_escaped(shell: Shell, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(FILE.replace("technique: zero-shot", "technique: <img src=x>"), "utf-8")
    *unchanged, told = own_prompts.upload(shell, str(path), None, "en")
    assert len(unchanged) == 4
    assert "technique &#39;&lt;img src=x&gt;&#39; is unknown" in told
    assert "<img" not in told


def test_far_too_large_file_is_refused_in_the_fold(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "mine.md"
    path.write_bytes(b"x" * 10_000_000)
    *_, told = own_prompts.upload(shell, str(path), None, "en")
    assert "mine.md has 9,766 KB; a prompt may have 64 KB at most" in told
