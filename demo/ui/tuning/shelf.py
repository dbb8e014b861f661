"""The fold with every run of the workspace: open, clone, continue, rename, take home, delete, overlay.

Lays out and handles; the tables and curves are drawn by `shelf_view` and `overlay`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.errors import BadInput
from demo.run_records import RunState
from demo.ui.memory import recalled
from demo.ui.shell import QUIET, Shell, wire
from demo.ui.tabs import data_step
from demo.ui.tuning.choice import form
from demo.ui.tuning.control import Question, ask_first, wire_question
from demo.ui.tuning.overlay import MOST, differences, overlay
from demo.ui.tuning.shelf_view import table


@dataclass(frozen=True)
class Shelf:
    """The fold's components."""

    table: Any
    runs: Any
    open: Any
    clone: Any
    continued: Any
    download: Any
    notebook: Any
    delete: Any
    question: Question
    new_name: Any
    rename: Any
    over: Any
    curves: Any

    def shown(self) -> list[Any]:
        """What `shown` fills."""
        return [self.table, self.runs, self.over]


def lay_out(shell: Shell) -> Shelf:
    """The fold, closed."""
    labels = shell.labels
    with labels.add(
        gr.Accordion, "finetune.earlier", open=False, elem_classes="fold", elem_id="earlier"
    ):
        every = gr.HTML("", elem_id="runs-table")
        runs = labels.add(gr.Dropdown, "finetune.runs", choices=[], interactive=True)
        with gr.Row(elem_classes="actions start"):
            keys = ("finetune.open", "tuning.clone", "tuning.continue_from")
            keys += ("finetune.download", "tuning.notebook")
            buttons = [labels.add(gr.Button, key, scale=0, min_width=110) for key in keys]
            delete = labels.add(
                gr.Button, "finetune.delete", variant="stop", scale=0, min_width=110
            )
        question = ask_first(shell, "tuning.sure_delete")
        with gr.Row(elem_classes="actions start"):
            name = labels.add(gr.Textbox, "tuning.new_name", max_lines=1, interactive=True)
            rename = labels.add(gr.Button, "tuning.rename", scale=0, min_width=110)
        over = labels.add(
            gr.Dropdown, "tuning.over", choices=[], value=[], multiselect=True,
            max_choices=MOST, interactive=True, elem_id="over",
        )  # fmt: skip
        curves = gr.HTML("", elem_id="curves")
    return Shelf(every, runs, *buttons, delete, question, name, rename, over, curves)


def wire_up(shell: Shell, shelf: Shelf, step: Any) -> list[Any]:
    """Connect the fold; returns the events after which to look at the runs again.

    Args:
        shell: of the page.
        shelf: the fold.
        step: the tab, whose form is filled.
    """
    page = {"memory": shell.memory, "language": shell.language}
    chosen = page | {"run": shelf.runs}
    wire_question(shelf.delete, shelf.question)
    wire(
        [shelf.over.change, shell.language.input],
        shell.bind(compared),
        page | {"runs": shelf.over},
        shelf.curves,
        **QUIET,
    )
    began = {"parent": step.control.parent} | page
    wire([shell.language.input], shell.bind(relabelled), began, step.control.parent, **QUIET)
    filled = [step.dataset, step.choice.dial, *step.choice.form(), step.control.parent]
    for button, handler, inputs in (
        (shelf.clone, clone, chosen),
        (shelf.continued, continued, chosen),
        (step.again, followed_on, page),
    ):
        event = wire([button.click], shell.bind(handler), inputs, filled, **QUIET)
        data = {"dataset": step.dataset, **page}
        event.success(
            shell.bind(data_step.show), inputs_kwargs=data, outputs=step.data_outputs(), **QUIET
        )
    given = chosen | {"name": shelf.new_name}
    renamed = [shelf.rename.click, shelf.new_name.submit]
    return [wire(renamed, shell.bind(rename), given, shelf.new_name, **QUIET)]


def shown(
    shell: Shell, shelf: Shelf, memory: Any, language: str, *, keep: bool = False
) -> dict[Any, Any]:
    """The table, and the runs to choose from; choices that are gone are dropped by the page.

    Args:
        shell: of the page.
        shelf: the fold.
        memory: of the visitor.
        language: of the page.
        keep: whether the visitor's choice stays; else the followed run is chosen.
    """
    runs = shell.runs(memory) or []
    names = _named(shell, language, runs)
    current = recalled(memory)["run"]
    ids = {run.id for run in runs}
    chosen = {} if keep else {"value": current if current in ids else None}
    return {
        shelf.table: table(shell.texts, language, runs),
        shelf.runs: gr.update(choices=names, **chosen),
        shelf.over: gr.update(choices=names),
    }


def _named(shell: Shell, language: str, runs: Sequence[RunState]) -> list[tuple[str, str]]:
    """Names and ids; runs of one name are told apart."""
    names = [run.name for run in runs]
    return [
        (
            f"{run.name} · {shell.texts.say(language, f'status_{run.status}')}"
            + (f" · {run.id[:4]}" if names.count(run.name) > 1 else ""),
            run.id,
        )
        for run in runs
    ]


def compared(shell: Shell, runs: Any, memory: Any, language: str) -> Any:
    """The chosen runs over one another, and in which settings they differ."""
    wanted = [run for run in runs or [] if isinstance(run, str)][:MOST]
    own = {run.id: run for run in shell.runs(memory) or []}
    found = [own[run] for run in wanted if run in own]
    if not found:
        return ""
    drawn = overlay(shell.texts, language, found)
    return drawn + differences(shell.texts, language, found) if len(found) > 1 else drawn


def clone(shell: Shell, run: str | None, memory: Any, language: str) -> list[Any]:
    """A run's dataset and settings in the form, to be changed and trained anew."""
    found = _chosen(shell, run, memory, language)
    offered = {dataset for _, dataset in data_step.choices(shell, memory, language)}
    dataset = gr.update(value=found.dataset_id) if found.dataset_id in offered else gr.skip()
    return [dataset, None, *form(vars(found.settings)), gr.update(value="", visible=False)]


def continued(shell: Shell, run: str | None, memory: Any, language: str) -> list[Any]:
    """The same, and the next run begins with this one's weights."""
    parent = _begins_with(shell, _chosen(shell, run, memory, language), language)
    return [*clone(shell, run, memory, language)[:-1], parent | {"visible": True}]


def _begins_with(shell: Shell, run: RunState | None, language: str) -> dict[str, Any]:
    """The base model, and a run in its place."""
    base = (shell.texts.say(language, "base_model"), "")
    named = [] if run is None else [(run.name, run.id)]
    chosen: dict[str, Any] = gr.update(choices=[base, *named], value=run.id if run else "")
    return chosen


def relabelled(shell: Shell, parent: str | None, memory: Any, language: str) -> Any:
    """The weights to begin with, in another language; the choice stays."""
    own = {run.id: run for run in shell.runs(memory) or []}
    return _begins_with(shell, own.get(parent or ""), language)


def followed_on(shell: Shell, memory: Any, language: str) -> list[Any]:
    """The same for the run that the page follows."""
    return continued(shell, recalled(memory)["run"], memory, language)


def rename(shell: Shell, run: str | None, name: str, memory: Any, language: str) -> Any:
    """Call a run otherwise."""
    with shell.told(language):
        _chosen(shell, run, memory, language)
        shell.lab.rename_run(recalled(memory)["workspace"], run or "", name)
    return ""


def _chosen(shell: Shell, run: str | None, memory: Any, language: str) -> RunState:
    with shell.told(language):
        if not run:
            raise BadInput("empty_text", field="run")
        return shell.lab.run(recalled(memory)["workspace"], run)
