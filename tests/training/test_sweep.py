"""From one setting and several values to runs that share a budget of time."""

from dataclasses import replace
from typing import Any

import pytest

from demo.errors import BadInput
from demo.records import Message
from demo.run_records import DatasetInfo, Row, RunPlan, TrainSettings
from demo.sweep_records import SweepRequest
from demo.training.ordering import Wanted
from demo.training.plan import START_SECONDS
from demo.training.schedule import total_steps
from demo.training.sweep import runs_of

INFO = DatasetInfo("d", "rows.csv", "0" * 64, "messages", (), "", "", 200, ())
ROWS = [
    Row(n, (Message("user", f"Say {n}"), Message("assistant", f"Number {n}."))) for n in range(200)
]
SECONDS_A_STEP = {"lora": 1.0, "rslora": 1.0, "full": 2.0, "ia3": 0.5}


def plan(settings: TrainSettings) -> RunPlan:
    """A machine on which a step takes a second, by LoRA."""
    learned = settings.rows or 180
    steps = total_steps(learned, settings)
    seconds = START_SECONDS + steps * SECONDS_A_STEP[settings.method]
    held_out = round(200 * settings.eval_share)
    return RunPlan(learned, held_out, 0, steps, 0, 0, seconds, 0, 0, 0)


def sweep(setting: str, *values: Any, seconds: int = 60, **settings: Any) -> list[Wanted]:
    asked = SweepRequest("d", "E2E", TrainSettings(**settings), setting, values, seconds)
    return runs_of(asked, Wanted("E2E", INFO, ROWS, asked.settings), plan)


def steps_of(runs: list[Wanted]) -> list[int]:
    return [run.settings.max_steps for run in runs]


def test_ranks_take_the_same_steps_within_the_budget_and_alpha_follows() -> None:
    runs = sweep("rank", "32", "2", "8")
    assert [run.settings.rank for run in runs] == [2, 8, 32]
    assert [run.settings.alpha for run in runs] == [4, 16, 64]
    assert steps_of(runs) == [20, 20, 20]
    assert [run.name for run in runs] == ["E2E · rank 2", "E2E · rank 8", "E2E · rank 32"]
    assert len({run.sweep for run in runs}) == 1


def test_alpha_follows_the_square_root_of_the_rank_where_the_method_scales_by_it() -> None:
    runs = sweep("rank", "2", "8", "32", method="rslora")
    assert [run.settings.alpha for run in runs] == [8, 16, 32]


@pytest.mark.parametrize(
    ("alpha", "value", "expected"),
    [
        (1, 2, "The value 2 cannot be part of this sweep: alpha must be between"),
        (1024, 16, "The value 16 cannot be part of this sweep: alpha must be between"),
        (1, 12, "The value 12 cannot be part of this sweep: alpha must be a whole number; got 1.5"),
    ],
)
def test_a_rank_that_no_alpha_scales_alike_is_refused(
    alpha: int, value: int, expected: str
) -> None:
    with pytest.raises(BadInput, match=expected):
        sweep("rank", value, 8, alpha=alpha)


def test_full_tuning_stands_behind_the_highest_rank_with_as_many_steps_and_its_own_rate() -> None:
    runs = sweep("rank", "full", "8")
    assert [run.settings.method for run in runs] == ["lora", "full"]
    assert steps_of(runs) == [20, 20]
    assert runs[1].settings.learning_rate == 1e-4


def test_methods_share_the_seconds_and_take_their_own_good_settings() -> None:
    runs = sweep("method", "lora", "full", "ia3")
    assert steps_of(runs) == [20, 10, 40]
    assert [run.settings.learning_rate for run in runs][1:] == [1e-4, 5e-2]


def test_few_rows_are_read_more_often_so_that_all_runs_take_the_same_steps() -> None:
    runs = sweep("rows", 16, 160)
    assert steps_of(runs) == [30, 30]
    assert [run.settings.epochs for run in runs] == [15, 2]


def test_steps_that_were_asked_for_are_not_exceeded() -> None:
    assert steps_of(sweep("learning_rate", 1e-3, 1e-4, max_steps=2)) == [2, 2]


def test_no_run_learns_its_rows_by_heart_only_because_there_is_time() -> None:
    assert steps_of(sweep("rank", 2, 4, seconds=600)) == [184, 184]


@pytest.mark.parametrize(
    ("setting", "values", "settings", "expected"),
    [
        ("rank", (4,), {}, "2 to 5 different values; got 1"),
        ("rank", (4, "4.0"), {}, "2 to 5 different values; got 1"),
        ("rank", (4, 65), {}, "The value 65 cannot be part of this sweep: rank must be between"),
        ("rank", (4, "x"), {}, "The value x cannot be part of this sweep: rank must be a number"),
        ("rank", (4, 8), {"method": "ia3"}, "has no rank"),
        ("method", ("lora", "head"), {}, "learns labels and not words"),
        ("method", ("lora", "magic"), {}, "method must be one of"),
        ("rows", (4, 181), {}, "Only 180 rows can be learned, not 181"),
        ("rows", (0, 8), {}, "The value 0 cannot be part of this sweep"),
        ("rank", (4, 8), {"eval_share": 0.0}, "No rows are held out"),
        ("epochs", (1, 2), {}, "setting must be one of"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_with_its_place(
    setting: str, values: tuple[Any, ...], settings: dict[str, Any], expected: str
) -> None:
    with pytest.raises(BadInput, match=expected):
        sweep(setting, *values, **settings)


def test_too_little_time_is_refused_with_the_time_that_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(SECONDS_A_STEP, "lora", 15.0)
    with pytest.raises(BadInput, match="20 s are too short for these runs: they need 30 s"):
        sweep("rank", 4, 8, seconds=20)


def test_time_that_no_sweep_may_take_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SECONDS_A_STEP, "lora", 301.0)
    with pytest.raises(BadInput, match="need 602 s at least, and 600 s is the most"):
        sweep("rank", 4, 8, seconds=20)


@pytest.mark.parametrize("seconds", [19, 601, "soon"])
def test_a_budget_out_of_range_is_refused(seconds: Any) -> None:
    request = SweepRequest("d", "E2E", TrainSettings(), "rank", (4, 8))
    with pytest.raises(BadInput, match="seconds must be"):
        replace(request, seconds=seconds)
