"""The fold "Dataset doctor": findings with their fixes, what was fixed, and how long the rows are.

Asks for a look only while the fold is open: its script, which a closed fold does not run, sends for
one whenever the dataset or what it depends on has changed. Knows no check and no fix.
"""

from typing import Any

import gradio as gr

from demo.dataset_records import Fix
from demo.errors import BadInput, NotReady
from demo.ui.memory import recalled
from demo.ui.shell import QUIET, Shell
from demo.ui.tabs import data_step
from demo.ui.tuning.report_view import report
from demo.ui.views import notice

STALE = {"html": "", "stale": True}
FORGET = "() => ({html: '', stale: true})"
"""Runs in the browser: the next look is computed when the fold is open, or opened."""
TEMPLATE = """${value.stale
    ? '<p class="hint" role="status"><span class="pulse"></span> …</p>' : value.html}"""
SCRIPT = """
const look = () => { if (props.value?.stale) trigger('examine'); };
element.addEventListener('click', event => {
  const button = event.target.closest('button[data-fix]');
  if (!button || element.dataset.busy) return;
  element.dataset.busy = 'yes';
  trigger('mend', {fix: button.dataset.fix, limit: Number(button.dataset.limit), undo: button.dataset.undo === 'yes'});
});
watch('value', () => { delete element.dataset.busy; look(); });
look();
"""
LOOKED_AT = ("max_length", "eval_share", "seed")
"""What findings depend on beside the dataset."""


def lay_out(shell: Shell) -> Any:
    """Lay out the fold, closed; returns what shows the report."""
    with shell.labels.add(
        gr.Accordion, "doctor.title", open=False, elem_classes="fold", elem_id="doctor"
    ):
        shell.labels.add(gr.HTML, "doctor.intro", elem_classes="hint")
        return gr.HTML(
            STALE,
            html_template=TEMPLATE,
            js_on_load=SCRIPT,
            apply_default_css=False,
            elem_id="doctor-view",
        )


def wire_up(shell: Shell, step: Any, view: Any) -> Any:
    """Connect the fold with step 1; returns the event that mends."""
    page = {"memory": shell.memory, "language": shell.language, "dataset": step.dataset}
    view.examine(shell.bind(examine), inputs_kwargs=page | step.settings, outputs=view, **QUIET)
    for name in LOOKED_AT:
        forget_on(step.settings[name].change, view)
    forget_on(shell.language.input, view)
    changed = [shell.memory, step.dataset, *step.data_outputs()]
    return view.mend(shell.bind(mend), inputs_kwargs=page, outputs=changed, **QUIET)


def forget_on(event: Any, view: Any) -> None:
    """Let the shown report be looked up anew after an event."""
    event(None, None, view, js=FORGET, api_visibility="private", show_progress="hidden")


def examine(shell: Shell, **given: Any) -> dict[str, Any]:
    """The doctor's report on the chosen dataset."""
    language = given["language"]
    if not given["dataset"]:
        return {"html": ""}
    try:
        settings = data_step.settings_of(given)
        workspace = recalled(given["memory"])["workspace"]
        found = shell.lab.doctor(workspace, given["dataset"], settings)
        return {"html": report(shell.texts, language, found)}
    except NotReady:
        return {"html": notice(shell.texts.say(language, "plan_loading"), "quiet")}
    except Exception as error:
        return {"html": notice(shell.explain(language, error))}


def mend(shell: Shell, event: gr.EventData, **given: Any) -> tuple[Any, ...]:
    """Apply one fix, or take it back; a sample's mended copy is chosen in its place."""
    memory, language, dataset = given["memory"], given["language"], given["dataset"]

    def mended(workspace: str) -> Any:
        fix, undo = _wanted(event)
        standing = [done.fix for done in shell.lab.dataset(workspace, dataset).fixes]
        fixes = [kept for kept in standing if kept.key != fix.key]
        return shell.lab.fix_dataset(workspace, dataset, fixes if undo else [*fixes, fix])

    return data_step.brought(shell, memory, language, mended)


def _wanted(event: gr.EventData) -> tuple[Fix, bool]:
    """What the pressed button stands for; the lab checks it."""
    key, limit = getattr(event, "fix", None), getattr(event, "limit", None)
    if not isinstance(key, str) or not isinstance(limit, int | float):
        raise BadInput("empty_text", field="fix")
    return Fix(key, int(limit)), getattr(event, "undo", False) is True
