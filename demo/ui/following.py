"""How the page follows a run in every tab: it polls the run's folder, and offers what the run made.

A reload, a closed tab or a restart needs no special case, because the server keeps nothing between two polls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.records import BASE
from demo.run_records import RunState
from demo.sweep_records import SweepState
from demo.training.sweep_result import sweeps_in
from demo.ui.headline import headline
from demo.ui.memory import recalled
from demo.ui.shell import AT_ONCE, QUIET, Shell, chain, wire
from demo.ui.tabs import run_step
from demo.ui.tabs.compare import Compare
from demo.ui.tabs.finetune import FineTune
from demo.ui.tabs.playground import Playground
from demo.ui.tuning import control, shelf, sweep, taste, travel
from demo.ui.views import notice

FOLLOW_SCRIPT = """
watch('value', () => { document.title = props.value.title });
setInterval(() => { if (props.value.live) trigger('look') }, 1000);
"""
"""A timer of Gradio rests while the page is hidden; the browser's own clock goes on, so that the title
tells of a run's end in a hidden tab too."""

SAVE_SCRIPT = "() => setTimeout(() => document.querySelector('#zip a, a#zip, button#zip, #zip button').click(), 300)"


@dataclass(frozen=True)
class Pages:
    """The tabs, and the banner above them."""

    tabs: Any
    banner: Any
    playground: Playground
    fine_tune: FineTune
    compare: Compare

    def inputs(self, shell: Shell) -> dict[str, Any]:
        """What a poll needs to know."""
        chosen = {"speaks": self.playground.speaks, "adapters": self.compare.adapters}
        step = self.fine_tune
        chosen |= {"waits": step.control.taste.said, "sweep": step.sweep.which}
        chosen["told"] = self.banner
        return {"memory": shell.memory, "language": shell.language} | chosen

    def outputs(self) -> list[Any]:
        """What a poll may change."""
        step = self.fine_tune
        return [
            self.banner,
            *step.followed(),
            *step.shelf.shown(),
            *step.sweep.shown(),
            *step.travel.shown(),
            self.playground.speaks,
            self.compare.adapters,
            self.compare.first,
        ]


def run_banner() -> Any:
    """The line that tells of the run in every tab, and keeps the browser's title."""
    value = {"html": "", "title": "Adaptation Lab", "live": False}
    return gr.HTML(value, html_template="${value.html}", js_on_load=FOLLOW_SCRIPT, elem_id="banner")


def poll(shell: Shell, pages: Pages, **given: Any) -> dict[Any, Any]:
    """The followed run and the sweep as their folders tell them now; once one has ended, what can answer.

    All is told from one look at the folders, so that no part of the page contradicts another.
    """
    memory, language = given["memory"], given["language"]
    runs = shell.runs(memory) or []
    run, known = _followed(memory, runs), sweeps_in(runs)
    before = given["told"] if isinstance(given["told"], dict) else {}
    told = headline(shell.texts, language, run, runs, known, before)
    shown = run_step.follow(shell, pages.fine_tune, run, runs, language, given["waits"])
    shown |= _swept(shell, pages, known, **given) | {pages.banner: told}
    if told["live"] and told["ended"] == before.get("ended"):
        return shown
    return shown | offered(shell, pages, keep=told["live"], **given)


def _followed(memory: Any, runs: Sequence[RunState]) -> RunState | None:
    return next((run for run in runs if run.id == recalled(memory)["run"]), None)


def _swept(shell: Shell, pages: Pages, known: Sequence[SweepState], **given: Any) -> dict[Any, Any]:
    """The sweep's fold; what cannot be drawn is said there, and the rest of the page goes on."""
    fold, language = pages.fine_tune.sweep, given["language"]
    try:
        return sweep.shown(shell, fold, known, given["sweep"], language)
    except Exception as error:
        return {fold.view: notice(shell.explain(language, error))}


def look_again(shell: Shell, pages: Pages, **given: Any) -> dict[Any, Any]:
    """After the visitor changed a run: the followed one, and all that there are."""
    return poll(shell, pages, **given) | offered(shell, pages, **given)


def offered(shell: Shell, pages: Pages, *, keep: bool = False, **given: Any) -> dict[Any, Any]:
    """Adapters and earlier runs to choose from; a choice that is gone falls back.

    Args:
        shell: of the page.
        pages: the tabs.
        keep: whether the run that is chosen on the shelf stays; else it is the followed one.
        given: what a poll needs to know.
    """
    memory, language = given["memory"], given["language"]
    choices = shell.adapter_choices(memory, language)
    names = [name for _, name in choices]
    others = [choice for choice in choices if choice[1] != BASE]
    kept = [name for name in given["adapters"] or [] if name in names]
    speaks = given["speaks"] if given["speaks"] in names else BASE
    return {
        pages.playground.speaks: gr.update(choices=choices, value=speaks),
        pages.compare.adapters: gr.update(choices=others, value=kept or [n for _, n in others[:1]]),
        pages.compare.first: _advice(shell, language, bool(others)),
        **shelf.shown(shell, pages.fine_tune.shelf, memory, language, keep=keep),
        **travel.shown(shell, pages.fine_tune.travel, memory, language),
    }


def _advice(shell: Shell, language: str, comparable: bool) -> Any:
    """What to do before there is anything to compare; while the model loads nobody knows yet."""
    needed = not comparable and shell.lab.status().state == "ready"
    return notice(shell.texts.say(language, "no_adapter") if needed else "", "quiet")


def wire_runs(shell: Shell, pages: Pages) -> None:
    """Start, follow, stop, reopen and delete runs."""
    step, kept = pages.fine_tune, {"memory": shell.memory, "language": shell.language}
    inputs, outputs, look = pages.inputs(shell), pages.outputs(), shell.bind(poll, pages)
    pages.banner.look(look, inputs_kwargs=inputs, outputs=outputs, **AT_ONCE)
    steer, fold = step.control, step.shelf
    asked = {"dataset": step.dataset, "name": step.name, "parent": steer.parent}
    asked |= kept | step.settings
    begun = wire(
        [steer.train.click],
        shell.bind(run_step.start),
        asked,
        [shell.memory, steer.notice],
        **QUIET,
    )
    stopped = wire([steer.stop.click], shell.bind(run_step.stop), kept, steer.stop, **QUIET)
    chosen = {"run": fold.runs, "memory": shell.memory}
    opened = wire([fold.open.click], run_step.reopen, chosen, shell.memory, **AT_ONCE)
    erase, spoken = shell.bind(run_step.delete), chosen | {"language": shell.language}
    deleted = wire([fold.question.sure.click], erase, spoken, shell.memory, **QUIET)
    steered = control.wire_up(shell, steer)
    steered += taste.wire_up(shell, steer.taste, asked, [shell.memory, steer.notice])
    shelved = shelf.wire_up(shell, fold, step) + travel.wire_up(shell, step.travel)
    shelved += sweep.wire_up(shell, step.sweep, step)
    for event in (begun, stopped, opened, deleted, *steered, *shelved):
        chain(event, shell.bind(look_again, pages), inputs, outputs, **AT_ONCE)


def wire_results(shell: Shell, pages: Pages) -> None:
    """Ask the new adapter, compare it, take it home."""
    step, kept = pages.fine_tune, {"memory": shell.memory, "language": shell.language}
    page, other = pages.playground, pages.compare
    ask = shell.bind(run_step.ask_it, pages.tabs, page)
    wire([step.ask.click], ask, kept, [pages.tabs, page.speaks, page.message], **QUIET)
    compare = shell.bind(run_step.compare_it, pages.tabs, other)
    wire([step.compare.click], compare, kept, [pages.tabs, other.adapters, other.question], **QUIET)
    packed = wire([step.download.click], shell.bind(run_step.download), kept, step.zip, **QUIET)
    chosen = kept | {"run": step.shelf.runs}
    other = wire(
        [step.shelf.download.click], shell.bind(run_step.download), chosen, step.zip, **QUIET
    )
    book = wire(
        [step.shelf.notebook.click], shell.bind(run_step.notebook), chosen, step.zip, **QUIET
    )
    for event in (packed, other, book):
        event.success(None, js=SAVE_SCRIPT, api_visibility="private")


def forgotten(shell: Shell, memory: Any) -> dict[str, str]:
    """The memory without a workspace or a run that has expired."""
    kept = recalled(memory)
    if kept["workspace"] and not shell.open_workspace(kept):
        kept |= {"workspace": "", "run": "", "dataset": ""}
    if kept["run"] and shell.run(kept) is None:
        kept |= {"run": ""}
    return kept
