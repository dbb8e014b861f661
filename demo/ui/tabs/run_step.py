"""Steps 3 and 4 of Fine-tune: start a run, follow its folder, stop it, and use what it made.

Knows no layout beyond the parts it is given; the page polls `follow` while a run is under way.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.errors import BadInput
from demo.records import BASE
from demo.run_records import RunState
from demo.training.overfitting import overfitting
from demo.ui.curve import curve, losses
from demo.ui.memory import recalled
from demo.ui.shell import Shell
from demo.ui.tabs.compare import Compare
from demo.ui.tabs.data_step import settings_of
from demo.ui.tabs.finetune import FineTune
from demo.ui.tabs.playground import Playground
from demo.ui.tuning import costs, lapse, taste
from demo.ui.views import LIVE, joined, notice, run_line


def start(shell: Shell, **given: Any) -> tuple[Any, Any]:
    """Queue a run and remember it; the workspace is made with the first run."""
    language = given["language"]
    try:
        if not given["dataset"]:
            raise BadInput("empty_text", field="dataset")
        settings = settings_of(given)
        kept, workspace = shell.workspace(given["memory"])
        name = str(given["name"] or "").strip() or _default_name(shell, workspace, given["dataset"])
        parent = str(given.get("parent") or "")
        run = shell.lab.start_run(workspace, given["dataset"], name, settings, parent)
        return kept | {"run": run}, ""
    except Exception as error:
        return gr.skip(), notice(shell.explain(language, error))


def _default_name(shell: Shell, workspace: str, dataset: str) -> str:
    title = shell.lab.dataset(workspace, dataset).name.rsplit(".", 1)[0]
    taken = sum(
        run.name.split(" #")[0] == title for run in shell.runs({"workspace": workspace}) or []
    )
    return f"{title[:50]} #{taken + 1}" if taken else title[:50]


def follow(
    shell: Shell,
    parts: FineTune,
    run: RunState | None,
    runs: Sequence[RunState],
    language: str,
    waits: str = "",
) -> dict[Any, Any]:
    """Everything that shows the followed run as it stands now.

    Args:
        shell: of the page.
        parts: of the tab.
        run: that is followed.
        runs: all of the visitor's, newest first.
        language: of the page.
        waits: what is said to whoever waits, as it stands on the page.
    """
    live = run is not None and run.status in LIVE
    usable = run is not None and run.has_adapter and not live
    steer = parts.control
    resumable = run is not None and run.resumable and not live
    return {
        steer.progress: progress(shell, language, run),
        steer.lapse: lapse.value(shell.texts, language, run),
        parts.summary: summary(shell, language, run),
        steer.stop: gr.update(visible=live, interactive=not (live and run.stopping)),
        steer.discard: gr.update(visible=live),
        steer.resume: gr.update(visible=resumable),
        steer.train: gr.update(visible=not live, **_train_text(shell, language, run)),
        parts.result: gr.update(visible=usable),
        **taste.shown(shell, steer.taste, run, runs, language, waits),
    }


def _train_text(shell: Shell, language: str, run: RunState | None) -> dict[str, str]:
    key = "finetune.train" if run is None else "finetune.train_again"
    return dict(shell.texts.node(language, f"components.{key}"))


def progress(shell: Shell, language: str, run: RunState | None) -> Markup:
    """The live curve, the step, what is left, or the place in the queue."""
    if run is None:
        return notice(shell.texts.say(language, "train_empty"), "quiet")
    said = run_line(shell.texts, language, run)
    step = shell.texts.say(language, "step_of", step=run.step, steps=run.steps) if run.steps else ""
    speed = next((e.tokens_per_second for e in reversed(run.events) if e.tokens_per_second), None)
    pace = shell.texts.say(language, "pace", speed=round(speed)) if speed else ""
    line = " · ".join(part for part in (said, step, pace) if part)
    error = notice(shell.explain(language, run.error)) if run.error else Markup("")
    head = Markup('<p class="facts" role="status">{}</p>').format(line)
    drawn = curve(shell.texts, language, run.events, run.steps)
    return joined([head, error, _overfitting(shell, language, run), drawn])


def _overfitting(shell: Shell, language: str, run: RunState) -> Markup:
    """That the run learns its rows by heart, and what to do, where it does."""
    found = overfitting(run.events)
    if found is None:
        return Markup("")
    now, best = (shell.texts.number(language, round(v, 2)) for v in (found.loss, found.best_loss))
    values = {"best": best, "now": now, "step": found.step}
    if not found.best_step:
        return notice(shell.texts.say(language, "tuning.overfitting_base", **values), "warn")
    values["best_step"] = found.best_step
    return notice(shell.texts.say(language, "tuning.overfitting", **values), "warn")


def summary(shell: Shell, language: str, run: RunState | None) -> Markup:
    """Eval loss of base and adapter; before there is one, what will stand here."""
    if run is None or run.status in LIVE:
        return notice(shell.texts.say(language, "result_empty"), "quiet")
    if not run.has_adapter and not run.scores:
        return notice(shell.texts.say(language, "result_none"), "quiet")
    said = [Markup('<p class="verdict">{}</p>').format(_verdict(shell, language, run))]
    if not run.has_adapter:
        said.append(notice(shell.texts.say(language, "tuning.not_kept"), "quiet"))
        said.append(lapse.last_words(shell.texts, language, run))
    ended = taste.spent(shell.texts, language, run)
    return joined([*said, ended, costs.truth(shell.texts, language, run)])


def _verdict(shell: Shell, language: str, run: RunState) -> str:
    _, held_out = losses(run.events)
    if len(held_out) < 2:
        return shell.texts.say(language, "result_plain", name=run.name)
    values = {"first": round(held_out[0][1], 2), "last": round(held_out[-1][1], 2)}
    return shell.texts.say(language, "result", name=run.name, **values, step=held_out[-1][0])


def stop(shell: Shell, memory: Any, language: str) -> Any:
    """Ask the worker to stop after its step; what was learned is kept."""
    kept = recalled(memory)
    with shell.told(language):
        shell.lab.stop_run(kept["workspace"], kept["run"])
    return gr.update(interactive=False)


def reopen(run: str | None, memory: Any) -> Any:
    """Follow another run of the workspace."""
    return recalled(memory) | {"run": run or ""}


def delete(shell: Shell, run: str | None, memory: Any, language: str) -> Any:
    """Delete a run with its adapter."""
    kept = recalled(memory)
    with shell.told(language):
        if run:
            shell.lab.delete_run(kept["workspace"], run)
    return kept | {"run": ""} if kept["run"] == run else kept


def download(shell: Shell, memory: Any, language: str, run: str | None = None) -> Any:
    """A zip of a run's adapter, of the followed one where none is named."""
    kept = recalled(memory)
    with shell.told(language):
        return gr.update(value=str(shell.lab.download(kept["workspace"], run or kept["run"])))


def notebook(shell: Shell, memory: Any, language: str, run: str | None = None) -> Any:
    """A notebook that repeats a run outside the lab, of the followed one where none is named."""
    kept = recalled(memory)
    with shell.told(language):
        return gr.update(value=str(shell.lab.notebook(kept["workspace"], run or kept["run"])))


def example_question(shell: Shell, memory: Any) -> str:
    """A prompt that the run has not learned, so that one click shows what it generalizes to."""
    kept = recalled(memory)
    return shell.lab.held_out_prompt(kept["workspace"], kept["run"])


def ask_it(shell: Shell, tabs: Any, page: Playground, memory: Any, language: str) -> dict[Any, Any]:
    """Open the Playground with the new adapter chosen and a question of its kind typed."""
    with shell.told(language):
        choices = shell.adapter_choices(memory, language)
        return {
            tabs: gr.update(selected="playground"),
            page.speaks: gr.update(choices=choices, value=recalled(memory)["run"]),
            page.message: gr.update(value=example_question(shell, memory)),
        }


def compare_it(
    shell: Shell, tabs: Any, page: Compare, memory: Any, language: str
) -> dict[Any, Any]:
    """Open Compare with the new adapter chosen and a question of its kind typed."""
    with shell.told(language):
        choices = [c for c in shell.adapter_choices(memory, language) if c[1] != BASE]
        return {
            tabs: gr.update(selected="compare"),
            page.adapters: gr.update(choices=choices, value=[recalled(memory)["run"]]),
            page.question: gr.update(value=example_question(shell, memory)),
        }
