"""The fold "How fragile is a prompt?": an experiment in the background, its progress, stop and result.

Knows no statistics; the lab measures, and the strip draws.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import gradio as gr

from demo.errors import BadInput
from demo.experiment_records import Sensitivity, SensitivityRequest
from demo.ui.glass import kept, said_again
from demo.ui.glass.background import Experiment, wire_experiment
from demo.ui.glass.said_again import told_in
from demo.ui.glass.section import Asked, section
from demo.ui.glass.strip import picture
from demo.ui.memory import recalled, visitor
from demo.ui.shell import Shell

OWN = "own"
"""The choice of the dataset that stands under Fine-tune."""


def build(shell: Shell, asked: Asked) -> None:
    """Lay out the fold and wire it."""
    add, ranges = shell.labels.add, SensitivityRequest.RANGES
    knob = {"interactive": True, "buttons": [], "min_width": 200, "step": 1}
    with section(shell, "sensitivity") as fold:
        dataset = add(
            gr.Dropdown, "sensitivity.dataset", value="sample:topics", interactive=True,
            elem_id="sensitivity-set",
        )  # fmt: skip
        with gr.Row(elem_classes="fold-knobs"):
            knobs = {
                name: add(
                    gr.Slider, f"sensitivity.{name}", minimum=ranges[name][0],
                    maximum=ranges[name][1], value=getattr(SensitivityRequest, name), **knob,
                )
                for name in ("shots", "questions", "orders", "random_labels")
            }  # fmt: skip
        wordings = add(gr.Textbox, "sensitivity.wordings", lines=2, max_lines=8, interactive=True)
        with gr.Row(elem_classes="fold-actions"):
            go = add(gr.Button, "sensitivity.go", elem_classes="when-tried", min_width=90)
            stop = add(gr.Button, "sensitivity.stop", elem_classes="when-trying", min_width=90)
        shown = gr.HTML(
            {"html": ""}, html_template="${value.html}", js_on_load=None, elem_id="sensitivity-view"
        )
    asked.results["sensitivity"] = shown
    typed = {"dataset": dataset, "wordings": wordings, **knobs}
    running = wire_experiment(shell, EXPERIMENT, (fold, go, stop, shown), asked.inputs | typed)
    said_again.follow(shell, asked, shown, redraw, running)


def begin(shell: Shell, request: gr.Request, **given: Any) -> Iterator[Sensitivity]:
    """Measure what was chosen. Raises `BadInput` or `Busy` where that cannot be."""
    return shell.lab.experiments.sensitivity(_asked(request, given))


def _value(shell: Shell, language: str, so_far: Sensitivity) -> dict[str, Any]:
    found = {"sensitivity": asdict(so_far), **told_in(language)} if so_far.done else {}
    return {"html": picture(shell.texts, language, so_far), **found}


def redraw(shell: Shell, value: Any, language: str) -> dict[str, Any]:
    """What an experiment has found, in another language. Raises `ValueError` where it is none."""
    return _value(shell, language, kept.read(Sensitivity, value["sensitivity"]))


def _asked(request: gr.Request, given: dict[str, Any]) -> SensitivityRequest:
    memory = recalled(given["memory"])
    lines = [line.strip() for line in str(given["wordings"] or "").splitlines()]
    return SensitivityRequest(
        dataset=chosen_set(given["dataset"], memory["dataset"]),
        workspace=memory["workspace"],
        visitor=visitor(given["memory"], request),
        adapter=given["speaks"] or "base",
        wordings=tuple(line for line in lines if line),
        **{name: given[name] for name in ("shots", "questions", "orders", "random_labels")},
    )


def chosen_set(choice: Any, own: str) -> str:
    """The dataset that a choice names. Raises `BadInput` where there is no own one."""
    if choice != OWN:
        return str(choice or "")
    if not own:
        raise BadInput("no_own_set")
    return own


EXPERIMENT = Experiment("sensitivity", begin, _value, Sensitivity())
