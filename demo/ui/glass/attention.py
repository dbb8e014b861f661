"""The fold "Where it looks": how much one token of the prompt draws from each before it, head by head.

One look brings every head of one token; choosing among heads then asks the server nothing. The
browser keeps the question, so that another token of the same prompt can look. Knows no model.
"""

import time
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import gradio as gr

from demo.checks import chosen
from demo.errors import BadInput
from demo.look_records import Attention
from demo.records import AnswerRequest, Message
from demo.ui.glass.section import Asked, question_now, script, section
from demo.ui.memory import recalled, visitor
from demo.ui.shell import STREAM, Shell, wire
from demo.ui.views import notice

EMPTY: dict[str, Any] = {"key": 0, "tokens": [], "weights": ""}
ROLES = ("system", "user", "assistant")
QUESTION_SHOWN = 80
TEMPLATE = """<div class="attention" hidden>
<p class="attention-question hint"></p>
<div class="attention-pick"><label><span></span><select class="attention-layer"></select></label>
<label><span></span><select class="attention-head"></select></label><div class="attention-worth"></div></div>
<p class="attention-said verdict" role="status"></p><p class="attention-legend"></p>
<div class="attention-tokens" role="toolbar"></div>
<ol class="attention-most"></ol>
<figure class="attention-grid"><figcaption></figcaption><div aria-hidden="true"></div></figure>
<p class="attention-sink facts"></p></div>"""
"""The script fills it; nothing that anybody said is ever part of it."""


def build(shell: Shell, asked: Asked) -> None:
    """Lay out the fold and wire it."""
    with section(shell, "attention"):
        go = shell.labels.add(gr.Button, "attention.look", elem_classes="fold-button")
        said = gr.HTML("")
        kept = gr.HTML({}, html_template="<i></i>", elem_classes="kept-only", js_on_load=None)
        view = gr.HTML(
            EMPTY,
            html_template=TEMPLATE,
            js_on_load=script(shell.texts, "attention"),
            apply_default_css=False,
            elem_id="attention-view",
        )
    asked.results["attention"] = view
    wire([go.click], shell.bind(look), asked.inputs, [kept, view, said], **STREAM)
    inputs = {"kept": kept, "memory": shell.memory, "language": shell.language}
    # An event of the view's own script: Gradio's `on` does not know it.
    view.attend(
        shell.bind(look_from), inputs_kwargs=inputs, outputs=[view, said], **STREAM
    )  # fmt: skip


def look(shell: Shell, request: gr.Request, **given: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Let the last token of the present prompt look."""
    language = given["language"]
    reading = notice(shell.texts.say(language, "attention.reading"), "quiet")
    yield gr.skip(), gr.skip(), reading
    try:
        question = question_now(shell, request, given)
        seen = shell.lab.attention(question)
    except Exception as error:
        yield gr.skip(), gr.skip(), notice(shell.explain(language, error))
        return
    kept = kept_of(question)
    yield kept, packed(seen, question), ""


def look_from(
    shell: Shell, request: gr.Request, event: gr.EventData, **given: Any
) -> tuple[Any, Any]:
    """Let another token of the same prompt look."""
    language, memory = given["language"], given["memory"]
    try:
        question = question_of(
            given["kept"], recalled(memory)["workspace"], visitor(memory, request)
        )
        seen = shell.lab.attention(question, getattr(event, "position", None))
    except Exception as error:
        return gr.skip(), notice(shell.explain(language, error))
    return packed(seen, question), ""


def kept_of(question: AnswerRequest) -> dict[str, Any]:
    """What another look at the same prompt needs."""
    return {
        "messages": [[m.role, m.content] for m in question.messages],
        "adapter": question.adapter,
        "completion": question.completion,
        "control": question.control,
    }


def question_of(kept: Any, workspace: str, who: str) -> AnswerRequest:
    """The question that a browser kept. Raises `BadInput` when it is none."""
    try:
        messages = tuple(
            Message(chosen("role", role, ROLES), content)  # type: ignore[arg-type]
            for role, content in kept["messages"]
        )
        adapter, completion, control = (kept[n] for n in ("adapter", "completion", "control"))
    except (KeyError, TypeError, ValueError):
        raise BadInput("empty_text", field="message") from None
    return AnswerRequest(
        messages,
        str(adapter),
        workspace,
        who,
        completion=completion is True,
        control=control is True,
    )


def packed(seen: Attention, question: AnswerRequest) -> dict[str, Any]:
    """Attention as the browser draws it: each weight is one byte, the root of it in steps of 1/255."""
    roots = (w**0.5 for layer in seen.weights for head in layer for w in head)
    weights = bytes(min(255, round(255 * root)) for root in roots)
    return {
        # A new key tells the script that it is another look.
        "key": time.time_ns() // 1_000_000,
        "tokens": seen.tokens,
        "following": seen.following,
        "virtual": seen.virtual,
        "layers": len(seen.weights),
        "heads": len(seen.weights[0]),
        "weights": b64encode(weights).decode(),
        "question": _end(question.messages[-1].content),
        "speaks": question.adapter,
    }


def _end(text: str) -> str:
    return text if len(text) <= QUESTION_SHOWN else "…" + text[-QUESTION_SHOWN:]
