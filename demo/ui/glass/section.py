"""What every fold under the glass is given: the question as it stands in the Playground.

Knows no fold.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from demo.errors import BadInput
from demo.records import AnswerRequest
from demo.ui import speech
from demo.ui.asking import framed
from demo.ui.language import LANGUAGES, Texts
from demo.ui.shell import Shell
from demo.ui.theme import ASSETS


@dataclass(frozen=True)
class Asked:
    """The components that make up the Playground's question."""

    inputs: dict[str, Any]
    """Handler argument -> component; `question_now` reads what they hold."""
    chat: Any
    message: Any
    results: dict[str, Any] = field(default_factory=dict)
    """Fold -> the component that holds what was found there; a fold that is built adds its own."""
    redraws: list[tuple[Any, Callable[..., Any]]] = field(default_factory=list)
    """Components that follow the page's language, each with what draws it; see `said_again.follow`."""


def question_now(shell: Shell, request: gr.Request, given: dict[str, Any]) -> AnswerRequest:
    """The question as typed, with every knob as it stands; with nothing typed, the last one again.

    Raises:
        BadInput: nothing is typed and nothing was asked, or a knob is out of range.
    """
    turns = speech.standing(given["chat"])
    if not str(given["message"] or "").strip():
        if not turns:
            raise BadInput("empty_text", field="message")
        given = given | {"message": turns[-1].question}
        turns = turns[:-1]
    return framed(shell, request, given, speech.history(turns))


def script(texts: Texts, name: str, **constants: Any) -> str:
    """A fold's script with the sentences under `say.NAME` in every language before it.

    Args:
        texts: of the page.
        name: of the fold, and of its script.
        constants: what else the script finds in its place.
    """
    words = {language: texts.node(language, f"say.{name}") for language in LANGUAGES}
    before = "".join(
        f"const {constant} = {json.dumps(value)};\n"
        for constant, value in {"WORDS": words, **constants}.items()
    )
    return before + "".join(
        (ASSETS / f"{part}.js").read_text(encoding="utf-8") for part in ("words", name)
    )


@contextmanager
def section(shell: Shell, name: str) -> Iterator[Any]:
    """A closed fold with its title and one sentence on what it shows: `components.NAME.title`, `.intro`.

    Build the parts inside; compute nothing until the visitor asks.
    """
    fold = shell.labels.add(
        gr.Accordion, f"{name}.title", open=False, elem_classes="fold", elem_id=name
    )
    with fold:
        shell.labels.add(gr.HTML, f"{name}.intro", elem_classes="hint")
        yield fold
