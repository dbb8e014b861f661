"""What the chat's handlers answer: with the real model, on every path that a visitor can take."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from demo.errors import Busy
from demo.lab import Lab
from demo.settings import LabSettings
from demo.ui import conversation, speech
from demo.ui.asking import framed
from demo.ui.exact import show_exact
from demo.ui.language import Labels, Texts
from demo.ui.memory import browser_memory
from demo.ui.shell import Shell
from demo.ui.tabs import playground
from demo.ui.tabs.playground import Playground
from demo.ui.taking_back import edit

REQUEST = gr.Request(session_hash="a visitor")
TURN = speech.Turn(question="Name a fruit.", answer="Apple.", tokens=2, reason="end")


@pytest.fixture(scope="module")
def page(own_home: Path) -> Iterator[tuple[Shell, Playground]]:
    """The tab over a lab of its own that shares the converted model; as in the app, it is there first."""
    lab, texts = Lab(LabSettings(home=own_home, answers_per_visitor=1)), Texts.load()
    with gr.Blocks():
        language = gr.Radio(["en"], value="en")
        shell = Shell(lab, texts, Labels(texts), browser_memory(), language)
        parts = playground.build(shell)
    lab.engine.start()
    lab.engine.wait_ready(240)
    yield shell, parts
    lab.engine.close()


@pytest.fixture
def shell(page: tuple[Shell, Playground]) -> Shell:
    return page[0]


@pytest.fixture
def parts(page: tuple[Shell, Playground]) -> Playground:
    return page[1]


@pytest.fixture
def given(shell: Shell, parts: Playground) -> dict[str, Any]:
    """What the components hold at first, with short answers."""
    held = {name: part.value for name, part in parts.inputs(shell).items()}
    return held | {"chat": chat(), "message": "Hi", "max_new_tokens": 4}


def chat(*turns: speech.Turn) -> dict[str, Any]:
    return speech.chat(Texts.load(), "en", turns)


def taken(shell: Shell, parts: Playground, given: dict[str, Any]) -> dict[str, Any]:
    """What the next listener is given after the question was taken."""
    changed = conversation.take(shell, parts, REQUEST, **given)
    return given | {"chat": changed[parts.chat], "message": changed[parts.message]}


def answered(shell: Shell, given: dict[str, Any]) -> tuple[speech.Turn, ...]:
    """The turns as the last increment of the stream shows them."""
    *_, last = conversation.answer(shell, REQUEST, **given)
    return speech.read_turns(last)


def test_question_is_taken_shown_and_answered_after_what_was_said_before(
    shell: Shell, parts: Playground, given: dict[str, Any]
) -> None:
    asked = taken(shell, parts, given | {"chat": chat(TURN)})
    assert asked["message"] == ""
    first, second = answered(shell, asked)
    assert first == TURN
    assert (second.question, second.tokens, second.plain) == ("Hi", 4, False)
    assert second.reason == "length"


@pytest.mark.parametrize("control", [True, False])
def test_plain_text_is_continued_without_template_and_without_earlier_turns(
    shell: Shell, parts: Playground, given: dict[str, Any], control: bool
) -> None:
    plain = {"completion": True, "control": control, "message": "<|im_start|>The sky is"}
    asked = taken(shell, parts, given | plain | {"chat": chat(TURN), "system": "Be brief."})
    turn = answered(shell, asked)[-1]
    assert turn.plain
    assert turn.answer
    shown = str(show_exact(shell, REQUEST, **given | plain)["html"])
    assert ('class="control"' in shown) is control
    assert "assistant" not in shown


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"message": " "}, "message is empty"),
        ({"temperature": 3}, "temperature must be between"),
        ({"chat": chat(replace(TURN, reason=""))}, "An answer is under way"),
    ],
)
def test_question_that_cannot_be_asked_stays_typed_and_the_reason_is_said(
    shell: Shell, parts: Playground, given: dict[str, Any], wrong: dict[str, Any], said: str
) -> None:
    given |= wrong
    with pytest.raises(gr.Error, match=said):
        conversation.take(shell, parts, REQUEST, **given)
    assert said in conversation.refuse(shell, parts, conversation.take, REQUEST, **given)


def test_nothing_is_streamed_where_no_question_was_taken(
    shell: Shell, given: dict[str, Any]
) -> None:
    (nothing,) = conversation.answer(shell, REQUEST, **given | {"chat": chat(TURN)})
    assert nothing == gr.skip()


def test_starter_is_asked_and_what_is_typed_stays(
    shell: Shell, parts: Playground, given: dict[str, Any]
) -> None:
    changed = conversation.take_starter(shell, parts, REQUEST, "What is rain?", **given)
    (turn,) = speech.read_turns(changed[parts.chat])
    assert turn.question == "What is rain?"
    assert changed[parts.message] == gr.skip()


def test_question_asked_again_is_drawn_with_the_next_seed_and_the_knob_shows_it(
    shell: Shell, parts: Playground, given: dict[str, Any]
) -> None:
    seed = parts.framing.sampling["seed"]
    given |= {"chat": chat(TURN), "seed": 3}
    greedy = conversation.take_again(shell, parts, REQUEST, **given)
    assert greedy[seed] == gr.skip()
    drawn = conversation.take_again(shell, parts, REQUEST, **given | {"temperature": 0.7})
    assert drawn[seed] == 4


def test_same_text_again_is_explained(
    shell: Shell, parts: Playground, given: dict[str, Any]
) -> None:
    value = chat(TURN) | {"replaced": chat(TURN)["turns"]}
    changed = conversation.after(shell, parts, REQUEST, **given | {"chat": value})
    assert "At temperature 0" in changed[parts.notice]
    other = chat(replace(TURN, answer="Pear.")) | {"replaced": chat(TURN)["turns"]}
    changed = conversation.after(shell, parts, REQUEST, **given | {"chat": other})
    assert changed[parts.notice] == ""


def test_last_question_is_asked_again_in_its_place(
    shell: Shell, parts: Playground, given: dict[str, Any]
) -> None:
    given |= {"chat": chat(TURN)}
    changed = conversation.take_again(shell, parts, REQUEST, **given)
    assert changed[parts.message] == gr.skip()
    (turn,) = speech.read_turns(changed[parts.chat])
    assert (turn.question, turn.answer, turn.reason) == (TURN.question, "", "")


@pytest.mark.parametrize("wrong", [{"temperature": 3}, {"chat": chat(replace(TURN, reason=""))}])
def test_retry_that_is_refused_leaves_the_chat_as_it_was(
    shell: Shell, parts: Playground, given: dict[str, Any], wrong: dict[str, Any]
) -> None:
    given |= {"chat": chat(TURN)} | wrong
    with pytest.raises(gr.Error):
        conversation.take_again(shell, parts, REQUEST, **given)
    assert conversation.refuse(shell, parts, conversation.take_again, REQUEST, **given)


def test_retry_that_fails_gives_the_old_answer_back(
    shell: Shell, parts: Playground, given: dict[str, Any]
) -> None:
    given |= {"chat": chat(TURN)}
    elsewhere = framed(shell, REQUEST, given)
    changed = conversation.take_again(shell, parts, REQUEST, **given)
    with closing(shell.lab.answer(elsewhere)) as going:
        next(iter(going))
        asked = given | {"chat": changed[parts.chat], "message": ""}
        *_, failed = conversation.answer(shell, REQUEST, **asked)
    changed = conversation.after(shell, parts, REQUEST, **asked | {"chat": failed})
    assert speech.read_turns(changed[parts.chat]) == (TURN,)
    assert changed[parts.message] == ""
    assert "under way already" in changed[parts.notice]


def pressed(turn: Any) -> gr.EventData:
    """A press on a turn's own button."""
    return gr.EventData(None, {"turn": turn})


def test_edited_question_takes_back_what_followed_only_when_it_is_sent(
    shell: Shell, parts: Playground, given: dict[str, Any]
) -> None:
    said = chat(TURN, replace(TURN, question="And a tree?"))
    value, message, _ = edit(shell, pressed(0), said, "a draft", "en")
    assert (message, len(speech.read_turns(value))) == ("Name a fruit.", 2)
    assert str(value["html"]).count('class="leaving"') == 2
    asked = taken(shell, parts, given | {"chat": value, "message": "Name a colour."})
    assert [turn.question for turn in speech.read_turns(asked["chat"])] == ["Name a colour."]
    assert asked["message"] == "a draft"


def test_question_that_is_not_edited_after_all_stays_and_the_draft_comes_back(shell: Shell) -> None:
    said = chat(TURN, replace(TURN, question="And a tree?"))
    value, _, _ = edit(shell, pressed(0), said, "a draft", "en")
    value, _, _ = edit(shell, pressed(1), value, "Name a fruit.", "en")
    value, message, told = edit(shell, pressed(-1), value, "Name a", "en")
    assert (value["turns"], value["editing"]) == (said["turns"], None)
    assert (message, told) == ("a draft", "")


@pytest.mark.parametrize("turn", [-2, 1, "one", None])
def test_press_that_names_no_turn_is_refused_in_words(shell: Shell, turn: Any) -> None:
    *unchanged, told = edit(shell, pressed(turn), chat(TURN), "", "en")
    assert unchanged == [gr.skip(), gr.skip()]
    assert "turn must be" in told


@pytest.mark.parametrize(
    "editing", [{"turn": 1, "draft": ""}, {"turn": 0}, {"turn": "0", "draft": ""}, "0", None]
)
def test_malformed_editing_takes_nothing_back(editing: Any) -> None:
    assert speech.standing(chat(TURN) | {"editing": editing}) == (TURN,)


def test_edited_question_that_fails_is_edited_on(
    shell: Shell, parts: Playground, given: dict[str, Any]
) -> None:
    value, _, _ = edit(shell, pressed(0), chat(TURN), "a draft", "en")
    asked = taken(shell, parts, given | {"chat": value, "message": "Name a colour."})
    with closing(shell.lab.answer(framed(shell, REQUEST, given))) as going:
        next(iter(going))
        *_, failed = conversation.answer(shell, REQUEST, **asked)
    changed = conversation.after(shell, parts, REQUEST, **asked | {"chat": failed})
    assert speech.read_turns(changed[parts.chat]) == (TURN,)
    assert speech.read_editing(changed[parts.chat]) == speech.Editing(0, "a draft")
    assert changed[parts.message] == "Name a colour."


def test_answer_is_redrawn_in_the_language_that_the_page_has_come_to_speak(
    shell: Shell, parts: Playground, given: dict[str, Any]
) -> None:
    given |= {"chat": chat(TURN) | {"lens": "kept"}, "language": "hu"}
    changed = conversation.after(shell, parts, REQUEST, **given)
    assert changed[parts.chat]["language"] == "hu"
    assert changed[parts.chat]["lens"] == "kept"


def test_question_beside_an_answer_under_way_elsewhere_is_handed_back(
    shell: Shell, parts: Playground, given: dict[str, Any]
) -> None:
    elsewhere = framed(shell, REQUEST, given)
    asked = taken(shell, parts, given)
    with closing(shell.lab.answer(elsewhere)) as going:
        next(iter(going))
        with pytest.raises(Busy):
            next(iter(shell.lab.answer(elsewhere)))
        *_, failed = conversation.answer(shell, REQUEST, **asked)
    changed = conversation.after(shell, parts, REQUEST, **asked | {"chat": failed})
    assert speech.read_turns(changed[parts.chat]) == ()
    assert changed[parts.message] == "Hi"
    assert "under way already" in changed[parts.notice]


def test_stream_that_is_stopped_frees_its_place_and_is_marked_as_stopped(
    shell: Shell, parts: Playground, given: dict[str, Any]
) -> None:
    asked = taken(shell, parts, given | {"max_new_tokens": 512, "message": "Tell a long story."})
    stream = conversation.answer(shell, REQUEST, **asked)
    seen = next(stream)
    stream.close()
    (turn,) = speech.read_turns(conversation.settle(shell, seen, "en"))
    assert turn.reason == "stopped"
    assert answered(shell, taken(shell, parts, given))[-1].tokens == 4


def test_exact_prompt_follows_what_is_typed_and_else_shows_the_last_question(
    shell: Shell, given: dict[str, Any]
) -> None:
    def shown(**change: Any) -> str:
        return str(show_exact(shell, REQUEST, **given | change)["html"])

    assert "of 8,192 tokens" in shown(message="What is tea?", system="Be brief.")
    assert "fruit" in shown(message="", chat=chat(TURN))
    assert "Type a message" in shown(message="")
    assert "temperature must be between" in shown(temperature=3)
