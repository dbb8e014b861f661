"""Step 1 of Fine-tune: which rows are learned.

Knows no layout; handlers take the shell and plain values.
"""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import gradio as gr

from demo.dataset_records import Decoding
from demo.errors import LabError
from demo.run_records import DatasetInfo, TrainSettings
from demo.ui.memory import recalled
from demo.ui.shell import Shell
from demo.ui.tuning.row_view import first_row
from demo.ui.views import dataset_facts, notice, preview

PREVIEWED = 3
SHOWN = 7
"""Components that `show` fills: notice, facts, preview, mapping, its two columns, and encoding."""
FIRST = "sample:restaurants"
"""The dataset that teaches something visible within two minutes."""


def first_sample(shell: Shell) -> str | None:
    """The dataset that a first visit offers."""
    names = [info.id for info in shell.lab.samples()]
    return FIRST if FIRST in names else next(iter(names), None)


def choices(shell: Shell, memory: Any, language: str) -> list[tuple[str, str]]:
    """The samples, and the datasets of this browser's workspace; equal names are told apart."""
    offered = [(info.titles.get(language, info.name), info.id) for info in shell.lab.samples()]
    workspace = shell.open_workspace(memory)
    own = shell.lab.own_datasets(workspace) if workspace else []
    names = [name for name, _ in offered] + [info.name for info in own]
    told = (f"{i.name} · {i.id[:4]}" if names.count(i.name) > 1 else i.name for i in own)
    return [*offered, *zip(told, (info.id for info in own), strict=True)]


def restored(shell: Shell, memory: Any, language: str) -> Any:
    """After a reload: the dataset that this browser used last is chosen again."""
    kept = recalled(memory)["dataset"]
    offered = choices(shell, memory, language)
    if kept not in {dataset for _, dataset in offered}:
        return gr.skip()
    return gr.update(choices=offered, value=kept)


def upload(shell: Shell, file: Any, memory: Any, language: str) -> tuple[Any, ...]:
    """Check an uploaded file, choose it and show it; a refusal is said beside the button."""
    path = Path(str(file))
    return brought(
        shell,
        memory,
        language,
        lambda workspace: shell.lab.add_file(workspace, path.name, path),
    )


def brought(
    shell: Shell, memory: Any, language: str, bring: Callable[[str], DatasetInfo]
) -> tuple[Any, ...]:
    """Choose and show the dataset that `bring` makes in the visitor's workspace, or say why not.

    Returns:
        Values for the memory, the list of datasets and everything that `show` fills.
    """
    try:
        kept, workspace = shell.workspace(memory)
        info = bring(workspace)
    except Exception as error:
        skipped = [gr.skip()] * (SHOWN - 1)
        return (gr.skip(), gr.skip(), notice(shell.explain(language, error)), *skipped)
    kept |= {"dataset": info.id}
    chosen = gr.update(choices=choices(shell, kept, language), value=info.id)
    return (kept, chosen, *show(shell, info.id, kept, language))


def show(shell: Shell, dataset: str, memory: Any, language: str) -> tuple[Any, ...]:
    """Facts and first rows of a dataset, and what has to be chosen: its columns, its letters."""
    hidden = (gr.update(visible=False), gr.update(), gr.update(), gr.update(visible=False))
    if not dataset:
        return ("", notice(shell.texts.say(language, "no_dataset"), "quiet"), "", *hidden)
    try:
        info = shell.lab.dataset(shell.open_workspace(memory), dataset)
    except LabError as error:
        return (notice(shell.explain(language, error)), "", "", *hidden)
    facts = dataset_facts(shell.texts, language, info)
    table = preview(shell.texts, language, info.preview[:PREVIEWED])
    letters = _letters(shell, language, info)
    if info.shape != "columns":
        return (_asked(shell, language, info), facts, table, *hidden[:3], letters)
    columns = [(shell.texts.say(language, "no_prompt"), ""), *((c, c) for c in info.columns)]
    prompt = gr.update(choices=columns, value=info.prompt_column)
    completion = gr.update(choices=list(info.columns), value=info.completion_column or None)
    asked = _asked(shell, language, info)
    return (asked, facts, table, gr.update(visible=True), prompt, completion, letters)


def _asked(shell: Shell, language: str, info: DatasetInfo) -> Any:
    """What the visitor has to decide before a run."""
    if not info.mapped:
        return notice(shell.texts.say(language, "choose_columns"), "quiet")
    if info.damaged:
        return notice(shell.texts.say(language, "see_doctor", count=len(info.damaged)), "quiet")
    return ""


def _letters(shell: Shell, language: str, info: DatasetInfo) -> Any:
    """The ways to read a file's bytes with an excerpt of each, where bytes alone do not decide."""
    candidates = info.encoding.candidates
    if not candidates:
        return gr.update(visible=False)
    named = [(_way(shell, language, c), c.name) for c in candidates]
    return gr.update(visible=True, choices=named, value=info.encoding.name)


def _way(shell: Shell, language: str, way: Decoding) -> str:
    name = shell.texts.say(language, f"encodings.{way.name}")
    return f"{name}: {' · '.join(way.preview)}"


def decode(shell: Shell, **given: Any) -> tuple[Any, ...]:
    """Read the file's bytes as other letters."""
    dataset, memory, language = given["dataset"], given["memory"], given["language"]
    try:
        shell.lab.decode_dataset(shell.open_workspace(memory), dataset, given["encoding"] or "")
    except Exception as error:
        return (notice(shell.explain(language, error)), *[gr.skip()] * (SHOWN - 1))
    return show(shell, dataset, memory, language)


def map_columns(shell: Shell, **given: Any) -> tuple[Any, ...]:
    """Use the chosen columns as prompt and completion."""
    dataset, memory, language = given["dataset"], given["memory"], given["language"]
    workspace, columns = recalled(memory)["workspace"], (given["prompt"], given["completion"])
    try:
        shell.lab.map_dataset(workspace, dataset, *(column or "" for column in columns))
    except Exception as error:
        return (notice(shell.explain(language, error)), *[gr.skip()] * (SHOWN - 1))
    return show(shell, dataset, memory, language)


def try_columns(shell: Shell, **given: Any) -> Any:
    """The first row as the model would read it, with the columns as they stand in the lists."""
    language, columns = given["language"], (given["prompt"] or "", given["completion"] or "")
    try:
        workspace = shell.open_workspace(given["memory"])
        text, row = shell.lab.first_row(workspace, given["dataset"], *columns)
    except LabError as error:
        return notice(shell.explain(language, error))
    return first_row(shell.texts, language, text, row)


def settings_of(given: dict[str, Any]) -> TrainSettings:
    """The run's settings from its controls. Raises `BadInput` for one out of range."""
    return TrainSettings(
        **{f.name: given[f.name] for f in fields(TrainSettings) if f.name in given}
    )
