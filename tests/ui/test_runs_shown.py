"""A run as the page shows it: its curve, its time-lapse, its place on the shelf."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from demo.errors import NotFound
from demo.run_records import (
    Cost,
    Probe,
    ProbeAnswers,
    RunEvent,
    RunState,
    TimeLapse,
    TrainSettings,
)
from demo.ui.curve import curve, evaluated
from demo.ui.language import LANGUAGES, Labels, Texts
from demo.ui.shell import Shell
from demo.ui.tabs import run_step
from demo.ui.tuning import control, lapse, shelf
from demo.ui.tuning.overlay import differences, overlay
from demo.ui.tuning.shelf_view import table
from demo.ui.views import run_line

TEXTS = Texts.load()
HOSTILE = "<img src=x onerror=alert(1)> ${alert(1)} {{value}}"
EVENTS = (
    RunEvent(0, 0.0, eval_loss=3.0),
    RunEvent(1, 1.0, 2.5, 2.0, 5e-4),
    RunEvent(2, 2.0, 1.8, 1.5, 1e-3),
    RunEvent(3, 3.0, 1.0, 1.6, 5e-4),
    RunEvent(4, 4.0, 0.5, 1.7, 2e-4),
)
KEPT = RunEvent(4, 4.0, eval_loss=1.5)
RUN = RunState(
    "run1", HOSTILE, "rows.csv", "finished", 4, 4,
    events=(*EVENTS, KEPT), has_adapter=True, dataset_id="d",
    scores={"eval_loss": {"base": 3.0, "adapted": 1.5, "n": 20}},
    planned=Cost(seconds=5.0), taken=Cost(seconds=4.0),
    time_lapse=TimeLapse((Probe("Q?", "A"),), (ProbeAnswers(0, ("",)), ProbeAnswers(4, ("A",)))),
)  # fmt: skip


class Runs:
    """As much of the lab as the shelf asks for."""

    def __init__(self, *runs: RunState) -> None:
        self.kept = {run.id: run for run in runs}
        self.done: list[tuple[str, ...]] = []

    def runs_of(self, _workspace: str) -> list[RunState]:
        return list(self.kept.values())

    def run(self, _workspace: str, run: str) -> RunState:
        if run not in self.kept:
            raise NotFound("not_found")
        return self.kept[run]

    def samples(self) -> list[Any]:
        return [SimpleNamespace(id="d", name="rows.csv", titles={})]

    def own_datasets(self, _workspace: str) -> list[Any]:
        return []

    def __getattr__(self, name: str) -> Any:
        return lambda *given: self.done.append((name, *given))


def shell(*runs: RunState) -> Any:
    lab: Any = Runs(*runs)
    with gr.Blocks():
        return Shell(lab, TEXTS, Labels(TEXTS), gr.BrowserState({}), gr.Radio(["en"]))


MEMORY = {"workspace": "w", "run": "run1"}


def test_curve_marks_the_best_step_and_draws_the_rate_under_it() -> None:
    html = str(curve(TEXTS, "en", RUN.events, 4))
    assert "best at step 2" in html
    assert "learning rate 0.0002, at most 0.001" in html
    assert 'class="scrub"' in html


def test_loss_of_the_kept_weights_is_no_point_of_the_curve() -> None:
    assert evaluated(RUN.events)[-1] == (4, 1.7)
    assert evaluated([RunEvent(0, 0.0, eval_loss=3.0), RunEvent(9, 9.0, eval_loss=1.0)])[-1][0] == 9


@pytest.mark.parametrize("language", LANGUAGES)
def test_overfitting_is_said_in_words(language: str) -> None:
    html = str(run_step.progress(shell(RUN), language, RUN))
    assert "notice warn" in html
    worse = tuple(replace(e, eval_loss=0.5) if not e.step else e for e in EVENTS)
    assert "notice warn" in str(run_step.progress(shell(RUN), language, replace(RUN, events=worse)))
    assert "<img" not in html


def test_summary_sets_the_estimate_beside_the_truth() -> None:
    html = str(run_step.summary(shell(RUN), "en", RUN))
    assert "eval loss 3.00 → 1.50" in html
    assert "foretold 5 s, measured 4 s" in html


def test_run_that_kept_no_weights_says_why_and_shows_its_scores() -> None:
    words = TimeLapse((Probe(HOSTILE, "A"),), (ProbeAnswers(4, (HOSTILE,)),))
    gone = replace(RUN, has_adapter=False, last_words=words)
    html = str(run_step.summary(shell(), "en", gone))
    assert "What it answered" in html
    assert "<img" not in html
    assert "eval loss 3.00 → 1.50" in html
    assert "too large to keep" in html


def test_time_lapse_carries_plain_values_and_nothing_before_the_first_answers() -> None:
    value = lapse.value(TEXTS, "hu", RUN)
    assert [shot["step"] for shot in value["answers"]] == [0, 4]
    assert set(value["words"]) == set(lapse.WORDS)
    assert lapse.value(TEXTS, "hu", replace(RUN, time_lapse=TimeLapse())) == lapse.EMPTY
    assert "${" not in lapse.TEMPLATE


def test_waiting_run_says_when_it_begins() -> None:
    waiting = RunState("q", "n", "d", "queued", waiting=2, eta_seconds=180.0)
    assert "runs before it: 2, it begins in about 3 min" in run_line(TEXTS, "en", waiting)


@pytest.mark.parametrize("language", LANGUAGES)
def test_shelf_lists_every_run_and_escapes_its_name(language: str) -> None:
    html = str(table(TEXTS, language, [RUN, replace(RUN, status="failed", scores={})]))
    assert html.count("<tr><th") == 3
    assert "<img" not in html
    assert "LoRA" in html


def test_overlay_draws_a_line_for_each_run_and_names_what_differs() -> None:
    other = replace(RUN, id="run2", settings=TrainSettings(rank=16, method="dora"))
    html = str(overlay(TEXTS, "en", [RUN, other]))
    assert html.count('class="over over-') == 2
    assert "<img" not in html
    told = str(differences(TEXTS, "en", [RUN, other]))
    assert "<td>LoRA</td><td>DoRA</td>" in told
    assert "<td>8</td><td>16</td>" in told
    assert "learning rate" not in told
    assert "same settings" in str(differences(TEXTS, "en", [RUN, RUN]))


def test_cloned_run_fills_the_form_and_a_continued_one_begins_with_its_weights() -> None:
    run = replace(RUN, settings=TrainSettings(method="prefix", virtual_tokens=9, seed=4))
    dataset, dial, *form, parent = shelf.clone(shell(run), "run1", MEMORY, "en")
    assert dataset["value"] == "d"
    assert dial is None
    assert [update["value"] for update in form][:1] == ["prefix"]
    assert {4, 9} <= {update["value"] for update in form}
    assert parent["value"] == ""
    parent = shelf.continued(shell(run), "run1", MEMORY, "en")[-1]
    assert (parent["value"], parent["visible"]) == ("run1", True)
    switched = shelf.relabelled(shell(run), "run1", MEMORY, "hu")
    assert switched["choices"] == [("alapmodell", ""), (run.name, "run1")]
    assert switched["value"] == "run1"
    assert shelf.relabelled(shell(run), "", MEMORY, "pl")["choices"] == [("model bazowy", "")]


def test_handler_of_no_chosen_run_says_so() -> None:
    with pytest.raises(gr.Error, match="run is empty"):
        shelf.clone(shell(), None, MEMORY, "en")


def test_discarded_run_is_deleted_and_forgotten_and_a_resumable_one_goes_on() -> None:
    page = shell(RUN)
    assert control.throw_away(page, MEMORY, "en")["run"] == ""
    control.go_on(page, MEMORY, "en")
    shelf.rename(page, "run1", "new", MEMORY, "en")
    assert page.lab.done == [
        ("delete_run", "w", "run1"),
        ("resume_run", "w", "run1"),
        ("rename_run", "w", "run1", "new"),
    ]


def test_script_of_the_time_lapse_writes_text_only() -> None:
    script = (Path(lapse.__file__).parents[1] / "assets" / "lapse.js").read_text()
    assert "innerHTML" not in script
    assert "insertAdjacentHTML" not in script
