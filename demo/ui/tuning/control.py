"""Step 3 of Fine-tune: train, stop and keep, stop and discard, go on; and what a run shows as it learns.

Lays out and handles; what is drawn of a run is `run_step`'s and `lapse`'s business.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.ui.memory import recalled
from demo.ui.shell import AT_ONCE, QUIET, Shell, wire
from demo.ui.tuning import lapse, taste
from demo.ui.tuning.taste import Taste


@dataclass(frozen=True)
class Question:
    """A row that asks before something is deleted."""

    row: Any
    sure: Any
    no: Any


@dataclass(frozen=True)
class Control:
    """The step's components."""

    parent: Any
    train: Any
    resume: Any
    stop: Any
    discard: Any
    question: Question
    notice: Any
    progress: Any
    lapse: Any
    taste: Taste


def lay_out(shell: Shell) -> Control:
    """One primary button; the others show where they can do something."""
    labels = shell.labels
    labels.add(gr.HTML, "finetune.step_train", elem_classes="step")
    parent = labels.add(
        gr.Dropdown, "tuning.parent", choices=[("", "")], value="", visible=False,
        interactive=True, elem_id="parent",
    )  # fmt: skip
    with gr.Row(elem_classes="actions start"):
        look = {"scale": 0, "min_width": 160}
        train = labels.add(
            gr.Button, "finetune.train", variant="primary", elem_id="train", scale=0, min_width=200
        )
        resume = labels.add(gr.Button, "tuning.resume", visible=False, elem_id="go-on", **look)
        stop = labels.add(gr.Button, "finetune.stop", visible=False, elem_id="stop-run", **look)
        discard = labels.add(gr.Button, "tuning.discard", visible=False, elem_id="discard", **look)
    question = ask_first(shell, "tuning.sure_discard")
    notice = gr.HTML("")
    progress = gr.HTML("", elem_id="progress")
    shown = lapse.picture()
    offered = taste.lay_out(shell)
    return Control(parent, train, resume, stop, discard, question, notice, progress, shown, offered)


def ask_first(shell: Shell, key: str) -> Question:
    """A hidden row with a question, a button that does it and one that does not."""
    labels = shell.labels
    with gr.Row(visible=False, elem_classes="actions start sure") as row:
        labels.add(gr.HTML, key)
        sure = labels.add(gr.Button, "tuning.yes_delete", variant="stop", scale=0, min_width=120)
        no = labels.add(gr.Button, "tuning.no_delete", scale=0, min_width=120)
    return Question(row, sure, no)


def wire_question(button: Any, question: Question) -> None:
    """The button shows the question, and either answer hides it."""
    wire([button.click], _shown, {}, question.row, **AT_ONCE)
    wire([question.no.click, question.sure.click], _hidden, {}, question.row, **AT_ONCE)


def _shown() -> Any:
    return gr.update(visible=True)


def _hidden() -> Any:
    return gr.update(visible=False)


def wire_up(shell: Shell, control: Control) -> list[Any]:
    """Connect the buttons that change a run; returns the events after which to look at it."""
    kept = {"memory": shell.memory, "language": shell.language}
    wire_question(control.discard, control.question)
    gone = wire([control.question.sure.click], shell.bind(throw_away), kept, shell.memory, **QUIET)
    again = wire([control.resume.click], shell.bind(go_on), kept, None, **QUIET)
    return [gone, again]


def throw_away(shell: Shell, memory: Any, language: str) -> Any:
    """End the followed run and delete all that it learned."""
    kept = recalled(memory)
    with shell.told(language):
        shell.lab.delete_run(kept["workspace"], kept["run"])
    return kept | {"run": ""}


def go_on(shell: Shell, memory: Any, language: str) -> None:
    """Queue the followed run again, from where its checkpoint stands."""
    kept = recalled(memory)
    with shell.told(language):
        shell.lab.resume_run(kept["workspace"], kept["run"])
