"""What a sweep has come to, from the states of its runs."""

from dataclasses import replace
from typing import Any

import pytest

from demo.run_records import Cost, RunState, TrainSettings
from demo.training.sweep_result import sweep_of, sweeps_in, verdict


def run(
    value: Any, loss: float | None, setting: str = "rank", trained: int = 100, **more: Any
) -> RunState:
    """A run of the sweep `s`, ended where it has a loss."""
    settings = {"method": "full"} if value == "full" else {setting: value}
    state = RunState(
        id=str(value),
        name=f"E2E · {setting} {value}",
        dataset="rows.csv",
        status="queued" if loss is None else "finished",
        scores={} if loss is None else {"eval_loss": {"base": 3.0, "adapted": loss, "n": 20}},
        taken=Cost(trainable=trained),
        settings=TrainSettings(**settings),
        sweep="s",
        varied=setting,
    )
    return replace(state, **more)


def test_points_stand_by_value_with_full_tuning_last() -> None:
    state = sweep_of([run("full", 1.0), run(8, 1.1), run(2, 1.2)], "s")
    assert [point.value for point in state.points] == [2, 8, "full"]
    assert (state.name, state.base_loss, state.held_out, state.live) == ("E2E", 3.0, 20, False)


def test_a_sweep_with_waiting_and_failed_runs_is_partial() -> None:
    failed = run(8, None, status="failed")
    state = sweep_of([run(2, 1.2), failed, run(32, None)], "s")
    assert [point.loss for point in state.points] == [1.2, None, None]
    assert state.live
    assert verdict(state) is None


def test_the_cheapest_value_that_misses_little_of_the_gain_is_named() -> None:
    runs = [run(2, 1.5, trained=25), run(8, 1.05, trained=100), run(32, 1.0, trained=400)]
    said = verdict(sweep_of(runs, "s"))
    assert said is not None
    assert (said.key, said.best.value, said.share) == ("near", 32, 0.25)
    assert said.cheaper is not None
    assert said.cheaper.value == 8
    assert round(said.gap, 3) == 0.05


def test_a_sweep_that_never_beats_the_base_says_so() -> None:
    said = verdict(sweep_of([run(2, 3.1), run(8, 3.0)], "s"))
    assert said is not None
    assert said.key == "none"


def test_the_best_learning_rate_at_the_edge_asks_to_look_further() -> None:
    rates = [run(rate, loss, "learning_rate") for rate, loss in ((1e-4, 2.0), (1e-3, 1.5))]
    said = verdict(sweep_of(rates, "s"))
    assert said is not None
    assert said.key == "edge"
    inside = [*rates, run(1e-2, 2.5, "learning_rate")]
    said = verdict(sweep_of(inside, "s"))
    assert said is not None
    assert said.key == "best"


@pytest.mark.parametrize("cut", [{"status": "stopped"}, {"status": "failed"}, {"spent": 40.0}])
def test_runs_that_did_not_take_all_of_their_steps_are_not_compared(cut: dict[str, Any]) -> None:
    early = run(8, 1.4, step=3, steps=40, **cut)
    assert verdict(sweep_of([run(2, 1.5), early], "s")) is None
    said = verdict(sweep_of([run(2, 1.5), early, run(32, 1.45, trained=900)], "s"))
    assert said is not None
    assert said.best.value == 32
    assert said.cheaper is not None
    assert said.cheaper.value == 2


def test_a_learning_rate_beside_one_that_exploded_is_not_at_the_edge() -> None:
    rates = [run(rate, loss, "learning_rate") for rate, loss in ((2e-4, 2.0), (2e-3, 1.5))]
    exploded = run(2e-2, None, "learning_rate", status="failed")
    said = verdict(sweep_of([*rates, exploded], "s"))
    assert said is not None
    assert said.key == "best"


@pytest.mark.parametrize(
    "spoiled",
    [
        {"status": "stopped"},
        {"status": "failed"},
        {"spent": 40.0},
        {"scores": {"eval_loss": {"base": 3.0, "adapted": 9.0, "n": 20}}},
    ],
)
def test_full_tuning_that_was_cut_short_or_broken_does_not_stand_beside_the_ranks(
    spoiled: dict[str, Any],
) -> None:
    full = replace(run("full", 0.9), sweep="", varied="", **spoiled)
    assert sweep_of([run(2, 1.5), run(8, 1.1), full], "s").full is None


def test_a_run_of_full_tuning_on_the_same_rows_stands_beside_the_ranks() -> None:
    full = replace(run("full", 0.9), sweep="", varied="", created=5.0)
    other = replace(full, id="other", settings=TrainSettings(method="full", seed=1))
    state = sweep_of([run(2, 1.5), run(8, 1.1), full, other], "s")
    assert state.full is not None
    assert (state.full.run, state.full.loss) == ("full", 0.9)
    assert [sweep.id for sweep in sweeps_in([full, run(2, 1.0)])] == ["s"]


def test_the_base_loss_is_that_of_the_unquantized_base() -> None:
    coarse = run("qlora", 1.4, "method")
    coarse.scores["eval_loss"]["base"] = 3.3
    state = sweep_of([coarse, run("lora", 1.2, "method")], "s")
    assert state.base_loss == 3.0
