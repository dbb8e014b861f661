"""The fold "More ways to bring data": a text pasted in, or the rows of a dataset edited in a table.

Lays out and wires; what a dataset may be is decided below.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.data.pasted import FORMATS
from demo.ui.memory import recalled
from demo.ui.shell import QUIET, Shell, wire
from demo.ui.tabs import data_step
from demo.ui.views import notice

COLUMNS = ("prompt", "completion")


@dataclass(frozen=True)
class Bring:
    """The fold's components."""

    text: Any
    format: Any
    use: Any
    edit: Any
    table: Any
    keep: Any
    said: Any


def lay_out(shell: Shell) -> Bring:
    """Lay out the fold, closed."""
    labels = shell.labels
    with labels.add(gr.Accordion, "bring.title", open=False, elem_classes="fold", elem_id="bring"):
        labels.add(gr.HTML, "bring.intro", elem_classes="hint")
        text = labels.add(
            gr.Textbox, "bring.text", lines=5, max_lines=14, interactive=True, elem_id="pasted"
        )
        with gr.Row(elem_classes="actions start"):
            kind = labels.add(
                gr.Dropdown, "bring.format", value=FORMATS[0], interactive=True, min_width=180,
                scale=0,
            )  # fmt: skip
            use = labels.add(gr.Button, "bring.use", scale=0, min_width=160)
            edit = labels.add(gr.Button, "bring.edit", scale=0, min_width=160)
        said = gr.HTML("")
        table = labels.add(
            gr.Dataframe,
            "bring.table",
            headers=list(COLUMNS),
            datatype="str",
            type="array",
            row_count=1,
            column_count=2,
            column_widths=["50%", "50%"],
            max_height=360,
            wrap=True,
            interactive=True,
            visible=False,
            elem_id="edited",
            buttons=[],
        )
        keep = labels.add(gr.Button, "bring.keep", visible=False, scale=0, min_width=160)
    return Bring(text, kind, use, edit, table, keep, said)


def wire_up(shell: Shell, step: Any, parts: Bring) -> list[Any]:
    """Connect the fold with step 1; returns the events that choose another dataset."""
    page = {"memory": shell.memory, "language": shell.language}
    changed = [shell.memory, step.dataset, *step.data_outputs()]
    pasted = page | {"text": parts.text, "format": parts.format}
    used = wire([parts.use.click], shell.bind(use), pasted, changed, **QUIET)
    chosen = page | {"dataset": step.dataset}
    wire(
        [parts.edit.click], shell.bind(edit), chosen, [parts.table, parts.keep, parts.said], **QUIET
    )
    edited = chosen | {"cells": parts.table}
    kept = wire([parts.keep.click], shell.bind(keep), edited, changed, **QUIET)
    return [used, kept]


def use(shell: Shell, **given: Any) -> tuple[Any, ...]:
    """Keep a pasted text as a dataset and choose it."""
    name = shell.texts.say(given["language"], "bring.pasted")
    return data_step.brought(
        shell,
        given["memory"],
        given["language"],
        lambda workspace: shell.lab.add_text(
            workspace, name, given["text"] or "", given["format"] or FORMATS[0]
        ),
    )


def edit(shell: Shell, **given: Any) -> tuple[Any, Any, Any]:
    """Fill the table with the first rows of the chosen dataset."""
    language = given["language"]
    try:
        rows = shell.lab.editable_rows(recalled(given["memory"])["workspace"], given["dataset"])
        info = shell.lab.dataset(recalled(given["memory"])["workspace"], given["dataset"])
    except Exception as error:
        said = notice(shell.explain(language, error))
        return gr.update(visible=False), gr.update(visible=False), said
    more = max(info.rows - len(rows), 0)
    said = shell.texts.say(language, "bring.more", count=more) if more else ""
    shown = gr.update(value={"headers": list(COLUMNS), "data": rows}, visible=True)
    return shown, gr.update(visible=True), notice(said, "quiet")


def keep(shell: Shell, **given: Any) -> tuple[Any, ...]:
    """Keep the edited rows as a dataset of their own and choose it."""
    cells = given["cells"] if isinstance(given["cells"], list) else []
    return data_step.brought(
        shell,
        given["memory"],
        given["language"],
        lambda workspace: shell.lab.edit_rows(workspace, given["dataset"], cells),
    )
