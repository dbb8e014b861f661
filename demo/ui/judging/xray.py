"""The fold "X-ray": one text under base and adapter, token by token, and a way on from the other branch.

The browser keeps the tokens and draws them as text. Knows no model; the lab scores.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import gradio as gr

from demo.checks import bounded, chosen
from demo.errors import BadInput
from demo.judging_records import XRay
from demo.records import BASE, AnswerRequest, ScoreRequest, TokenChoice
from demo.ui import speech
from demo.ui.asking import framed
from demo.ui.glass.lens import asked_of, question_of
from demo.ui.glass.section import script, section
from demo.ui.memory import recalled, visitor
from demo.ui.shell import STREAM, Shell, wire

EMPTY: dict[str, Any] = {
    "key": 0,
    "tokens": [],
    "fork": -1,
    "asked": {},
    "title": "",
    "on": {},
    "said": "",
}
TEMPLATE = """<div class="xray" data-any="false"><div class="xray-said" role="alert"></div>
<p class="verdict xray-verdict"></p><p class="xray-legend scale"></p>
<div class="xray-tokens" role="toolbar"></div><div class="xray-place"></div>
<div class="xray-on" role="status"></div></div>"""
"""The script fills it; nothing that anybody said is ever part of it."""
OWN = "own"
WHOSE = (BASE, "adapter", OWN)
MOST_TOKENS = 1024
"""A longer text would neither fit a page nor be read by anyone."""


def build(shell: Shell, compare: Any) -> None:
    """Lay out the fold and wire it.

    Args:
        shell: of the page.
        compare: the tab's components.
    """
    add = shell.labels.add
    with section(shell, "xray"):
        whose = add(gr.Radio, "xray.whose", value=BASE, interactive=True, elem_id="xray-whose")
        own = add(gr.Textbox, "xray.own", lines=2, max_lines=6, interactive=True)
        go = add(gr.Button, "xray.go", elem_classes="fold-button")
        view = gr.HTML(
            dict(EMPTY),
            html_template=TEMPLATE,
            js_on_load=script(shell.texts, "xray"),
            apply_default_css=False,
            elem_id="xray-view",
        )
    typed = {"whose": whose, "own": own, "columns": compare.columns}
    wire([go.click], shell.bind(look), compare.inputs(shell) | typed, view, **STREAM)
    held = {"view": view, "memory": shell.memory, "language": shell.language}
    view.fork(shell.bind(go_on), inputs_kwargs=held, outputs=view, **STREAM)


def look(shell: Shell, request: gr.Request, **given: Any) -> Iterator[dict[str, Any]]:
    """Score the chosen text under base and adapter."""
    try:
        asked, adapter, text, title = _chosen(shell, request, given)
        found = shell.lab.xray(
            ScoreRequest(
                asked.messages,
                (text,),
                adapter,
                asked.workspace,
                asked.visitor,
                completion=asked.completion,
            )
        )
        bounded("tokens", len(found.tokens), 1, MOST_TOKENS, int)
        kept = asked_of(replace(asked, adapter=adapter))
        yield drawn(found) | {"asked": kept, "title": title}
    except Exception as error:
        yield dict(EMPTY) | {"said": shell.explain(given["language"], error)}


def _chosen(
    shell: Shell, request: gr.Request, given: dict[str, Any]
) -> tuple[AnswerRequest, str, str, str]:
    """The question, the adapter, the text to look at, and what the adapter is called."""
    turns = speech.read_turns(given["columns"])
    whose = chosen("text", given["whose"], WHOSE)
    adapted = next((turn for turn in turns if turn.speaker != BASE), None)
    names = [name for name in given["adapters"] or [] if isinstance(name, str) and name != BASE]
    adapter = adapted.speaker if adapted else next(iter(names), "")
    own = str(given["own"] or "")
    turn = adapted if whose == "adapter" else next((t for t in turns if t.speaker == BASE), None)
    text = own if whose == OWN else turn.answer if turn else ""
    if not adapter or not text.strip():
        raise BadInput("nothing_compared")
    message = (
        turn.question if turn and not str(given["message"] or "").strip() else given["message"]
    )
    asked = framed(shell, request, given | {"message": message})
    title = shell.title_of(given["memory"], given["language"], adapter)
    return asked, adapter, text, title


def drawn(found: XRay) -> dict[str, Any]:
    """What the script draws."""
    tokens = [
        [
            token.base.id,
            token.base.text,
            *([one.logprob, one.rank, _others(one)] for one in (token.base, token.adapted)),
        ]
        for token in found.tokens
    ]
    key = time.time_ns() // 1_000_000
    return dict(EMPTY) | {"key": key, "tokens": tokens, "fork": found.fork}


def _others(choice: TokenChoice) -> list[list[Any]]:
    return [[one.id, one.text, one.logprob] for one in choice.alternatives]


def go_on(shell: Shell, request: gr.Request, event: gr.EventData, **given: Any) -> Iterator[Any]:
    """Stream how base or adapter goes on from a place with the token that was chosen there."""
    view, language = held(given["view"]), given["language"]
    try:
        place = bounded("place", getattr(event, "place", None), 0, len(view["tokens"]) - 1, int)
        side = chosen("side", getattr(event, "side", None), (BASE, "adapter"))
        token = bounded("token", getattr(event, "token", None), 0, 2**31 - 1, int)
        begun = (*(int(entry[0]) for entry in view["tokens"][:place]), token)
        asked = question_of(view["asked"], begun)
        memory = given["memory"]
        asked = replace(
            asked,
            alternatives=0,
            adapter=BASE if side == BASE else asked.adapter,
            workspace=recalled(memory)["workspace"],
            visitor=visitor(memory, request),
        )
        on = {"place": place, "side": side, "token": token}
        with closing(shell.lab.answer(asked)) as increments:
            for answer in speech.paced(increments, shell.gap):
                if answer.error:
                    raise answer.error
                yield view | {"on": on | {"text": answer.text, "done": answer.done}, "said": ""}
    except Exception as error:
        yield view | {"said": shell.explain(language, error)}


def held(value: Any) -> dict[str, Any]:
    """The view's value with every part present. Raises `BadInput` where no server made it."""
    given = value if isinstance(value, dict) else {}
    kept = {name: given.get(name, empty) for name, empty in EMPTY.items()}
    tokens = kept["tokens"]
    known = isinstance(tokens, list) and 0 < len(tokens) <= MOST_TOKENS
    if not known or not all(isinstance(t, list) and t and isinstance(t[0], int) for t in tokens):
        raise BadInput("branch_tree")
    return kept
