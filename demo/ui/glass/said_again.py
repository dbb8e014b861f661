"""What the folds have found, said again when the page's language changes, without asking the model.

A component's value keeps what was found and the language in which it was told. Knows no fold: each one
names its component and how it is drawn from what that keeps.
"""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from demo.errors import LabError
from demo.ui.glass.section import Asked
from demo.ui.language import LANGUAGES
from demo.ui.shell import AT_ONCE, Shell, chain, wire

Redraw = Callable[[Shell, Any, str], Any]
"""Shell, what the component's value keeps, language: the value told in that language."""
KEPT = "kept_"
UNREADABLE = (LabError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading and drawing a value that no server made can raise."""


def told_in(language: str) -> dict[str, str]:
    """The mark of a finished result; what is still under way has none, and is left alone."""
    return {"language": language}


def follow(
    shell: Shell, asked: Asked, shown: Any, redraw: Redraw, runs: Sequence[Any] = ()
) -> None:
    """Have a fold's result follow the page's language.

    Args:
        shell: the page's ground.
        asked: the Playground's question, which gathers the results of all folds.
        shown: the component that holds the result.
        redraw: draws it from what its value keeps.
        runs: the listeners that fill it; the language may change while one is under way.
    """
    asked.redraws.append((shown, redraw))
    given = {"value": shown, "language": shell.language}
    for run in runs:
        chain(run, shell.bind(said_again, redraw), given, shown, **AT_ONCE)


def build(shell: Shell, asked: Asked) -> None:
    """One listener for the results of every fold that was built before."""
    shown = [part for part, _ in asked.redraws]
    redraws = [redraw for _, redraw in asked.redraws]
    given = {f"{KEPT}{place}": part for place, part in enumerate(shown)}
    handler = shell.bind(all_said_again, redraws)
    wire([shell.language.input], handler, given | {"language": shell.language}, shown, **AT_ONCE)


def all_said_again(shell: Shell, redraws: Sequence[Redraw], language: str, **given: Any) -> Any:
    """Every finished result in this language; folds that hold none stay as they are."""
    return [
        said_again(shell, redraw, given[f"{KEPT}{place}"], language)
        for place, redraw in enumerate(redraws)
    ]


def said_again(shell: Shell, redraw: Redraw, value: Any, language: str) -> Any:
    """One result in this language; an empty picture where a browser holds what nobody gave it."""
    told = value.get("language") if isinstance(value, dict) else None
    if told not in LANGUAGES or told == language:
        return gr.skip()
    try:
        return redraw(shell, value, language)
    except UNREADABLE:
        return {"html": ""}
