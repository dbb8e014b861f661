"""The fold "Scoreboard": the columns of Compare answer a held-out set in the background.

Knows no statistics; the lab measures, and `board_view` draws.
"""

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import gradio as gr

from demo.errors import BadInput, LabError
from demo.judging_records import MOST_COLUMNS, Column, JudgeRequest, Scoreboard
from demo.records import BASE
from demo.ui.glass import sensitivity
from demo.ui.glass.background import Experiment, wire_experiment
from demo.ui.glass.section import section
from demo.ui.judging.board_view import picture
from demo.ui.memory import recalled, visitor
from demo.ui.shell import QUIET, Shell, wire

RUN = "run"
"""A choice of the dataset: what the followed run held out."""
SHOTS, STEPS = "shots", "steps"
"""What may stand beside base and adapters: the base with solved rows, and with a chain of thought."""


def build(shell: Shell, compare: Any) -> None:
    """Lay out the fold and wire it.

    Args:
        shell: of the page.
        compare: the tab's components.
    """
    add, ranges = shell.labels.add, JudgeRequest.RANGES
    knob = {"interactive": True, "buttons": [], "min_width": 200, "step": 1}
    with section(shell, "scoreboard") as fold:
        dataset = add(
            gr.Dropdown, "scoreboard.dataset", value="sample:restaurants", interactive=True,
            elem_id="scoreboard-set",
        )  # fmt: skip
        beside = add(gr.CheckboxGroup, "scoreboard.beside", value=[], interactive=True)
        with gr.Row(elem_classes="fold-knobs"):
            shots = add(
                gr.Slider, "scoreboard.shots", minimum=1, maximum=Column.RANGES["shots"][1],
                value=4, **knob,
            )  # fmt: skip
            knobs = {
                name: add(
                    gr.Slider, f"scoreboard.{name}", minimum=ranges[name][0],
                    maximum=ranges[name][1], value=getattr(JudgeRequest, name), **knob,
                )
                for name in ("questions", "max_new_tokens")
            }  # fmt: skip
        with gr.Row(elem_classes="fold-actions"):
            go = add(gr.Button, "scoreboard.go", elem_classes="when-tried", min_width=90)
            stop = add(gr.Button, "scoreboard.stop", elem_classes="when-trying", min_width=90)
        shown = gr.HTML(
            {"html": ""}, html_template="${value.html}", js_on_load=None, elem_id="scoreboard-view"
        )
    typed = {
        "dataset": dataset,
        "beside": beside,
        "shots": shots,
        "adapters": compare.adapters,
        **knobs,
    }
    wire_experiment(shell, EXPERIMENT, (fold, go, stop, shown), typed)
    again = {"memory": shell.memory, "language": shell.language}
    wire([shell.language.input], shell.bind(redraw), again, shown, **QUIET)


def begin(shell: Shell, request: gr.Request, **given: Any) -> Iterator[Scoreboard]:
    """Judge what was chosen. Raises `BadInput` or `Busy` where that cannot be."""
    return shell.lab.judging.scoreboard(_asked(request, given))


def _value(shell: Shell, language: str, so_far: Scoreboard) -> dict[str, Any]:
    return {"html": picture(shell.texts, language, so_far)}


def redraw(shell: Shell, request: gr.Request, memory: Any, language: str) -> Any:
    """A finished board in another language; what is under way draws itself."""
    steps = shell.lab.experiments.under_way(visitor(memory, request), EXPERIMENT.kind)
    if steps is None:
        return gr.skip()
    with closing(steps), suppress(LabError):  # type: ignore[type-var]  # a generator
        board = next(steps, None)
        if board is not None and board.done:
            return _value(shell, language, board)
    return gr.skip()


def _asked(request: gr.Request, given: dict[str, Any]) -> JudgeRequest:
    memory = recalled(given["memory"])
    return JudgeRequest(
        chosen_set(given["dataset"], memory),
        columns(given["adapters"], given["beside"], given["shots"]),
        workspace=memory["workspace"],
        visitor=visitor(given["memory"], request),
        questions=given["questions"],
        max_new_tokens=given["max_new_tokens"],
    )


def columns(adapters: Any, beside: Any, shots: Any) -> tuple[Column, ...]:
    """The base first, then the chosen adapters, then the base with more in front; four at most."""
    names = [name for name in adapters or [] if isinstance(name, str) and name != BASE]
    more = {SHOTS: Column(shots=shots), STEPS: Column(steps=True)}
    chosen = [Column(), *map(Column, names), *(more[one] for one in beside or [] if one in more)]
    return tuple(chosen[: MOST_COLUMNS + 1])


def chosen_set(choice: Any, memory: dict[str, Any]) -> str:
    """The dataset that a choice names. Raises `BadInput` where there is no own one."""
    if choice != RUN:
        return sensitivity.chosen_set(choice, memory["dataset"])
    if not memory["run"]:
        raise BadInput("no_own_run")
    return f"run:{memory['run']}"


EXPERIMENT = Experiment("scoreboard", begin, _value, Scoreboard())
