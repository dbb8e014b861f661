"""Texts of visitors and models reach the page as text, whatever they hold."""

import pytest

from demo.records import Answer, BaseProof, LabStatus, Message
from demo.run_records import Row, RunEvent
from demo.ui import speech, views
from demo.ui.curve import curve
from demo.ui.language import LANGUAGES, Texts

HOSTILE = "<img src=x onerror=alert(1)> ${alert(1)} {{value}} <script>alert(1)</script>"
TEXTS = Texts.load()


def test_chat_escapes_question_answer_and_title() -> None:
    turn = speech.Turn(question=HOSTILE, answer=HOSTILE, title=HOSTILE, tokens=1, reason="end")
    html = str(speech.chat(TEXTS, "en", (turn,))["html"])
    assert "<img" not in html
    assert "<script" not in html
    assert "&lt;img src=x" in html


def test_preview_escapes_rows() -> None:
    messages = (Message("user", HOSTILE), Message("assistant", HOSTILE))
    html = str(views.preview(TEXTS, "en", (Row(1, messages),)))
    assert "<img" not in html
    assert "<script" not in html


def test_chat_value_gives_its_turns_back_and_drops_what_is_malformed() -> None:
    turns = (speech.Turn(question="one", answer="two", reason="end", tokens=3, seconds=1.5),)
    assert speech.read_turns(speech.chat(TEXTS, "en", turns)) == turns
    assert speech.read_turns({"turns": ["no turn", {"question": 7}]}) == (speech.Turn(),)
    assert speech.read_turns("nothing") == ()


def test_history_leaves_out_turns_framed_by_a_prompt_file() -> None:
    plain = speech.Turn(question="a", answer="b", reason="end")
    framed = speech.Turn(question="c", answer="d", reason="end", file="Few-shot")
    assert speech.history((plain, framed)) == (Message("user", "a"), Message("assistant", "b"))


def test_paced_always_shows_the_first_and_the_last_increment() -> None:
    assert list(speech.paced(range(1000), lambda: 60)) == [0, 999]


def test_columns_head_the_base_with_its_proof() -> None:
    turns = [speech.Turn(question="q", title="base model"), speech.Turn(speaker="x", title="mine")]
    grown = [speech.grown(TEXTS, "en", t, Answer(text="yes", tokens=1, done=True)) for t in turns]
    html = str(speech.columns(TEXTS, "en", grown, BaseProof(True, 4, 0.0))["html"])
    assert html.count("proof good") == 1
    assert "4 probes, largest difference 0" in html
    assert html.index("base model") < html.index("mine")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(waiting=3, wait_seconds=12.4), "waiting; place 3 in the queue, about 12 s"),
        (Answer(waiting=1, wait_seconds=600), "waiting; place 1 in the queue, about 10 min"),
        (Answer(), "reading the prompt …"),
        (Answer(text="a", tokens=2, seconds=120, done=True, reason="time"), "time limit"),
    ],
)
def test_what_an_answer_waits_for_or_ended_by_is_said(answer: Answer, expected: str) -> None:
    turn = speech.grown(TEXTS, "en", speech.Turn(question="q"), answer)
    assert expected in speech.cost(TEXTS, "en", turn)
    assert speech.read_turns(speech.chat(TEXTS, "en", (turn,))) == (turn,)
    assert all(speech.cost(TEXTS, language, turn) for language in LANGUAGES)


def test_header_says_what_is_resident() -> None:
    status = LabStatus("ready", "m", "int8", "", "cpu", resident_bytes=151_400_000)
    assert "int8 · 151 MB of weights and adapters · cpu" in views.header(TEXTS, "en", status)


def test_curve_names_its_numbers_and_repeats_them_as_a_table() -> None:
    events = (
        RunEvent(0, 0.0, eval_loss=3.1),
        RunEvent(1, 1.0, train_loss=3.0),
        RunEvent(2, 2.0, eval_loss=1.2),
    )
    html = str(curve(TEXTS, "en", events, 2))
    assert 'role="img"' in html
    assert "from 3.10 at the start to 1.20 at step 2" in html
    assert html.count("<tr><td>") == 3


def test_curve_is_empty_before_the_first_measurement() -> None:
    assert str(curve(TEXTS, "en", (), 10)) == ""
