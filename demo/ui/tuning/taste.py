"""What stands under the progress of a run that waits: a taste of it, and a recorded run to watch.

Lays out and handles; who may have a taste is the lab's decision. The page polls it every second, so
nothing is sent again while what is said stays the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.errors import BadInput
from demo.run_records import RunState
from demo.training.recorded import RecordedRun
from demo.ui.curve import curve
from demo.ui.language import Texts
from demo.ui.memory import recalled
from demo.ui.shell import AT_ONCE, QUIET, Shell, wire
from demo.ui.tabs.data_step import settings_of
from demo.ui.tuning import lapse
from demo.ui.views import LIVE, joined, notice

MANY = 5
"""Runs before one's own; from one more on a taste is offered, and the recorded run plays by itself."""


@dataclass(frozen=True)
class Taste:
    """The place's components."""

    place: Any
    said: Any
    go: Any
    watch: Any
    back: Any
    recorded: Any
    story: Any
    lapse: Any

    def outputs(self) -> list[Any]:
        """What a look at the followed run may change."""
        return [*vars(self).values()]


def lay_out(shell: Shell) -> Taste:
    """All hidden until a run waits."""
    labels, small = shell.labels, {"scale": 0, "min_width": 200}
    with gr.Column(visible=False, elem_id="taste", elem_classes="waits") as place:
        said = gr.HTML("")
        with gr.Row(elem_classes="actions start"):
            go = labels.add(gr.Button, "taste.go", visible=False, elem_id="have-taste", **small)
            watch = labels.add(gr.Button, "taste.watch", elem_id="watch", **small)
            back = labels.add(gr.Button, "taste.back", visible=False, elem_id="back", **small)
        with gr.Column(visible=False, elem_id="recorded") as recorded:
            story = gr.HTML("", elem_id="recorded-story")
            played = lapse.picture("recorded-lapse")
    return Taste(place, said, go, watch, back, recorded, story, played)


def wire_up(
    shell: Shell, parts: Taste, asked: dict[str, Any], outputs: list[Any]
) -> tuple[Any, Any]:
    """Connect the buttons; returns the events after which to look at the runs again.

    Args:
        shell: of the page.
        parts: the place.
        asked: what a run is started with.
        outputs: the memory, and where a refusal is told.
    """
    page = {"memory": shell.memory, "language": shell.language}
    shown = [parts.recorded, parts.watch, parts.story, parts.lapse]
    wire([parts.watch.click], shell.bind(watch), {"language": shell.language}, shown, **QUIET)
    begun = wire([parts.go.click], shell.bind(start), asked, outputs, **QUIET)
    followed = wire([parts.back.click], shell.bind(back), page, shell.memory, **AT_ONCE)
    return begun, followed


def start(shell: Shell, **given: Any) -> tuple[Any, Any]:
    """Queue a taste of what the form says, and follow it."""
    language = given["language"]
    try:
        if not given["dataset"]:
            raise BadInput("empty_text", field="dataset")
        settings, name = settings_of(given), str(given["name"] or "").strip()
        kept, workspace = shell.workspace(given["memory"])
        word = shell.texts.say(language, "taste.word")
        run = shell.lab.start_taste(workspace, given["dataset"], name, settings, word)
        return kept | {"run": run}, ""
    except Exception as error:
        return gr.skip(), notice(shell.explain(language, error))


def back(shell: Shell, memory: Any, language: str) -> Any:
    """Follow the full run again."""
    kept = recalled(memory)
    with shell.told(language):
        runs = shell.runs(memory) or []
        own = next((run for run in runs if run.id == kept["run"]), None)
        full = full_of(own, runs) if own else None
        return kept | {"run": full.id} if full else gr.skip()


def watch(shell: Shell, language: str) -> list[Any]:
    """Open the recorded run, because the visitor wants to see it."""
    story, played = _played(shell, language)
    return [gr.update(visible=True), gr.update(visible=False), story, played]


def shown(
    shell: Shell,
    parts: Taste,
    run: RunState | None,
    runs: Sequence[RunState],
    language: str,
    said: str,
) -> dict[Any, Any]:
    """What changes of the place; nothing while it would say the same as it does.

    Args:
        shell: of the page.
        parts: the place.
        run: that the page follows.
        runs: all of the visitor's, newest first.
        language: of the page.
        said: what stands there now.
    """
    full = full_of(run, runs) if run and run.taste else None
    kind = _kind(shell, run, full)
    name = full.name if full else ""
    text = shell.texts.say(language, f"taste.{kind}", name=name) if kind else ""
    text = str(notice(text, "quiet"))
    if text == said:
        return {}
    changed = {parts.place: gr.update(visible=bool(kind)), parts.said: text}
    changed[parts.go] = gr.update(visible=kind in ("crowded", "ask"))
    changed[parts.back] = gr.update(visible=full is not None)
    return changed | _recorded(shell, parts, kind, language, said)


def _recorded(shell: Shell, parts: Taste, kind: str, language: str, said: str) -> dict[Any, Any]:
    """The recorded run: open where many wait; else as the visitor left it, or closed."""
    if kind not in ("crowded", "waits") or shell.lab.recorded_run() is None:
        closed = dict(lapse.EMPTY)
        hidden = gr.update(visible=False)
        return {parts.recorded: hidden, parts.watch: hidden, parts.story: "", parts.lapse: closed}
    story, played = _played(shell, language)
    changed = {parts.story: story, parts.lapse: played}
    if kind == "crowded" or not said:
        changed[parts.recorded] = gr.update(visible=kind == "crowded")
        changed[parts.watch] = gr.update(visible=kind != "crowded")
    return changed


def _kind(shell: Shell, run: RunState | None, full: RunState | None) -> str:
    """What there is to say; empty where nothing is."""
    if run is not None and run.taste:
        stands = {"queued": "full_waits", "running": "full_runs"}
        return stands.get(full.status, "full_ended") if full else ""
    if run is not None and run.status == "queued":
        return "crowded" if run.waiting > MANY and shell.lab.is_crowded() else "waits"
    live = run is not None and run.status in LIVE
    return "ask" if not live and shell.lab.is_crowded() else ""


def full_of(own: RunState, runs: Sequence[RunState]) -> RunState | None:
    """The full run beside a taste: the one that waits or runs, else the newest on the same rows."""
    full = [run for run in runs if not run.taste and not run.sweep]
    live = next((run for run in full if run.status in LIVE), None)
    return live or next((run for run in full if run.dataset_id == own.dataset_id), None)


def _played(shell: Shell, language: str) -> tuple[Any, Any]:
    """The recorded run's story and its time-lapse."""
    recorded = shell.lab.recorded_run()
    if recorded is None:
        return "", dict(lapse.EMPTY)
    key = f"recorded {recorded.recorded}"
    played = lapse.played(shell.texts, language, key, recorded.time_lapse)
    return _story(shell, language, recorded), played | {"curve": "#recorded-story", "plays": True}


def _story(shell: Shell, language: str, recorded: RecordedRun) -> Markup:
    """Whose run it is, when and where it was made, and its curve."""
    texts, values = shell.texts, vars(recorded)
    title = shell.lab.dataset("", recorded.dataset).titles[language]
    seconds = texts.number(language, round(recorded.cpu_seconds))
    head = Markup('<p class="verdict">{}</p>').format(
        texts.say(language, "taste.recorded", **values)
    )
    facts = {**values, "dataset": title, "seconds": seconds}
    about = Markup('<p class="facts">{}</p>').format(texts.say(language, "taste.about", **facts))
    drawn = curve(texts, language, recorded.events, recorded.steps)
    source = Markup('<details><summary>{}</summary><p class="hint">{} {}</p></details>').format(
        texts.say(language, "taste.rows_from"), recorded.source, recorded.licence
    )
    return joined([head, about, drawn, source])


def spent(texts: Texts, language: str, run: RunState) -> Markup:
    """That a run ended at its budget, where it did."""
    seconds = texts.number(language, run.spent)
    said = texts.say(language, "taste.spent", seconds=seconds) if run.spent else ""
    return notice(said, "quiet")
