"""What was said is taken back as asked, never in the middle of an answer."""

from dataclasses import replace
from typing import Any

import gradio as gr
import pytest

from demo.ui import speech, taking_back
from demo.ui.language import Labels, Texts
from demo.ui.plain_text import framed_by, switched
from demo.ui.shell import Shell

TEXTS = Texts.load()
TURNS = (
    speech.Turn(question="one", answer="1", reason="end"),
    speech.Turn(question="two", answer="2", reason="end"),
    speech.Turn(question="three", answer="3", reason="end"),
)


@pytest.fixture
def shell() -> Shell:
    """A shell without a lab: nothing here asks one."""
    nothing: Any = None
    return Shell(nothing, TEXTS, Labels(TEXTS), nothing, nothing)


def chat(*turns: speech.Turn) -> dict[str, Any]:
    return speech.chat(TEXTS, "en", turns)


def pressed(turn: Any) -> gr.EventData:
    return gr.EventData(None, {"turn": turn})


def test_question_to_be_edited_goes_to_the_field_and_what_followed_stands_till_it_is_sent(
    shell: Shell,
) -> None:
    left, message, said = taking_back.edit(shell, pressed(1), chat(*TURNS), "", "en")
    assert speech.read_turns(left) == TURNS
    assert speech.standing(left) == TURNS[:1]
    assert message == "two"
    assert "only then" in said


@pytest.mark.parametrize("turn", [3, -2, 0.5, "x", None, True])
def test_turn_that_does_not_exist_is_refused_and_the_chat_stays(shell: Shell, turn: Any) -> None:
    left, message, said = taking_back.edit(shell, pressed(turn), chat(*TURNS), "", "en")
    assert left == message == gr.skip()
    assert "notice error" in said


def test_undo_takes_the_last_turn_away_and_of_an_empty_chat_nothing(shell: Shell) -> None:
    left, said = taking_back.undo(shell, chat(*TURNS), "en")
    assert (speech.read_turns(left), said) == (TURNS[:2], "")
    left, _ = taking_back.undo(shell, chat(), "en")
    assert speech.read_turns(left) == ()


def test_nothing_is_taken_back_while_an_answer_is_under_way(shell: Shell) -> None:
    going = chat(*TURNS[:2], replace(TURNS[2], reason=""))
    left, message, said = taking_back.edit(shell, pressed(0), going, "", "en")
    assert left == message == gr.skip()
    assert TEXTS.say("en", "answer_under_way") in said
    left, said = taking_back.undo(shell, going, "en")
    assert left == gr.skip()
    assert TEXTS.say("en", "answer_under_way") in said


def test_new_chat_is_empty(shell: Shell) -> None:
    left, said = taking_back.start_afresh(shell, "pl")
    assert speech.read_turns(left) == ()
    assert said == ""


def test_every_turn_has_a_button_that_names_it() -> None:
    html = str(chat(*TURNS)["html"])
    assert 'data-edit="0" aria-label="Edit question 1"' in html
    assert html.count("data-edit") == 3


def test_plain_text_stands_before_its_continuation_and_is_no_part_of_the_conversation() -> None:
    plain = speech.Turn(question="<b>The sky", plain=True, answer=" is <i>blue", reason="end")
    html = str(chat(plain)["html"])
    assert '<span class="given">&lt;b&gt;The sky</span>' in html
    assert '<span class="made"> is &lt;i&gt;blue</span>' in html
    assert speech.history((plain, TURNS[0])) == speech.history(TURNS[:1])
    assert speech.read_turns(chat(plain)) == (plain,)


def test_plain_text_and_a_prompt_file_take_turns() -> None:
    assert switched(True) == (gr.update(visible=True), "")
    assert switched(False) == (gr.update(visible=False), gr.skip())
    assert framed_by("sentiment") == (False, gr.update(visible=False))
    assert framed_by("") == (gr.skip(), gr.skip())
