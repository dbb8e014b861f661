"""What a result was asked: told in one line, exported in single values, taken back from a browser with care."""

from typing import Any

import pytest

from demo.records import Sampling
from demo.ui.glass.posed import Posed, Words, line, marked, read_posed
from demo.ui.language import LANGUAGES, Texts

TEXTS = Texts.load()
DRAWN = Posed(
    Words("Who <i>wrote</i> it?", "A frame", earlier_messages=2),
    Sampling(temperature=0.8, top_k=40, seed=3),
)
JUDGED = Posed(Words("The capital of", mode="plain", speaks="run1", title="My run"))


def test_the_line_names_question_frame_who_answers_and_what_is_not_neutral() -> None:
    said = str(line(TEXTS, "en", DRAWN))
    assert (
        "Asked: “Who &lt;i&gt;wrote&lt;/i&gt; it?” · A frame · chat · messages before it: 2" in said
    )
    assert "base model · temperature 0.8 · max new tokens 128 · seed 3 · top-k 40" in said
    assert "min-p" not in said
    assert "“The capital of” · plain text · My run</p>" in str(line(TEXTS, "en", JUDGED))


def test_a_greedy_question_names_no_seed_and_a_long_one_is_cut() -> None:
    said = str(line(TEXTS, "en", Posed(Words("word " * 100), Sampling())))
    assert "seed" not in said
    assert "…”" in said
    assert len(said) < 300


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("found", [DRAWN, JUDGED])
def test_it_comes_back_from_a_browser_as_it_went(found: Posed, language: str) -> None:
    again = read_posed(marked(found))
    assert again == found
    assert line(TEXTS, language, again)
    assert all(not isinstance(one, dict | list | tuple) for one in found.kept().values())


@pytest.mark.parametrize(
    "change",
    [
        {"question": 5},
        {"question": "x" * 50_000},
        {"mode": "shell"},
        {"earlier_messages": 10**400},
        {"temperature": "hot"},
        {"temperature": 9},
        {"top_p": None},
        {"seed": float("nan")},
    ],
)
def test_what_no_server_wrote_is_not_told(change: dict[str, Any]) -> None:
    assert read_posed({"asked": DRAWN.kept() | change}) is None
    assert line(TEXTS, "en", None) == ""


@pytest.mark.parametrize("value", [None, 3, "x", {}, {"asked": None}, {"asked": []}, {"asked": {}}])
def test_where_nothing_is_kept_nothing_is_told(value: Any) -> None:
    assert read_posed(value) is None
