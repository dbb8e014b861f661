"""The Playground: one chat with the base model or an adapter, and the exact prompt that it reads.

Knows nothing of runs; other tabs fill it in through its `Playground` parts.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.errors import LabError
from demo.records import BASE
from demo.ui import speech
from demo.ui.asking import Framing, file_title, framed, framing
from demo.ui.shell import AT_ONCE, QUIET, STREAM, Shell, chain, wire, wire_stop
from demo.ui.speech import Turn
from demo.ui.views import exact_prompt, notice

STARTERS = ("starter_1", "starter_2", "starter_3")


@dataclass(frozen=True)
class Playground:
    """The tab's components."""

    chat: Any
    starters: Any
    message: Any
    speaks: Any
    send: Any
    stop: Any
    retry: Any
    fresh: Any
    notice: Any
    exact: Any
    framing: Framing

    def inputs(self, shell: Shell) -> dict[str, Any]:
        """What a question needs."""
        plain = {"chat": self.chat, "message": self.message, "speaks": self.speaks}
        return plain | {"memory": shell.memory, "language": shell.language} | self.framing.inputs()

    def outputs(self) -> list[Any]:
        """What a question changes."""
        buttons = [self.send, self.stop, self.retry, self.fresh]
        return [self.chat, self.starters, self.message, self.notice, *buttons]


def build(shell: Shell) -> Playground:
    """Lay out the tab, then wire it."""
    labels = shell.labels
    with gr.Row(elem_classes="desk"):
        with gr.Column(scale=3, min_width=320, elem_classes="main"):
            chat = gr.HTML(
                speech.chat(shell.texts, "en", ()),
                html_template="${value.html}",
                elem_id="chat",
                js_on_load=None,
            )
            with gr.Row(elem_classes="starters") as starters:
                buttons = [
                    labels.add(gr.Button, f"playground.{key}", size="sm") for key in STARTERS
                ]
            message = labels.add(
                gr.Textbox,
                "playground.message",
                lines=1,
                max_lines=10,
                interactive=True,
                elem_id="message",
            )
            with gr.Row(elem_classes="actions"):
                speaks = labels.add(
                    gr.Dropdown,
                    "playground.speaks",
                    choices=[BASE],
                    value=BASE,
                    interactive=True,
                    elem_id="speaks",
                    scale=3,
                    min_width=180,
                )
                fresh = labels.add(
                    gr.Button, "playground.fresh", visible=False, min_width=90, scale=1
                )
                retry = labels.add(
                    gr.Button, "playground.retry", visible=False, min_width=90, scale=1
                )
                stop = labels.add(
                    gr.Button, "playground.stop", visible=False, min_width=110, scale=1
                )
                send = labels.add(
                    gr.Button, "playground.send", variant="primary", min_width=110, scale=1
                )
            said = gr.HTML("")
            labels.add(gr.HTML, "playground.honest", elem_classes="hint")
        with gr.Column(scale=2, min_width=300, elem_classes="side"):
            knobs = framing(shell, message)
            with labels.add(
                gr.Accordion, "playground.reads", open=False, elem_classes="fold", elem_id="reads"
            ):
                exact = gr.HTML("")
    parts = Playground(
        chat, starters, message, speaks, send, stop, retry, fresh, said, exact, knobs
    )
    _wire(shell, parts, buttons)
    return parts


def _wire(shell: Shell, parts: Playground, starters: list[Any]) -> None:
    inputs, outputs = parts.inputs(shell), parts.outputs()
    asked = wire(
        [parts.send.click, parts.message.submit], shell.bind(ask, parts), inputs, outputs, **STREAM
    )
    again = wire([parts.retry.click], shell.bind(ask_again, parts), inputs, outputs, **STREAM)
    begun = []
    for button in starters:
        taken = button.click(lambda text: text, button, parts.message, **AT_ONCE)
        begun.append(chain(taken, shell.bind(ask, parts), inputs, outputs, **STREAM))
    under_way = [asked, again, *begun]
    kept = {"chat": parts.chat, "language": shell.language}
    wire_stop(parts.stop, under_way, shell.bind(settle, parts), kept, outputs)
    wire(
        [parts.fresh.click],
        shell.bind(start_afresh, parts),
        {"language": shell.language},
        outputs,
        **AT_ONCE,
    )
    changes = [parts.framing.file.change, parts.framing.system.change, parts.message.change]
    exact = shell.bind(show_exact)
    wire(changes, exact, inputs, parts.exact, trigger_mode="always_last", **QUIET)
    for answer in under_way:
        chain(answer, exact, inputs, parts.exact, **QUIET)


def ask(
    shell: Shell, parts: Playground, request: gr.Request, **given: Any
) -> Iterator[dict[Any, Any]]:
    """Stream one answer; stopping or leaving closes the lab's iterator, which frees its place."""
    past, language = speech.read_turns(given["chat"]), given["language"]
    try:
        question = framed(shell, request, given, speech.history(past))
        titles = {name: title for title, name in shell.adapter_choices(given["memory"], language)}
        title = titles.get(question.adapter, question.adapter)
        turn = Turn(given["message"], question.adapter, title, file_title(shell, given["file"]))
        yield _busy(parts) | {parts.chat: speech.chat(shell.texts, language, (*past, turn))}
        with closing(shell.lab.answer(question)) as increments:
            for answer in speech.paced(increments):
                turn = speech.grown(shell.texts, language, turn, answer)
                yield {parts.chat: speech.chat(shell.texts, language, (*past, turn))}
        yield _idle(parts, True) | {parts.chat: speech.chat(shell.texts, language, (*past, turn))}
    except Exception as error:
        yield _idle(parts, bool(past)) | {
            parts.chat: speech.chat(shell.texts, language, past),
            parts.message: gr.update(value=given["message"]),
            parts.notice: notice(shell.explain(language, error)),
        }


def ask_again(
    shell: Shell, parts: Playground, request: gr.Request, **given: Any
) -> Iterator[dict[Any, Any]]:
    """Ask the last question once more with the knobs as they stand now."""
    turns = speech.read_turns(given["chat"])
    if not turns:
        return
    before = speech.chat(shell.texts, given["language"], turns[:-1])
    yield from ask(shell, parts, request, **given | {"chat": before, "message": turns[-1].question})


def settle(shell: Shell, parts: Playground, chat: Any, language: str) -> dict[Any, Any]:
    """Mark the answer that was under way as stopped."""
    turns = speech.stopped(speech.read_turns(chat))
    return _idle(parts, bool(turns)) | {parts.chat: speech.chat(shell.texts, language, turns)}


def start_afresh(shell: Shell, parts: Playground, language: str) -> dict[Any, Any]:
    """Empty the chat."""
    return _idle(parts, False) | {parts.chat: speech.chat(shell.texts, language, ())}


def show_exact(shell: Shell, request: gr.Request, **given: Any) -> Any:
    """The prompt as the model would read it now; with nothing typed, as it read the last one."""
    language, turns = given["language"], speech.read_turns(given["chat"])
    if turns and not str(given["message"] or "").strip():
        given, turns = given | {"message": turns[-1].question}, turns[:-1]
    try:
        question = framed(shell, request, given, speech.history(turns))
        return exact_prompt(shell.texts, language, shell.lab.render(question), question.messages)
    except LabError as error:
        if error.key == "empty_text":
            return notice(shell.texts.say(language, "exact_empty"), "quiet")
        return notice(shell.explain(language, error), "quiet")


def _busy(parts: Playground) -> dict[Any, Any]:
    hidden = {
        part: gr.update(visible=False)
        for part in (parts.send, parts.retry, parts.fresh, parts.starters)
    }
    return hidden | {
        parts.stop: gr.update(visible=True),
        parts.message: gr.update(value=""),
        parts.notice: "",
    }


def _idle(parts: Playground, begun: bool) -> dict[Any, Any]:
    return {
        parts.send: gr.update(visible=True),
        parts.stop: gr.update(visible=False),
        parts.retry: gr.update(visible=begun),
        parts.fresh: gr.update(visible=begun),
        parts.starters: gr.update(visible=not begun),
        parts.notice: "",
    }
