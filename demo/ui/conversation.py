"""A conversation's events: a question is taken or refused, answered, stopped, or handed back.

Each handler is given what the page holds and returns what changes of it. Knows no layout: `parts`
names the components.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo.errors import LabError
from demo.records import AnswerRequest, Sampling
from demo.ui import speech
from demo.ui.asking import answer_rule, frame_title, framed
from demo.ui.exact import show_exact
from demo.ui.glass import lens
from demo.ui.shell import Shell
from demo.ui.speech import Turn
from demo.ui.views import notice

if TYPE_CHECKING:
    from demo.ui.tabs.playground import Playground

LARGEST_SEED = int(Sampling.RANGES["seed"][1])
UNSEEN: dict[str, Any] = {"visible": False, "print_exception": False}
"""For refusals: the page tells them itself."""


def take(shell: Shell, parts: "Playground", request: gr.Request, **given: Any) -> dict[Any, Any]:
    """Show the question, ready to be answered.

    Raises:
        gr.Error: it cannot be; `refuse` says why, and what stands in the chat is left alone, since it
            may have grown meanwhile.
    """
    past, language = speech.standing(given["chat"]), given["language"]
    editing = speech.read_editing(given["chat"])
    question = _question(shell, request, given)
    title = shell.title_of(given["memory"], language, question.adapter)
    plain = bool(given["completion"])
    file, rule = frame_title(shell, given), answer_rule(shell, given)
    turn = Turn(given["message"], question.adapter, title, file, plain, rule)
    return {
        parts.chat: speech.chat(shell.texts, language, (*past, turn))
        | {"replaced": given["chat"]["turns"][len(past) :]},
        parts.message: editing.draft if editing else "",
        parts.notice: "",
    }


def take_again(shell: Shell, parts: "Playground", request: gr.Request, **given: Any) -> Any:
    """The last question once more, with the knobs as they stand now; what is typed stays.

    Where tokens are drawn the seed goes on by one: the same dice would fall the same way.
    """
    taken = take(shell, parts, request, **_again(shell, given))
    replaced = given["chat"]["turns"][-1:]
    drawn, seed = given["temperature"] > 0, int(given["seed"] or 0)
    return taken | {
        parts.chat: taken[parts.chat] | {"replaced": replaced},
        parts.message: gr.skip(),
        parts.framing.sampling["seed"]: (seed + 1) % LARGEST_SEED if drawn else gr.skip(),
    }


def take_starter(
    shell: Shell, parts: "Playground", request: gr.Request, starter: str, **given: Any
) -> Any:
    """A question that the page proposes; what is typed stays."""
    begun = given | {"message": starter}
    return take(shell, parts, request, **begun) | {parts.message: gr.skip()}


def _again(shell: Shell, given: dict[str, Any]) -> dict[str, Any]:
    turns = speech.read_turns(given["chat"])
    if not turns or speech.under_way(turns):
        return given
    before = speech.chat(shell.texts, given["language"], turns[:-1])
    return given | {"chat": before, "message": turns[-1].question}


def _question(shell: Shell, request: gr.Request, given: dict[str, Any]) -> AnswerRequest:
    turns, language = speech.standing(given["chat"]), given["language"]
    if speech.under_way(speech.read_turns(given["chat"])):
        raise gr.Error(shell.texts.say(language, "answer_under_way"), **UNSEEN)
    try:
        return framed(shell, request, given, speech.history(turns))
    except LabError as error:
        raise gr.Error(shell.explain(language, error), **UNSEEN) from None


def refuse(
    shell: Shell,
    parts: "Playground",
    handler: Callable[..., Any],
    request: gr.Request,
    **given: Any,
) -> Any:
    """Why a question was not taken, in the flow of the page."""
    try:
        handler(shell, parts, request, **given)
    except gr.Error as error:
        return notice(str(error.message))
    return ""


def answer(shell: Shell, request: gr.Request, **given: Any) -> Iterator[Any]:
    """Stream the answer to the question just taken; stopping or leaving frees its place."""
    turns, language = speech.read_turns(given["chat"]), given["language"]
    if not speech.under_way(turns):
        yield gr.skip()
        return
    *past, turn = turns
    kept = {"replaced": given["chat"].get("replaced")}
    try:
        asked = given | {"message": turn.question, "speaks": turn.speaker}
        question = lens.watched(framed(shell, request, asked, speech.history(past)), given)
        sight, seen = lens.Sight(question), {}
        with closing(shell.lab.answer(question)) as increments:
            for increment in speech.paced(increments, shell.gap):
                turn = speech.grown(shell.texts, language, turn, increment)
                seen = sight.of(increment)
                yield speech.chat(shell.texts, language, (*past, turn)) | seen
        yield speech.chat(shell.texts, language, (*past, turn)) | seen | kept
    except Exception as error:
        failed = replace(turn, error=shell.explain(language, error))
        yield speech.chat(shell.texts, language, (*past, failed)) | kept


def after(shell: Shell, parts: "Playground", request: gr.Request, **given: Any) -> dict[Any, Any]:
    """Hand back a question, or the answer it was to replace, that failed before its first word.

    Then the chat speaks the page's language, old notices are gone, and the prompt is as it stands.
    """
    turns, language = speech.read_turns(given["chat"]), given["language"]
    replaced = speech.read_turns({"turns": given["chat"].get("replaced")})
    same = bool(turns and replaced) and _said(turns[-1]) == _said(replaced[-1])
    said = notice(shell.texts.say(language, "same_again"), "quiet") if same else ""
    changed: dict[Any, Any] = {parts.notice: said}
    if given["chat"].get("language") != language:
        changed[parts.chat] = speech.redrawn(shell.texts, language, given["chat"])
    if turns and turns[-1].error and not turns[-1].answer:
        *past, failed = turns
        again = [turn.question for turn in replaced] == [failed.question]
        edited = speech.Editing(len(past), given["message"]) if replaced and not again else None
        given |= {
            "chat": speech.chat(shell.texts, language, (*past, *replaced), edited),
            "message": failed.question
            if edited
            else given["message"] or ("" if again else failed.question),
        }
        changed |= {
            parts.chat: given["chat"],
            parts.message: given["message"],
            parts.notice: notice(failed.error),
        }
    return changed | {parts.exact: show_exact(shell, request, **given)}


def _said(turn: Turn) -> tuple[str, str]:
    return turn.question, turn.answer


def settle(shell: Shell, chat: Any, language: str) -> Any:
    """Mark the answer that was under way as stopped."""
    return speech.chat(shell.texts, language, speech.stopped(speech.read_turns(chat)))
