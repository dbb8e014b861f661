"""The Playground: one chat with the base model or an adapter, and the exact prompt that it reads.

A question is taken at once, which shows it, and answered by a stream that redraws the chat alone:
Gradio makes a whole component anew for each output that an increment leaves as it was. Which
buttons show follows from the chat by the style sheet. Knows nothing of runs; other tabs fill it in
through its `Playground` parts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.records import BASE
from demo.ui import speech
from demo.ui.asking import Framing, framing
from demo.ui.conversation import after, answer, refuse, settle, take, take_again, take_starter
from demo.ui.exact import WITHOUT_PICTURE, exact_view, show_exact
from demo.ui.glass import (
    attention,
    code,
    draws,
    judge,
    keep,
    lens,
    next_token,
    said_again,
    search,
    sensitivity,
    votes,
)
from demo.ui.glass.section import Asked
from demo.ui.plain_text import PlainText, plain_text
from demo.ui.shell import AT_ONCE, QUIET, STREAM, Shell, chain, wire, wire_stop
from demo.ui.taking_back import EDIT_SCRIPT, FOCUS_MESSAGE, edit, start_afresh, undo

FOLDS: tuple[Callable[[Shell, Asked], None], ...] = (
    lens.build,
    draws.build,
    votes.build,
    judge.build,
    attention.build,
    sensitivity.build,
    search.build,
    code.build,
    keep.build,
    said_again.build,
)
"""What opens under the glass, in the order of the page."""
STARTERS = ("starter_1", "starter_2", "starter_3")


@dataclass(frozen=True)
class Playground:
    """The tab's components."""

    chat: Any
    message: Any
    speaks: Any
    send: Any
    stop: Any
    retry: Any
    undo: Any
    fresh: Any
    notice: Any
    exact: Any
    framing: Framing
    plain: PlainText
    watch: Any

    def inputs(self, shell: Shell) -> dict[str, Any]:
        """What a question needs."""
        typed = {"chat": self.chat, "message": self.message, "speaks": self.speaks}
        page = {"memory": shell.memory, "language": shell.language, "watch": self.watch}
        return typed | page | self.framing.inputs() | self.plain.inputs()


def build(shell: Shell) -> Playground:
    """Lay out the tab, then wire it."""
    labels = shell.labels
    with gr.Row(elem_classes="desk"):
        with gr.Column(scale=3, min_width=320, elem_classes="main"):
            chat = gr.HTML(
                speech.chat(shell.texts, "en", ()),
                html_template="${value.html}",
                elem_id="chat",
                js_on_load=EDIT_SCRIPT,
            )
            with gr.Row(elem_classes=["turnings", "when-idle", "when-begun"]):
                fresh, retry, back = (
                    labels.add(gr.Button, f"playground.{name}", size="sm", min_width=60)
                    for name in ("fresh", "retry", "undo")
                )
            with gr.Row(elem_classes=["starters", "when-empty"]):
                starters = [
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
                stop = _button(shell, "stop", "when-busy")
                send = _button(shell, "send", "when-idle", variant="primary")
            said = gr.HTML("")
            labels.add(gr.HTML, "playground.honest", elem_classes="hint")
        with gr.Column(scale=2, min_width=300, elem_classes="side"):
            knobs = framing(shell, message)
            plain = plain_text(shell, knobs.file)
            with labels.add(
                gr.Accordion, "playground.reads", open=False, elem_classes="fold", elem_id="reads"
            ):
                exact = exact_view()
            buttons = (send, stop, retry, back, fresh)
            parts = Playground(
                chat, message, speaks, *buttons, said, exact, knobs, plain, lens.switch(shell)
            )
            asked = Asked(parts.inputs(shell), chat, message)
            # Near the controls that redraw it.
            next_token.build(shell, asked)
    _wire(shell, parts, starters)
    with gr.Column(elem_classes="glass"):
        labels.add(gr.HTML, "playground.glass")
        for fold in FOLDS:
            fold(shell, asked)
    return parts


def _button(shell: Shell, name: str, *when: str, **look: Any) -> Any:
    classes = list(when)
    return shell.labels.add(
        gr.Button, f"playground.{name}", elem_classes=classes, min_width=90, scale=1, **look
    )


def _wire(shell: Shell, parts: Playground, starters: Sequence[Any]) -> None:
    inputs = parts.inputs(shell)
    ways = [
        _way(shell, parts, [parts.send.click, parts.message.submit], take, inputs),
        _way(shell, parts, [parts.retry.click], take_again, inputs),
    ]
    for button in starters:
        begun = inputs | {"starter": button}
        ways.append(_way(shell, parts, [button.click], take_starter, begun))
    kept = {"chat": parts.chat, "language": shell.language}
    wire_stop(parts.stop, ways, shell.bind(settle), kept, parts.chat)
    taken_back = _wire_taking_back(shell, parts, kept)
    switches = [parts.message, parts.plain.completion, parts.plain.control, shell.language]
    changes = [*parts.framing.changes(), *(part.change for part in switches)]
    redraw = shell.bind(show_exact), inputs, parts.exact
    # Of many keys only the last one counts, and it is sent without pictures.
    wire(changes, *redraw, trigger_mode="always_last", js=WITHOUT_PICTURE, **QUIET)
    for event in taken_back:
        chain(event, *redraw, **QUIET)


def _way(
    shell: Shell,
    parts: Playground,
    events: Sequence[Any],
    handler: Callable[..., Any],
    given: dict[str, Any],
) -> Any:
    """One way to ask: the question is taken, or refused in words; returns the stream that answers it."""
    shown, inputs = [parts.chat, parts.message, parts.notice], parts.inputs(shell)
    taking = [*shown, parts.framing.sampling["seed"]]
    # Queued: a refusal by the other way is a failed request in the browser's console.
    taken = wire(events, shell.bind(handler, parts), given, taking, **STREAM)
    why = {"inputs_kwargs": given, "outputs": parts.notice, **AT_ONCE}
    taken.failure(shell.bind(refuse, parts, handler), **why)
    answered = {"inputs_kwargs": inputs, "outputs": parts.chat, **STREAM}
    answering = taken.success(shell.bind(answer), **answered)
    chain(answering, shell.bind(after, parts), inputs, [*shown, parts.exact], **QUIET)
    return answering


def _wire_taking_back(shell: Shell, parts: Playground, kept: dict[str, Any]) -> list[Any]:
    shown = [parts.chat, parts.message, parts.notice]
    typed = kept | {"message": parts.message}
    # An event of the chat's own script: Gradio's `on` does not know it.
    edited = parts.chat.edit(shell.bind(edit), inputs_kwargs=typed, outputs=shown, **AT_ONCE)
    edited.then(None, None, None, js=FOCUS_MESSAGE, api_visibility="private")
    left, language = [parts.chat, parts.notice], {"language": shell.language}
    return [
        wire([parts.undo.click], shell.bind(undo), kept, left, **AT_ONCE),
        wire([parts.fresh.click], shell.bind(start_afresh), language, left, **AT_ONCE),
    ]
