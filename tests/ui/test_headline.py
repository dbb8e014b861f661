"""The line above all tabs: whose turn it is to be told of, and whether the page looks again."""

from dataclasses import replace
from typing import Any

from demo.run_records import RunState
from demo.training.sweep_result import sweeps_in
from demo.ui.headline import END_TOLD, headline
from demo.ui.language import Texts

TEXTS = Texts.load()
MINE = RunState("mine", "Mine", "rows.csv", "running", 1, 4)
SWEPT = [
    RunState(f"s{n}", f"E2E · rank {n}", "rows.csv", "queued", sweep="s", varied="rank")
    for n in (2, 4)
]
TASTE = RunState("taste", "Mine · taste", "rows.csv", "finished", taste=True)


def look(run: RunState | None, others: list[RunState], before: Any = None) -> dict[str, Any]:
    runs = [*others, *([run] if run else [])]
    return headline(TEXTS, "en", run, runs, sweeps_in(runs), before or {})


def test_end_of_the_followed_run_is_told_before_the_sweeps_line_takes_its_place() -> None:
    told = look(MINE, SWEPT)
    assert "Mine" in told["html"]
    ended = replace(MINE, status="finished", has_adapter=True)
    for _ in range(END_TOLD):
        told = look(ended, SWEPT, told)
        assert "run finished" in told["html"]
        assert "Mine" in told["title"]
        assert told["live"]
    told = look(ended, SWEPT, told)
    assert "E2E" in told["html"]
    assert told["live"]


def test_run_that_ended_before_the_page_was_opened_gives_way_to_the_sweep_at_once() -> None:
    assert "E2E" in look(replace(MINE, status="finished"), SWEPT)["html"]
    assert "E2E" in look(None, SWEPT, {"follows": 3, "news": "many"})["html"]


def test_ended_runs_are_counted_so_that_the_next_look_knows_of_a_new_one() -> None:
    assert look(MINE, SWEPT)["ended"] == 0
    assert look(MINE, [replace(SWEPT[0], status="failed"), SWEPT[1]])["ended"] == 1


def test_page_looks_on_after_a_taste_until_the_full_run_has_ended() -> None:
    assert look(TASTE, [replace(MINE, status="queued")])["live"]
    assert look(TASTE, [MINE])["live"]
    assert not look(TASTE, [replace(MINE, status="finished")])["live"]
    assert not look(TASTE, [])["live"]
    assert not look(replace(MINE, status="finished"), [replace(MINE, id="other")])["live"]
