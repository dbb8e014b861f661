"""The fold "Sweep": one setting over several values, started, followed, stopped and deleted.

Lays out and handles; `sweep_view` draws. The page's own poll looks at a sweep while one is under way.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.errors import BadInput, NotFound
from demo.methods import METHODS
from demo.run_records import TrainSettings
from demo.sweep_records import SweepRequest, SweepState
from demo.ui.language import Texts
from demo.ui.memory import recalled
from demo.ui.shell import AT_ONCE, QUIET, Shell, wire
from demo.ui.tabs.data_step import settings_of
from demo.ui.tuning import sweep_view
from demo.ui.tuning.control import Question, ask_first, wire_question
from demo.ui.views import notice

FIRST_VALUES = {"rank": "2, 8, 32", "rows": "20, 60, 180", "learning_rate": "0.0002, 0.002, 0.02"}
"""What a setting is tried with until the visitor says otherwise."""
DECIMAL = re.compile(r"\d+,\d+(e-?\d+)?[,;]?", re.IGNORECASE)
"""A learning rate as most of Europe writes it; no list of whole numbers is one of learning rates."""
FIRST_METHODS = ["lora", "dora", "ia3"]


@dataclass(frozen=True)
class Sweep:
    """The fold's components."""

    setting: Any
    values: Any
    methods: Any
    fair: Any
    seconds: Any
    go: Any
    said: Any
    which: Any
    view: Any
    stop: Any
    delete: Any
    question: Question

    def shown(self) -> list[Any]:
        """What `shown` fills."""
        return [self.which, self.view, self.go, self.stop, self.delete]


def lay_out(shell: Shell) -> Sweep:
    """The fold, closed."""
    add = shell.labels.add
    with add(gr.Accordion, "sweep.title", open=False, elem_classes="fold", elem_id="sweep"):
        add(gr.HTML, "sweep.intro", elem_classes="hint")
        setting = add(gr.Radio, "sweep.setting", value="rank", interactive=True)
        with gr.Row(elem_classes="fold-knobs"):
            values, methods = _values(shell)
            low, high, _ = SweepRequest.RANGES["seconds"]
            seconds = add(
                gr.Slider, "sweep.seconds", minimum=low, maximum=high, step=10, buttons=[],
                value=SweepRequest.seconds, interactive=True, min_width=240,
            )  # fmt: skip
        fair = gr.HTML(_fair(shell.texts, "en", "rank"), elem_classes="hint")
        with gr.Row(elem_classes="fold-actions"):
            go = add(gr.Button, "sweep.go", min_width=160, scale=0, elem_id="sweep-go")
            stop = add(gr.Button, "sweep.stop", visible=False, min_width=160, scale=0)
        said = gr.HTML("")
        which = add(
            gr.Dropdown, "sweep.which", choices=[], visible=False, interactive=True,
            elem_id="sweep-which",
        )  # fmt: skip
        view = gr.HTML("", elem_id="sweep-view")
        with gr.Row(elem_classes="actions start"):
            delete = add(
                gr.Button, "sweep.delete", variant="stop", visible=False, scale=0, min_width=150
            )
        question = ask_first(shell, "sweep.sure")
    knobs = (setting, values, methods, fair, seconds, go)
    return Sweep(*knobs, said, which, view, stop, delete, question)


def _values(shell: Shell) -> tuple[Any, Any]:
    add, titles = shell.labels.add, shell.texts.node("en", "say.methods.titles")
    offered = [
        (titles[name], name) for name, method in METHODS.items() if method.objective == "tokens"
    ]
    values = add(
        gr.Textbox, "sweep.values", value=FIRST_VALUES["rank"], max_lines=1, interactive=True,
        min_width=240, elem_id="sweep-values",
    )  # fmt: skip
    methods = add(
        gr.Dropdown, "sweep.methods", choices=offered, value=FIRST_METHODS, multiselect=True,
        max_choices=SweepRequest.MOST, visible=False, interactive=True, min_width=240,
    )  # fmt: skip
    return values, methods


def _fair(texts: Texts, language: str, setting: str) -> Markup:
    known = setting if setting in (*FIRST_VALUES, "method") else "rank"
    return Markup("<p>{}</p>").format(texts.say(language, f"sweep.fair.{known}"))


def wire_up(shell: Shell, fold: Sweep, step: Any) -> list[Any]:
    """Connect the fold; returns the events after which to look at the runs again.

    Args:
        shell: of the page.
        fold: its components.
        step: the tab, whose form says what all runs share.
    """
    page = {"memory": shell.memory, "language": shell.language}
    chosen = {"setting": fold.setting, "language": shell.language}
    wire([fold.setting.input], choose, {"setting": fold.setting}, [fold.values, fold.methods],
         **AT_ONCE)  # fmt: skip
    told = [fold.setting.input, shell.language.change]
    wire(told, shell.bind(fair), chosen, [fold.fair, fold.methods], **AT_ONCE)
    wire_question(fold.delete, fold.question)
    asked = page | {"dataset": step.dataset, "name": step.name, "dial": step.choice.dial}
    asked |= step.settings
    asked |= {"swept": fold.setting, "values": fold.values, "methods": fold.methods}
    asked |= {"seconds": fold.seconds}
    begun = wire(
        [fold.go.click], shell.bind(start), asked, [shell.memory, fold.said, fold.which], **QUIET
    )
    named = page | {"sweep": fold.which}
    stopped = wire([fold.stop.click], shell.bind(stop), named, fold.stop, **QUIET)
    deleted = wire([fold.question.sure.click], shell.bind(delete), named, fold.which, **QUIET)
    wire([fold.which.input], shell.bind(reopen, fold), named, fold.shown(), **AT_ONCE)
    return [begun, stopped, deleted]


def choose(setting: str) -> list[Any]:
    """The values that a setting begins with; methods are chosen from a list."""
    listed = setting == "method"
    first = FIRST_VALUES.get(setting, "")
    values = gr.update(visible=False) if listed else gr.update(visible=True, value=first)
    return [values, gr.update(visible=listed)]


def fair(shell: Shell, setting: str, language: str) -> list[Any]:
    """How the runs of a sweep over this setting are made comparable, and the methods by their names."""
    titles = shell.texts.node(language, "say.methods.titles")
    offered = [(titles[name], name) for name, m in METHODS.items() if m.objective == "tokens"]
    return [_fair(shell.texts, language, setting), gr.update(choices=offered)]


def start(shell: Shell, **given: Any) -> tuple[Any, Any, Any]:
    """Queue a sweep; the workspace is made with the first one. A refusal is said under the button."""
    language = given["language"]
    try:
        if not given["dataset"]:
            raise BadInput("empty_text", field="dataset")
        kept, workspace = shell.workspace(given["memory"])
        request = _request(shell, workspace, given)
        sweep = shell.lab.start_sweep(workspace, request)
    except Exception as error:
        return gr.skip(), notice(shell.explain(language, error)), gr.skip()
    known = shell.lab.sweeps_of(workspace)
    return kept, "", gr.update(choices=_titled(shell, language, known), value=sweep)


def _request(shell: Shell, workspace: str, given: dict[str, Any]) -> SweepRequest:
    settings: TrainSettings = settings_of(given)
    # The dial's own number of steps fits one run; here the budget decides.
    settings = replace(settings, max_steps=0) if given["dial"] else settings
    setting = str(given["swept"])
    typed = str(given["values"] or "")
    values = given["methods"] or [] if setting == "method" else read(typed, setting)
    name = str(given["name"] or "").strip()
    return SweepRequest(
        dataset=given["dataset"],
        name=name or Path(shell.lab.dataset(workspace, given["dataset"]).name).stem[:40],
        settings=settings,
        setting=setting,
        values=tuple(values),
        seconds=given["seconds"],
        word=shell.texts.node(given["language"], "fields").get(setting, ""),
    )


def read(text: str, setting: str) -> list[str]:
    """Values as typed; where others than commas stand between them, a comma is a decimal one."""
    if setting == "learning_rate" and all(DECIMAL.fullmatch(part) for part in text.split()):
        text = re.sub(r",(?=\d)", ".", text)
    if ";" in text:
        text = text.replace(",", ".")
    return [value.lower() for value in re.split(r"[,;\s]+", text) if value]


def stop(shell: Shell, sweep: str | None, memory: Any, language: str) -> Any:
    """Stop every run of a sweep; what they have learned stays."""
    with shell.told(language):
        shell.lab.stop_sweep(recalled(memory)["workspace"], sweep or "")
    return gr.update(interactive=False)


def delete(shell: Shell, sweep: str | None, memory: Any, language: str) -> Any:
    """Delete a sweep with its runs."""
    with shell.told(language):
        shell.lab.delete_sweep(recalled(memory)["workspace"], sweep or "")
    return None


def reopen(
    shell: Shell, fold: Sweep, sweep: str | None, memory: Any, language: str
) -> dict[Any, Any]:
    """Show another sweep of the workspace."""
    return shown(shell, fold, sweeps(shell, memory), sweep, language)


def sweeps(shell: Shell, memory: Any) -> list[SweepState]:
    """The visitor's sweeps, newest first."""
    workspace = recalled(memory)["workspace"]
    try:
        return shell.lab.sweeps_of(workspace) if workspace else []
    except NotFound:
        return []


def shown(
    shell: Shell, fold: Sweep, known: Sequence[SweepState], chosen: str | None, language: str
) -> dict[Any, Any]:
    """The chosen sweep, or else the newest, as its runs tell it now; and what can be done with it."""
    found = next((s for s in known if s.id == chosen), known[0] if known else None)
    live = found is not None and found.live
    which = gr.update(
        choices=_titled(shell, language, known),
        value=found.id if found else None,
        visible=len(known) > 1,
    )
    return {
        fold.which: which,
        fold.view: sweep_view.view(shell.texts, language, found),
        fold.go: gr.update(visible=not live),
        fold.stop: gr.update(visible=live, interactive=live),
        fold.delete: gr.update(visible=found is not None),
    }


def _titled(shell: Shell, language: str, known: Sequence[SweepState]) -> list[tuple[str, str]]:
    """Names and ids; sweeps of one name are told apart."""
    fields = shell.texts.node(language, "fields")
    titles = [
        shell.texts.say(language, "sweep.title", name=s.name, setting=fields[s.setting])
        for s in known
    ]
    return [
        (title if titles.count(title) == 1 else f"{title} · {one.id[:4]}", one.id)
        for title, one in zip(titles, known, strict=True)
    ]
