"""The fold "Can the model write its own prompt?": a search in the background, its progress, stop and ladder.

Knows no statistics; the lab measures, and the ladder draws.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import gradio as gr

from demo.experiment_records import Search, SearchRequest
from demo.ui.glass import kept, said_again
from demo.ui.glass.background import Experiment, wire_experiment
from demo.ui.glass.ladder import picture
from demo.ui.glass.said_again import told_in
from demo.ui.glass.section import Asked, section
from demo.ui.glass.sensitivity import chosen_set
from demo.ui.memory import recalled, visitor
from demo.ui.shell import Shell

FIRST = "instructions sample:topics"
"""A kind of search and the dataset that it is made on."""


def build(shell: Shell, asked: Asked) -> None:
    """Lay out the fold and wire it."""
    add, ranges = shell.labels.add, SearchRequest.RANGES
    knob = {"interactive": True, "buttons": [], "min_width": 200, "step": 1}
    with section(shell, "search") as fold:
        add(gr.HTML, "search.honest", elem_classes="hint")
        task = add(gr.Dropdown, "search.task", value=FIRST, interactive=True)
        with gr.Row(elem_classes="fold-knobs"):
            knobs = {
                name: add(
                    gr.Slider, f"search.{name}", minimum=ranges[name][0],
                    maximum=ranges[name][1], value=value, **knob,
                )
                for name, value in (("candidates", 4), ("questions", 16))
            }  # fmt: skip
        with gr.Row(elem_classes="fold-actions"):
            go = add(gr.Button, "search.go", elem_classes="when-tried", min_width=90)
            stop = add(gr.Button, "search.stop", elem_classes="when-trying", min_width=90)
        shown = gr.HTML(
            {"html": ""}, html_template="${value.html}", js_on_load=None, elem_id="search-view"
        )
    asked.results["search"] = shown
    typed = {"task": task, **knobs}
    running = wire_experiment(shell, EXPERIMENT, (fold, go, stop, shown), asked.inputs | typed)
    said_again.follow(shell, asked, shown, redraw, running)


def begin(shell: Shell, request: gr.Request, **given: Any) -> Iterator[Search]:
    """Search with what was chosen. Raises `BadInput` or `Busy` where that cannot be."""
    return shell.lab.experiments.search(_asked(request, given))


def _value(shell: Shell, language: str, so_far: Search) -> dict[str, Any]:
    found = {"search": asdict(so_far), **told_in(language)} if so_far.done else {}
    return {"html": picture(shell.texts, language, so_far), **found}


def redraw(shell: Shell, value: Any, language: str) -> dict[str, Any]:
    """What a search has found, in another language. Raises `ValueError` where it is none."""
    return _value(shell, language, kept.read(Search, value["search"]))


def _asked(request: gr.Request, given: dict[str, Any]) -> SearchRequest:
    memory = recalled(given["memory"])
    kind, _, dataset = str(given["task"] or "").partition(" ")
    return SearchRequest(
        kind=kind,  # type: ignore[arg-type]  # the lab checks it
        dataset=chosen_set(dataset, memory["dataset"]),
        workspace=memory["workspace"],
        visitor=visitor(given["memory"], request),
        adapter=given["speaks"] or "base",
        candidates=given["candidates"],
        questions=given["questions"],
    )


EXPERIMENT = Experiment("search", begin, _value, Search())
