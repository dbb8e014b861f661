"""Fine-tune: four steps on one page, from a dataset to an adapter of one's own.

Lays out and wires; `data_step` and `run_step` hold what the steps do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.data.ingest import KINDS
from demo.ui.shell import AT_ONCE, QUIET, Shell, wire
from demo.ui.tabs import data_step
from demo.ui.tuning import batch, breaking, bring, choice, control, doctor, shelf, sweep, travel
from demo.ui.tuning.bring import Bring
from demo.ui.tuning.choice import Choice
from demo.ui.tuning.control import Control
from demo.ui.tuning.shelf import Shelf
from demo.ui.tuning.sweep import Sweep
from demo.ui.tuning.travel import Travel

FOLDS: tuple[Callable[[Shell, "FineTune"], None], ...] = ()
"""What else can be done with runs, one fold each, under the shelf."""


@dataclass(frozen=True)
class FineTune:
    """The tab's components."""

    dataset: Any
    upload: Any
    data_notice: Any
    facts: Any
    preview: Any
    mapping: Any
    prompt_column: Any
    completion_column: Any
    map: Any
    encoding: Any
    bring: Bring
    doctor: Any
    choice: Choice
    batch: dict[str, Any]
    breaking: dict[str, Any]
    control: Control
    result: Any
    summary: Any
    ask: Any
    compare: Any
    download: Any
    again: Any
    zip: Any
    shelf: Shelf
    sweep: Sweep
    travel: Travel

    def data_outputs(self) -> list[Any]:
        """What a choice of dataset changes."""
        columns = [self.prompt_column, self.completion_column]
        said = [self.data_notice, self.facts, self.preview]
        return [*said, self.mapping, *columns, self.encoding]

    def followed(self) -> list[Any]:
        """What a look at the followed run may change."""
        step = self.control
        buttons = [step.train, step.resume, step.stop, step.discard]
        shown = [step.progress, step.lapse, self.summary, *buttons, self.result]
        return [*shown, *step.taste.outputs()]

    @property
    def name(self) -> Any:
        """What the run will be called."""
        return self.choice.name

    @property
    def settings(self) -> dict[str, Any]:
        """Field of `TrainSettings` -> control."""
        return self.choice.settings


def build(shell: Shell) -> FineTune:
    """Lay out the four steps."""
    shell.labels.add(gr.HTML, "finetune.intro", elem_classes="lead")
    with gr.Row(elem_classes="desk"):
        with gr.Column(scale=3, min_width=320, elem_classes="main"):
            parts = (
                _data(shell) | _method(shell) | {"control": control.lay_out(shell)} | _result(shell)
            )
            fine_tune = FineTune(**parts)
            for fold in FOLDS:
                fold(shell, fine_tune)
    _wire_data(shell, fine_tune)
    return fine_tune


def _data(shell: Shell) -> dict[str, Any]:
    labels = shell.labels
    samples = [(info.name, info.id) for info in shell.lab.samples()]
    labels.add(gr.HTML, "finetune.step_data", elem_classes="step")
    with gr.Row(elem_classes="actions"):
        dataset = labels.add(
            gr.Dropdown,
            "finetune.dataset",
            choices=samples,
            value=data_step.first_sample(shell),
            interactive=True,
            elem_id="dataset",
            scale=3,
            min_width=220,
        )
        upload = labels.add(
            gr.UploadButton,
            "finetune.upload",
            file_types=[*KINDS],
            elem_id="upload",
            scale=2,
            min_width=200,
        )
    said, facts, preview = gr.HTML(""), gr.HTML(""), gr.HTML("")
    with gr.Row(visible=False, elem_classes="actions") as mapping:
        prompt = labels.add(gr.Dropdown, "finetune.prompt_column", choices=[], interactive=True)
        completion = labels.add(
            gr.Dropdown, "finetune.completion_column", choices=[], interactive=True
        )
        use = labels.add(gr.Button, "finetune.map", min_width=160)
    encoding = labels.add(
        gr.Radio, "finetune.encoding", choices=[], visible=False, interactive=True,
        elem_id="encoding",
    )  # fmt: skip
    return {
        "dataset": dataset,
        "upload": upload,
        "data_notice": said,
        "facts": facts,
        "preview": preview,
        "mapping": mapping,
        "prompt_column": prompt,
        "completion_column": completion,
        "map": use,
        "encoding": encoding,
        "bring": bring.lay_out(shell),
        "doctor": doctor.lay_out(shell),
    }


def _method(shell: Shell) -> dict[str, Any]:
    shell.labels.add(gr.HTML, "finetune.step_method", elem_classes="step")
    return {
        "choice": choice.lay_out(shell),
        "batch": batch.lay_out(shell),
        "breaking": breaking.lay_out(shell),
    }


def _result(shell: Shell) -> dict[str, Any]:
    labels = shell.labels
    labels.add(gr.HTML, "finetune.step_result", elem_classes="step")
    summary = gr.HTML("", elem_id="summary")
    with gr.Row(visible=False, elem_classes="actions start") as result:
        ask = labels.add(
            gr.Button, "finetune.ask", variant="secondary", elem_id="ask-it", scale=0, min_width=130
        )
        compare = labels.add(
            gr.Button, "finetune.compare", elem_id="compare-it", scale=0, min_width=130
        )
        download = labels.add(
            gr.Button, "finetune.download", elem_id="download", scale=0, min_width=130
        )
        again = labels.add(
            gr.Button, "tuning.continue_from", elem_id="continue", scale=0, min_width=130
        )
    archive = labels.add(gr.DownloadButton, "finetune.zip", visible="hidden", elem_id="zip")
    return {
        "summary": summary,
        "result": result,
        "ask": ask,
        "compare": compare,
        "download": download,
        "again": again,
        "zip": archive,
        "shelf": shelf.lay_out(shell),
        "sweep": sweep.lay_out(shell),
        "travel": travel.lay_out(shell),
    }


def plan_inputs(shell: Shell, parts: FineTune) -> dict[str, Any]:
    """What a plan is computed from."""
    shared = {"dataset": parts.dataset, "memory": shell.memory, "language": shell.language}
    return shared | parts.settings


def _wire_data(shell: Shell, parts: FineTune) -> None:
    batch.wire_up(shell, parts.batch, plan_inputs(shell, parts))
    chosen = {"dataset": parts.dataset, "memory": shell.memory, "language": shell.language}
    show = shell.bind(data_step.show)
    shown = wire([parts.dataset.input], show, chosen, parts.data_outputs(), **AT_ONCE)
    uploaded = wire(
        [parts.upload.upload],
        shell.bind(data_step.upload),
        {"file": parts.upload, "memory": shell.memory, "language": shell.language},
        [shell.memory, parts.dataset, *parts.data_outputs()],
        **QUIET,
    )
    columns = {"prompt": parts.prompt_column, "completion": parts.completion_column}
    mapped = wire(
        [parts.map.click],
        shell.bind(data_step.map_columns),
        chosen | columns,
        parts.data_outputs(),
        **QUIET,
    )
    decoded = wire(
        [parts.encoding.input],
        shell.bind(data_step.decode),
        chosen | {"encoding": parts.encoding},
        parts.data_outputs(),
        **QUIET,
    )
    tried = [parts.prompt_column.input, parts.completion_column.input]
    wire(tried, shell.bind(data_step.try_columns), chosen | columns, parts.preview, **QUIET)
    mended = doctor.wire_up(shell, parts, parts.doctor)
    brought = bring.wire_up(shell, parts, parts.bring)
    for event in (shown, uploaded, mapped, decoded, mended, *brought):
        doctor.forget_on(event.then, parts.doctor)
        choice.refit(shell, parts.choice, plan_inputs(shell, parts), event)
    choice.wire_up(shell, parts.choice, plan_inputs(shell, parts))
    breaking.wire_up(shell, parts.breaking, parts.choice, plan_inputs(shell, parts))
