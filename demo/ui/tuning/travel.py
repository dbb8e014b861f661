"""The fold "Adapters that travel": bring a zip, merge two, take one home inside its base, delete.

Lays out and handles; every limit is the lab's. Knows no run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from demo.methods.limits import STRONGEST, WEAKEST
from demo.records import BASE, AdapterInfo
from demo.ui.glass.code import COPY_SCRIPT
from demo.ui.memory import recalled
from demo.ui.shell import QUIET, Shell, wire
from demo.ui.tuning.control import Question, ask_first, wire_question
from demo.ui.tuning.travel_view import code_view, table
from demo.ui.views import notice

LONGEST_NAME = 60
SAVE_SCRIPT = """() => setTimeout(() => document.querySelector(
    '#travel-file a, a#travel-file, button#travel-file, #travel-file button').click(), 300)"""
"""The button that has the file is pressed for the visitor."""


@dataclass(frozen=True)
class Travel:
    """The fold's components."""

    name: Any
    upload: Any
    terms: tuple[Any, Any, Any, Any]
    merge: Any
    notice: Any
    table: Any
    kept: Any
    chosen: Any
    new_name: Any
    buttons: dict[str, Any]
    question: Question
    whole_of: Any
    code: Any
    file: Any

    def shown(self) -> list[Any]:
        """What `shown` fills."""
        choices = [self.chosen, self.whole_of, self.terms[0], self.terms[2]]
        return [self.table, self.kept, *choices]


def lay_out(shell: Shell) -> Travel:
    """The fold, closed."""
    labels = shell.labels
    with labels.add(
        gr.Accordion, "travel.title", open=False, elem_classes="fold", elem_id="travel"
    ):
        labels.add(gr.HTML, "travel.intro", elem_classes="hint")
        with gr.Row(elem_classes="actions start"):
            name = labels.add(gr.Textbox, "travel.name", max_lines=1, interactive=True)
            upload = labels.add(
                gr.UploadButton, "travel.upload", file_types=[".zip"], elem_id="travel-upload",
                scale=0, min_width=130,
            )  # fmt: skip
        said = gr.HTML("", elem_id="travel-said")
        labels.add(gr.HTML, "travel.sum", elem_classes="hint")
        terms, merge = _sum(shell)
        every = gr.HTML("", elem_id="travel-table")
        kept = _kept(shell)
        labels.add(gr.HTML, "travel.home", elem_classes="hint")
        whole_of, home = _home(shell)
        code = gr.HTML(
            {"html": ""},
            html_template="${value.html}",
            js_on_load=COPY_SCRIPT,
            elem_id="travel-code",
        )
        file = labels.add(gr.DownloadButton, "travel.zip", visible="hidden", elem_id="travel-file")
    kept["buttons"] |= home
    return Travel(
        name=name,
        upload=upload,
        terms=terms,
        merge=merge,
        notice=said,
        table=every,
        whole_of=whole_of,
        code=code,
        file=file,
        **kept,
    )


def _sum(shell: Shell) -> tuple[tuple[Any, Any, Any, Any], Any]:
    """Two adapters with a weight each, and the button that merges them."""
    labels = shell.labels
    terms = []
    with gr.Row(elem_classes="actions start sum"):
        for which in ("one", "other"):
            terms += [
                labels.add(
                    gr.Dropdown, f"travel.{which}", choices=[], interactive=True,
                    elem_id=f"travel-{which}", scale=3, min_width=180,
                ),
                labels.add(
                    gr.Number, f"travel.weight_{which}", value=0.5, step=0.1, minimum=WEAKEST,
                    maximum=STRONGEST, interactive=True, scale=0, min_width=90,
                ),
            ]  # fmt: skip
        merge = labels.add(gr.Button, "travel.merge", scale=0, min_width=160)
    return (terms[0], terms[1], terms[2], terms[3]), merge


def _kept(shell: Shell) -> dict[str, Any]:
    """What was brought or merged, and what can be done with it; hidden while there is nothing."""
    labels, small = shell.labels, {"scale": 0, "min_width": 110}
    with gr.Column(visible=False) as column:
        with gr.Row(elem_classes="actions start"):
            chosen = labels.add(
                gr.Dropdown, "travel.chosen", choices=[], interactive=True, elem_id="travel-chosen"
            )
            download = labels.add(gr.Button, "travel.download", **small)
            delete = labels.add(gr.Button, "travel.delete", variant="stop", **small)
        question = ask_first(shell, "travel.sure")
        with gr.Row(elem_classes="actions start"):
            name = labels.add(gr.Textbox, "travel.new_name", max_lines=1, interactive=True)
            rename = labels.add(gr.Button, "travel.rename", **small)
    buttons = {"download": download, "delete": delete, "rename": rename}
    return {
        "kept": column,
        "chosen": chosen,
        "new_name": name,
        "question": question,
        "buttons": buttons,
    }


def _home(shell: Shell) -> tuple[Any, dict[str, Any]]:
    """Any adapter, and the ways to put it into its base; the file only where it may be written."""
    labels = shell.labels
    with gr.Row(elem_classes="actions start"):
        of = labels.add(
            gr.Dropdown, "travel.whole_of", choices=[], interactive=True, elem_id="travel-whole-of"
        )
        allowed = shell.lab.settings.full_tuning
        buttons = {
            "whole": labels.add(gr.Button, "travel.whole", visible=allowed, scale=0, min_width=150),
            "code": labels.add(gr.Button, "travel.code", scale=0, min_width=150),
        }
    return of, buttons


def wire_up(shell: Shell, fold: Travel) -> list[Any]:
    """Connect the fold; returns the events after which to look at the adapters again."""
    page = {"memory": shell.memory, "language": shell.language}
    chosen = page | {"adapter": fold.chosen}
    said = [shell.memory, fold.notice, fold.name]
    named = page | {"name": fold.name}
    brought = wire(
        [fold.upload.upload], shell.bind(bring), named | {"file": fold.upload}, said, **QUIET
    )
    terms = dict(zip(("one", "weight_one", "other", "weight_other"), fold.terms, strict=True))
    merged = wire([fold.merge.click], shell.bind(merge), named | terms, said, **QUIET)
    wire_question(fold.buttons["delete"], fold.question)
    deleted = wire([fold.question.sure.click], shell.bind(delete), chosen, fold.notice, **QUIET)
    renamed = wire(
        [fold.buttons["rename"].click, fold.new_name.submit],
        shell.bind(rename),
        chosen | {"name": fold.new_name},
        fold.new_name,
        **QUIET,
    )
    _wire_home(shell, fold, chosen, page | {"adapter": fold.whole_of})
    return [brought, merged, deleted, renamed]


def _wire_home(
    shell: Shell, fold: Travel, chosen: dict[str, Any], whole_of: dict[str, Any]
) -> None:
    kept = [shell.memory, fold.file]
    for name, handler, inputs, outputs in (
        ("download", download, chosen, fold.file),
        ("whole", whole, whole_of, kept),
    ):
        made = wire([fold.buttons[name].click], shell.bind(handler), inputs, outputs, **QUIET)
        made.success(None, js=SAVE_SCRIPT, api_visibility="private")
    wire([fold.buttons["code"].click], shell.bind(code), whole_of, fold.code, **QUIET)


def shown(shell: Shell, fold: Travel, memory: Any, language: str) -> dict[Any, Any]:
    """The table of brought and merged adapters, and what there is to choose from."""
    others = [choice for choice in shell.adapter_choices(memory, language) if choice[1] != BASE]
    kept = _brought(shell, memory)
    names = {adapter.name for adapter in kept}
    broken = [(adapter.title, adapter.name) for adapter in kept if adapter.problem]
    mine = [choice for choice in others if choice[1] in names]
    return {
        fold.table: table(shell.texts, language, kept),
        fold.kept: gr.update(visible=bool(kept)),
        fold.chosen: gr.update(choices=[*mine, *broken]),
        fold.whole_of: gr.update(choices=others),
        fold.terms[0]: gr.update(choices=others),
        fold.terms[2]: gr.update(choices=others),
    }


def _brought(shell: Shell, memory: Any) -> Sequence[AdapterInfo]:
    workspace = shell.open_workspace(memory)
    return shell.lab.brought_adapters(workspace) if workspace else []


def bring(shell: Shell, file: Any, name: str, memory: Any, language: str) -> tuple[Any, Any, Any]:
    """Take a zip in, or say why not."""
    path = Path(str(file))
    return _made(
        shell,
        memory,
        language,
        lambda workspace: shell.lab.import_adapter(
            workspace, (name or "").strip() or path.stem[:LONGEST_NAME], path
        ),
    )


def merge(shell: Shell, **given: Any) -> tuple[Any, Any, Any]:
    """A new adapter from two, or why there is none."""
    memory, language = given["memory"], given["language"]
    both = ((given["one"], given["weight_one"]), (given["other"], given["weight_other"]))
    pairs = [(adapter, weight) for adapter, weight in both if adapter]
    titles = [shell.title_of(memory, language, adapter) for adapter, _ in pairs]
    name = (given["name"] or "").strip() or " + ".join(titles)[:LONGEST_NAME]
    return _made(
        shell, memory, language, lambda workspace: shell.lab.merge_adapters(workspace, name, pairs)
    )


def _made(shell: Shell, memory: Any, language: str, make: Any) -> tuple[Any, Any, Any]:
    """The memory with a workspace, what was made in it in words, and the name that is used up."""
    try:
        kept, workspace = shell.workspace(memory)
        info: AdapterInfo = make(workspace)
    except Exception as error:
        return gr.skip(), notice(shell.explain(language, error)), gr.skip()
    key = "travel.taken_in" if info.origin == "brought" else "travel.merged_now"
    said = shell.texts.say(language, key, name=info.title, detail=info.detail)
    return kept, notice(said, "quiet"), ""


def rename(shell: Shell, adapter: str | None, name: str, memory: Any, language: str) -> Any:
    """Call a brought or merged adapter otherwise."""
    with shell.told(language):
        shell.lab.rename_adapter(recalled(memory)["workspace"], adapter or "", name)
    return ""


def delete(shell: Shell, adapter: str | None, memory: Any, language: str) -> Any:
    """Delete a brought or merged adapter."""
    with shell.told(language):
        shell.lab.delete_adapter(recalled(memory)["workspace"], adapter or "")
    return ""


def download(shell: Shell, adapter: str | None, memory: Any, language: str) -> Any:
    """A zip of a brought or merged adapter."""
    with shell.told(language):
        return gr.update(
            value=str(shell.lab.download(recalled(memory)["workspace"], adapter or ""))
        )


def whole(shell: Shell, adapter: str | None, memory: Any, language: str) -> tuple[Any, Any]:
    """The memory with the workspace that holds it, and a zip of the base with the adapter in its weights."""
    with shell.told(language):
        kept, workspace = shell.workspace(memory)
        return kept, gr.update(value=str(shell.lab.whole_model(workspace, adapter or "")))


def code(shell: Shell, adapter: str | None, memory: Any, language: str) -> Any:
    """The lines that put it into the base, or why none do."""
    try:
        lines = shell.lab.whole_model_code(shell.open_workspace(memory), adapter or "")
    except Exception as error:
        return {"html": notice(shell.explain(language, error))}
    return {"html": code_view(shell.texts, language, lines)}
