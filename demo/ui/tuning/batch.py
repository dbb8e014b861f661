"""The fold "What it trains on": the batch of any step, its tokens greyed where they are only read.

The lab makes the batch by the trainer's own functions; here it is drawn. Knows no run.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.errors import NotReady
from demo.run_records import BatchLook, BatchRow
from demo.ui.exact import EXACT_SCRIPT, token_spans
from demo.ui.language import Texts
from demo.ui.memory import recalled
from demo.ui.shell import QUIET, Shell, wire
from demo.ui.tabs import data_step
from demo.ui.views import joined, notice


def lay_out(shell: Shell) -> dict[str, Any]:
    """Lay out the fold, closed."""
    labels = shell.labels
    with labels.add(gr.Accordion, "batch.title", open=False, elem_classes="fold", elem_id="batch"):
        labels.add(gr.HTML, "batch.intro", elem_classes="hint")
        with gr.Row(elem_classes="fold-actions"):
            step = labels.add(
                gr.Number, "batch.step", value=1, precision=0, interactive=True, min_width=90,
                scale=0,
            )  # fmt: skip
            go = labels.add(gr.Button, "batch.go", min_width=120, scale=0)
        view = gr.HTML(
            {"html": ""},
            html_template="${value.html}",
            js_on_load=EXACT_SCRIPT,
            elem_id="batch-view",
        )
    return {"step": step, "go": go, "view": view}


def wire_up(shell: Shell, parts: dict[str, Any], plan_inputs: dict[str, Any]) -> None:
    """Connect the fold with the dataset and the settings of a run."""
    inputs = plan_inputs | {"step": parts["step"]}
    events = [parts["go"].click, parts["step"].submit]
    wire(events, shell.bind(look), inputs, parts["view"], **QUIET)


def look(shell: Shell, **given: Any) -> dict[str, Any]:
    """The batch of a step, or why there is none."""
    language = given["language"]
    try:
        settings = data_step.settings_of(given)
        workspace = recalled(given["memory"])["workspace"]
        batch = shell.lab.training_batch(workspace, given["dataset"], settings, given["step"])
    except NotReady:
        return {"html": notice(shell.texts.say(language, "plan_loading"), "quiet")}
    except Exception as error:
        return {"html": notice(shell.explain(language, error))}
    return {"html": drawn(shell.texts, language, batch)}


def drawn(texts: Texts, language: str, batch: BatchLook) -> Markup:
    """The batch: its numbers in words, then row by row what is read and what is learned."""
    learned = sum(sum(row.trained) for row in batch.rows)
    read = sum(row.read for row in batch.rows)
    facts = texts.say(
        language, "training_batch.facts",
        step=batch.step, steps=batch.steps, rows=len(batch.rows), read=read, learned=learned,
        share=texts.number(language, round(100 * learned / max(read, 1))),
        padding=sum(row.padding for row in batch.rows),
    )  # fmt: skip
    lines = [facts]
    if batch.shared > 1 and len(batch.rows) > 1:
        lines.append(texts.say(language, "training_batch.shared", count=batch.shared))
    if batch.too_long:
        lines.append(texts.say(language, "training_batch.too_long", count=batch.too_long))
    told = texts.say(
        language, "token_told", place="{place}", count="{count}", id="{id}", shown="{shown}"
    )
    return Markup(
        '{}<p class="hint">{}</p><p class="hint token-told" role="status" data-sentence="{}">{}</p>'
        '<ol class="batch-rows">{}</ol>'
    ).format(
        joined(Markup('<p class="facts">{}</p>').format(line) for line in lines),
        texts.say(language, "training_batch.legend"),
        told,
        texts.say(language, "token_point"),
        joined(_row(texts, language, row, n) for n, row in enumerate(batch.rows, 1)),
    )


def _row(texts: Texts, language: str, row: BatchRow, number: int) -> Markup:
    learned = sum(row.trained)
    said = texts.say(
        language,
        "training_batch.row",
        number=number,
        read=row.read,
        learned=learned,
        padding=row.padding,
    )
    cut = len(row.tokens) - row.read
    if cut:
        said = f"{said} · {texts.say(language, 'training_batch.cut', count=cut)}"
    classes = ["learned" if on else "masked" for on in row.trained]
    for place in range(row.read, len(row.tokens)):
        classes[place] = "unread"
    return Markup(
        '<li><p class="cost">{}</p><pre class="exact" tabindex="0" role="region" aria-label="{}">{}</pre></li>'
    ).format(said, said, joined(token_spans(row.tokens, classes)))
