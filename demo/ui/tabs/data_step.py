"""Steps 1 and 2 of Fine-tune: which rows are learned, and what learning them would cost.

Knows no layout; handlers take the shell and plain values.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from demo.errors import LabError, NotReady
from demo.run_records import DatasetInfo, TrainSettings
from demo.ui.memory import recalled
from demo.ui.shell import Shell
from demo.ui.views import dataset_facts, notice, plan_line, preview

PREVIEWED = 3
FIRST = "sample:restaurants"
"""The dataset that teaches something visible within two minutes."""


def first_sample(shell: Shell) -> str | None:
    """The dataset that a first visit offers."""
    names = [info.id for info in shell.lab.samples()]
    return FIRST if FIRST in names else next(iter(names), None)


def choices(shell: Shell, memory: Any, language: str) -> list[tuple[str, str]]:
    """The samples, and the dataset that this browser uploaded last."""
    offered = [(info.titles.get(language, info.name), info.id) for info in shell.lab.samples()]
    own = _uploaded(shell, memory)
    return [*offered, (own.name, own.id)] if own else offered


def restored(shell: Shell, memory: Any, language: str) -> Any:
    """After a reload: the dataset that this browser uploaded last is chosen again."""
    own = _uploaded(shell, memory)
    return gr.update(choices=choices(shell, memory, language), value=own.id) if own else gr.skip()


def _uploaded(shell: Shell, memory: Any) -> DatasetInfo | None:
    kept = recalled(memory)
    try:
        return shell.lab.dataset(kept["workspace"], kept["dataset"]) if kept["dataset"] else None
    except LabError:
        return None


def upload(shell: Shell, file: Any, memory: Any, language: str) -> tuple[Any, ...]:
    """Check an uploaded file, choose it and show it; a refusal is said beside the button."""
    try:
        kept, workspace = shell.workspace(memory)
        path = Path(str(file))
        info = shell.lab.add_dataset(workspace, path.name, path.read_bytes())
    except Exception as error:
        return (gr.skip(), gr.skip(), notice(shell.explain(language, error)), *[gr.skip()] * 5)
    kept |= {"dataset": info.id}
    chosen = gr.update(choices=choices(shell, kept, language), value=info.id)
    return (kept, chosen, *show(shell, info.id, kept, language))


def show(shell: Shell, dataset: str, memory: Any, language: str) -> tuple[Any, ...]:
    """Facts and first rows of a dataset, and its columns where they have to be chosen."""
    hidden = (gr.update(visible=False), gr.update(), gr.update())
    if not dataset:
        return ("", notice(shell.texts.say(language, "no_dataset"), "quiet"), "", *hidden)
    try:
        info = shell.lab.dataset(_workspace(shell, memory), dataset)
    except LabError as error:
        return (notice(shell.explain(language, error)), "", "", *hidden)
    facts = dataset_facts(shell.texts, language, info)
    table = preview(shell.texts, language, info.preview[:PREVIEWED])
    if info.shape != "columns":
        return ("", facts, table, *hidden)
    columns = list(info.columns)
    prompt = gr.update(choices=columns, value=info.prompt_column or None)
    completion = gr.update(choices=columns, value=info.completion_column or None)
    asked = "" if info.mapped else shell.texts.say(language, "choose_columns")
    return (notice(asked, "quiet"), facts, table, gr.update(visible=True), prompt, completion)


def map_columns(shell: Shell, **given: Any) -> tuple[Any, ...]:
    """Use the chosen columns as prompt and completion."""
    dataset, memory, language = given["dataset"], given["memory"], given["language"]
    workspace, columns = recalled(memory)["workspace"], (given["prompt"], given["completion"])
    try:
        shell.lab.map_dataset(workspace, dataset, *(column or "" for column in columns))
    except Exception as error:
        return (notice(shell.explain(language, error)), *[gr.skip()] * 5)
    return show(shell, dataset, memory, language)


def plan(shell: Shell, **given: Any) -> Any:
    """The run's numbers before it starts, or why it could not learn."""
    language = given["language"]
    if not given["dataset"]:
        return ""
    try:
        settings = settings_of(given)
        planned = shell.lab.plan_run(_workspace(shell, given["memory"]), given["dataset"], settings)
        return plan_line(shell.texts, language, planned, settings.rank)
    except NotReady:
        return notice(shell.texts.say(language, "plan_loading"), "quiet")
    except LabError as error:
        return notice(shell.explain(language, error))


def settings_of(given: dict[str, Any]) -> TrainSettings:
    """The run's settings from its controls. Raises `BadInput` for one out of range."""
    return replace(TrainSettings(), **{name: given[name] for name in TrainSettings.RANGES})


def _workspace(shell: Shell, memory: Any) -> str:
    kept = recalled(memory)
    return kept["workspace"] if shell.runs(kept) is not None else ""
