"""What a visitor sees who waits: a taste where many do, a recorded run, and the way back to the full run."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from demo.run_records import RunState
from demo.settings import ROOT
from demo.training.recorded import load_recorded
from demo.ui.language import LANGUAGES, Labels, Texts
from demo.ui.shell import Shell
from demo.ui.tuning import taste

TEXTS = Texts.load()
RECORDED = load_recorded(ROOT / "demo" / "samples" / "restaurants" / "lapse.json")
WAITS = RunState("run1", "Mine", "rows.csv", "queued", waiting=6)
MEMORY = {"workspace": "w", "run": "run1"}


class Queue:
    """As much of the lab as the place asks for."""

    def __init__(self, crowded: bool, *runs: RunState) -> None:
        self.crowded = crowded
        self.runs = list(runs)
        self.recorded: Any = RECORDED

    def is_crowded(self) -> bool:
        return self.crowded

    def runs_of(self, _workspace: str) -> list[RunState]:
        return self.runs

    def recorded_run(self) -> Any:
        return self.recorded

    def dataset(self, _workspace: str, _dataset: str) -> Any:
        return SimpleNamespace(titles={"en": "Restaurants", "hu": "Éttermek", "pl": "Restauracje"})

    def has_workspace(self, _workspace: str) -> bool:
        return True


def place(queue: Any) -> tuple[Shell, taste.Taste]:
    with gr.Blocks():
        shell = Shell(queue, TEXTS, Labels(TEXTS), gr.BrowserState(), gr.Radio())
        return shell, taste.lay_out(shell)


def look(queue: Any, run: RunState | None, said: str = "", language: str = "en") -> dict[str, Any]:
    """What changes, by the component's name."""
    shell, parts = place(queue)
    changed = taste.shown(shell, parts, run, queue.runs, language, said)
    return {name: changed[part] for name, part in vars(parts).items() if part in changed}


def test_nothing_is_there_before_anybody_waits() -> None:
    assert look(Queue(False), None) == {}
    assert look(Queue(True), replace(WAITS, status="running")) == {}


def test_behind_more_than_five_a_taste_is_offered_and_the_recorded_run_plays() -> None:
    seen = look(Queue(True), WAITS)
    assert "More than five runs stand before yours" in seen["said"]
    assert [seen[name]["visible"] for name in ("place", "go", "recorded")] == [True] * 3
    assert not seen["watch"]["visible"]
    assert seen["lapse"]["plays"]
    assert len(seen["lapse"]["answers"]) == len(RECORDED.time_lapse.answers)
    assert "not your run" in seen["story"]
    assert RECORDED.recorded in seen["story"]
    assert RECORDED.machine in seen["story"]
    assert "CC BY-SA 4.0" in seen["story"]


def test_behind_fewer_the_recorded_run_is_the_visitors_choice() -> None:
    queue = Queue(False)
    seen = look(queue, replace(WAITS, waiting=2))
    assert not seen["go"]["visible"]
    assert not seen["recorded"]["visible"]
    assert seen["watch"]["visible"]
    shell, _ = place(queue)
    opened, button, story, played = taste.watch(shell, "en")
    assert (opened["visible"], button["visible"]) == (True, False)
    assert (len(played["probes"]), "<svg" in story) == (3, True)


def test_what_was_said_is_not_sent_again_and_what_was_opened_stays_open() -> None:
    queue = Queue(True)
    said = look(queue, WAITS)["said"]
    assert look(queue, replace(WAITS, waiting=7), said) == {}
    fewer = look(queue, replace(WAITS, waiting=5), said)
    assert not fewer["go"]["visible"]
    assert "recorded" not in fewer
    gone = look(queue, replace(WAITS, status="running"), said)
    assert (gone["place"]["visible"], gone["recorded"]["visible"]) == (False, False)
    assert gone["said"] == ""


def test_who_is_about_to_train_is_offered_a_taste_where_many_wait() -> None:
    seen = look(Queue(True), None)
    assert "“Train now” joins the line" in seen["said"]
    assert seen["go"]["visible"]
    assert not seen["recorded"]["visible"]


OWN = RunState("run2", "Mine · taste", "rows.csv", "finished", taste=True)
SWEPT = RunState("run3", "E2E · rank 2", "rows.csv", "queued", sweep="s")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("queued", "keeps its place in line"),
        ("running", "“Mine” is under way"),
        ("finished", "“Mine” has ended"),
        ("failed", "“Mine” has ended"),
    ],
)
def test_from_a_taste_there_is_a_way_back_to_the_full_run(status: Any, said: str) -> None:
    queue = Queue(True, SWEPT, OWN, replace(WAITS, status=status))
    seen = look(queue, OWN)
    assert seen["back"]["visible"]
    assert said in seen["said"]
    shell, _ = place(queue)
    assert taste.back(shell, MEMORY | {"run": "run2"}, "en")["run"] == "run1"


def test_a_run_of_a_sweep_or_on_other_rows_is_not_the_full_run_of_a_taste() -> None:
    other = replace(WAITS, id="run4", status="finished", dataset_id="other rows")
    assert look(Queue(True, SWEPT, OWN, other), OWN) == {}
    shell, _ = place(Queue(True, SWEPT, OWN))
    assert taste.back(shell, MEMORY | {"run": "run2"}, "en") == gr.skip()
    live = replace(other, status="running")
    assert taste.full_of(OWN, [SWEPT, replace(WAITS, status="stopped"), live]) == live


@pytest.mark.parametrize("language", LANGUAGES)
def test_place_speaks_every_language(language: str) -> None:
    seen = look(Queue(True), WAITS, language=language)
    assert "{" not in seen["said"] + seen["story"]
    assert seen["lapse"]["words"]["play"] == TEXTS.say(language, "tuning.lapse.play")


def test_lab_without_a_recorded_run_offers_none() -> None:
    queue = Queue(True)
    queue.recorded = None
    seen = look(queue, WAITS)
    assert (seen["go"]["visible"], seen["watch"]["visible"]) == (True, False)
    assert not seen["recorded"]["visible"]


def test_run_that_ended_at_its_budget_says_so() -> None:
    ended = replace(WAITS, status="finished", spent=40.0)
    assert "at its budget of 40 CPU seconds" in taste.spent(TEXTS, "en", ended)
    assert taste.spent(TEXTS, "en", WAITS) == ""


def test_recorded_run_is_of_a_shipped_sample_and_tells_its_licence() -> None:
    folder = RECORDED.dataset.removeprefix("sample:")
    card = Path(ROOT / "demo" / "samples" / folder / "sample.yaml").read_text(encoding="utf-8")
    assert RECORDED.licence in card
    assert RECORDED.steps == RECORDED.events[-1].step
    assert {len(a.answers) for a in RECORDED.time_lapse.answers} == {3}
