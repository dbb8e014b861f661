"""What "Keep it" gathers, on the real model's lab: honest where there is nothing, calm where a browser lies."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from demo.lab import Lab
from demo.settings import LabSettings
from demo.ui import speech
from demo.ui.glass.keep import keep
from demo.ui.language import Labels, Texts
from demo.ui.memory import browser_memory
from demo.ui.shell import Shell
from demo.ui.tabs import playground

REQUEST = gr.Request(session_hash="a visitor")
TURN = speech.Turn(question="=1+1", answer="Two.", tokens=2, reason="end")


@pytest.fixture(scope="module")
def page(own_home: Path) -> Iterator[tuple[Shell, dict[str, Any]]]:
    """The Playground over a lab of its own, and what its components hold at first."""
    lab, texts = Lab(LabSettings(home=own_home)), Texts.load()
    with gr.Blocks():
        language = gr.Radio(["en"], value="en")
        shell = Shell(lab, texts, Labels(texts), browser_memory(), language)
        parts = playground.build(shell)
    lab.engine.start()
    lab.engine.wait_ready(240)
    held = {name: part.value for name, part in parts.inputs(shell).items()}
    yield shell, held | {"chat": speech.chat(texts, "en", [TURN])}
    lab.engine.close()


def made(page: tuple[Shell, dict[str, Any]], kind: str, **more: Any) -> tuple[bytes, str]:
    """The file, if there is one, and what is said."""
    shell, given = page
    file, said = keep(shell, kind, REQUEST, **(given | more))
    return (Path(file["value"]).read_bytes() if file["value"] else b""), str(said)


def test_the_last_question_is_kept_with_its_prompt_and_settings(page: Any) -> None:
    content, said = made(page, "json")
    found = json.loads(content)
    assert found["answers"][0]["answer"] == "Two."
    assert found["prompt"]["tokens"] == len(found["prompt"]["ids"])
    assert found["settings"]["speaks"] == "base"
    assert {"torch", "transformers", "made", "model", "precision"} <= set(found["facts"])
    assert "on its way" in said


def test_where_nothing_was_asked_it_says_what_to_do(page: Any) -> None:
    content, said = made(page, "page", chat=speech.chat(Texts.load(), "en", ()))
    assert content == b""
    assert "Type something first" in said


@pytest.mark.parametrize("kind", ["page", "json", "csv"])
def test_whatever_a_browser_says_a_fold_has_found_nothing_of_it_runs(page: Any, kind: str) -> None:
    evil = "</style><script>alert(1)</script>"
    found = {
        "found_lens": {"branches": [{"tokens": evil}], "html": evil},
        "found_draws": {"html": f"<p class='verdict'>kept</p>{evil}", "draws": evil},
        "found_votes": {"html": evil},
        "found_next_token": {"candidates": evil},
        "found_next_token_picture": evil,
        "found_judge_words": [evil],
        "found_judge": {"judged": [[evil, [[1, evil, "x", 1]]]], "asked": {"question": evil}},
        "found_attention": None,
    }
    content, _ = made(page, kind, **found)
    assert content
    if kind == "page":
        assert b"<script" not in content
        assert b'<p class="verdict">kept</p>' in content


def test_the_page_speaks_the_visitors_language(page: Any) -> None:
    content, _ = made(page, "page", language="hu")
    assert b'<html lang="hu">' in content
    assert "A beszélgetés".encode() in content


def test_every_result_has_a_heading_of_its_own_and_says_what_it_was_asked(page: Any) -> None:
    asked = {"question": "An older question", "frame": "", "mode": "plain", "speaks": "base"}
    asked |= {"title": "", "system": "", "earlier_messages": 0}
    scores = {"html": "<p>kept</p>", "scores": [[-1.0, -2.0]], "asked": asked}
    found = {
        "found_judge": {"html": "<p>kept</p>", "judged": [], "asked": asked | {"mode": "forged"}},
        "found_judge_pronouns": scores | {"kind": "pronouns"},
        "found_judge_words": scores | {"kind": "words"},
    }
    headings = re.findall("<h2>(.*?)</h2>", made(page, "page", **found)[0].decode())
    assert len(set(headings)) == len(headings)
    assert "Which words does it lean to?" in headings
    assert sum("as it stands at saving" in heading for heading in headings) == 2
    kept = json.loads(made(page, "json", **found)[0])
    assert kept["judge_words"]["asked"] == asked
    assert "asked" not in kept["judge"]
