from pathlib import Path
from typing import Any

import pytest

from demo.engine.model.catalogue import ModelSpec
from demo.errors import BadInput
from demo.run_records import TrainSettings
from demo.text.tokenizer import LabTokenizer
from demo.training.loop import train_run
from demo.training.plan import START_SECONDS, Planner
from demo.training.schedule import evaluation_interval, learning_rate
from demo.training.speeds import Speeds
from demo.workspace import read_json


@pytest.fixture
def planner(tiny: ModelSpec, tokenizer: LabTokenizer, tmp_path: Path) -> Planner:
    return Planner(tokenizer, tiny, Speeds(tmp_path / "speed.json"))


def test_plan_equals_what_the_run_then_does(
    planner: Planner, order_run: Any, make_rows: Any
) -> None:
    settings = TrainSettings(rank=2, alpha=4, batch_size=2, epochs=2, eval_share=0.0)
    plan = planner.plan(make_rows(7), "rows.csv", settings)
    folder = order_run(make_rows(7), epochs=2)
    train_run(str(folder.path))
    run = read_json(folder.adapter / "run.json")
    assert plan.steps == len(run["losses"])
    assert plan.rows == run["rows"]
    assert plan.trainable == run["trainable"]
    assert plan.adapter_bytes == (folder.adapter / "adapter_model.safetensors").stat().st_size


def test_plan_takes_longer_on_a_slower_machine(planner: Planner, make_rows: Any) -> None:
    before = planner.plan(make_rows(9), "rows.csv", TrainSettings())
    planner.speeds.learn(planner.spec.lineage, 0.5)
    after = planner.plan(make_rows(9), "rows.csv", TrainSettings())
    assert after.seconds > before.seconds
    assert after.tokens == before.tokens


def test_max_steps_bounds_steps_and_tokens(planner: Planner, make_rows: Any) -> None:
    whole = planner.plan(make_rows(40), "rows.csv", TrainSettings(eval_share=0.0))
    part = planner.plan(make_rows(40), "rows.csv", TrainSettings(eval_share=0.0, max_steps=1))
    assert part.steps == 1
    assert part.tokens < whole.tokens


@pytest.mark.parametrize(
    ("rows", "max_length", "expected_error"),
    [
        (0, 512, "rows.csv has 0 usable rows"),
        (1, 512, "rows.csv has 1 usable rows"),
        (5, 32, "All 5 rows are longer than 32 tokens"),
    ],
)
def test_run_that_cannot_learn_is_refused(
    planner: Planner, make_rows: Any, rows: int, max_length: int, expected_error: str
) -> None:
    with pytest.raises(BadInput, match=expected_error):
        planner.plan(make_rows(rows), "rows.csv", TrainSettings(max_length=max_length))


def test_unknown_method_is_refused_with_the_list(planner: Planner, make_rows: Any) -> None:
    with pytest.raises(BadInput, match="method must be one of lora"):
        planner.plan(make_rows(5), "rows.csv", TrainSettings(method="magic"))


def test_learning_rate_warms_up_then_falls_and_never_reaches_zero() -> None:
    rates = [learning_rate(step, 100, 1.0) for step in range(1, 101)]
    assert rates[4] == max(rates) == 1.0
    assert rates[:5] == sorted(rates[:5])
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] > 0
    assert learning_rate(1, 1, 1.0) == 1.0


def test_interim_evaluations_are_rarer_where_they_would_cost_much() -> None:
    assert evaluation_interval(100, train_tokens=100_000, eval_tokens=100) == 10
    assert evaluation_interval(100, train_tokens=10_000, eval_tokens=1_000) == 25
    assert evaluation_interval(4, train_tokens=100, eval_tokens=5_000) == 4


@pytest.mark.parametrize(
    ("steps", "rows", "held_out", "passes"),
    [(50, 1, 4, 50), (24, 63, 7, 3), (69, 180, 20, 3), (17, 8, 2, 17)],
    ids=["one row fifty times", "a small sample", "restaurants three times", "a handful of rows"],
)
def test_rows_that_are_read_again_and_again_are_evaluated_eight_times_or_more(
    steps: int, rows: int, held_out: int, passes: int
) -> None:
    interval = evaluation_interval(steps, 100 * rows * passes, 100 * held_out)
    assert steps // interval >= 8


def test_plan_sets_full_tuning_beside_the_method(planner: Planner, make_rows: Any) -> None:
    plan = planner.plan(make_rows(9), "rows.csv", TrainSettings(rank=2, alpha=4))
    assert plan.full.trainable == plan.parameters > plan.trainable
    assert plan.full.peak_bytes > plan.peak_bytes > 4 * plan.parameters
    assert plan.full.seconds > plan.seconds


def test_speed_of_one_method_is_a_hint_for_the_others(tmp_path: Path) -> None:
    speeds = Speeds(tmp_path / "speed.json")
    assert not speeds.measured("base")
    speeds.learn("base", 100.0, "lora")
    assert speeds.measured("base")
    assert speeds.of("base", 1, "lora") == 100.0
    assert speeds.of("base", 1, "full") < 100.0
    speeds.learn("base", 7.0, "full")
    assert speeds.of("base", 1, "full") == 7.0
    assert speeds.of("base", 1, "lora") == 100.0


@pytest.mark.parametrize(("tokens_per_second", "expected"), [(1e9, 3), (8.0, 1)])
def test_dial_reads_rows_as_often_as_time_allows(
    planner: Planner, make_rows: Any, tokens_per_second: float, expected: int
) -> None:
    planner.speeds.learn(planner.spec.lineage, tokens_per_second)
    fitted = planner.fitted(make_rows(40), "rows.csv", TrainSettings(batch_size=2), "quick")
    assert fitted.epochs == expected
    whole = planner.plan(make_rows(40), "rows.csv", TrainSettings(batch_size=2))
    assert (0 < fitted.max_steps < whole.steps) if expected == 1 else fitted.max_steps == 0
    plan = planner.plan(make_rows(40), "rows.csv", fitted)
    assert plan.seconds < START_SECONDS + 2 * 75
