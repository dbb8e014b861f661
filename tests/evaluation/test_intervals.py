"""Intervals hold the truth as often as they promise, and a difference by chance is called one."""

import math

import numpy as np
import pytest

from demo.evaluation.intervals import difference, of_mean, of_whole

ROUNDS = 400


def covered(draw: object, truth: float) -> float:
    """How often the interval of a sample holds the mean of what it was drawn from."""
    held = 0
    for seed in range(ROUNDS):
        found = of_mean(draw(np.random.default_rng(seed)), seed)  # type: ignore[operator]
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    return held / ROUNDS


def test_the_interval_of_a_share_holds_the_truth_nineteen_times_in_twenty() -> None:
    def draw(random: np.random.Generator) -> list[float]:
        return [100.0 * one for one in random.random(40) < 0.7]

    assert 0.92 <= covered(draw, 70.0) <= 0.98


def test_the_interval_of_a_mean_holds_the_truth_nineteen_times_in_twenty() -> None:
    def draw(random: np.random.Generator) -> list[float]:
        return list(100 * random.beta(4, 2, 48))

    assert 0.91 <= covered(draw, 100 * 4 / 6) <= 0.98


def test_a_difference_that_is_none_is_called_chance_nineteen_times_in_twenty() -> None:
    called = 0
    for seed in range(ROUNDS):
        random = np.random.default_rng(seed)
        rows, others = random.normal(50, 10, 30), random.normal(50, 10, 30)
        called += difference(list(rows), list(others), seed).could_be_chance
    assert 0.92 <= called / ROUNDS <= 0.98


def test_a_difference_that_is_large_is_no_chance_and_stands_in_its_interval() -> None:
    random = np.random.default_rng(0)
    others = random.normal(50, 10, 30)
    found = difference(list(others + random.normal(8, 3, 30)), list(others))
    assert not found.could_be_chance
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < found.value < found.high


@pytest.mark.parametrize("rows", [[], [40.0]])
def test_fewer_than_two_questions_have_no_interval(rows: list[float]) -> None:
    found = of_mean(rows)
    assert (found.low, found.high, found.n) == (None, None, len(rows))
    assert math.isnan(found.value) == (not rows)


def test_rows_that_are_all_alike_have_an_interval_without_width_unless_they_are_shares() -> None:
    assert of_mean([37.0] * 5).low == of_mean([37.0] * 5).high == 37.0
    right = of_mean([100.0] * 5)
    assert right.low is not None
    assert right.low < 60


def test_columns_that_answer_alike_differ_by_chance() -> None:
    found = difference([1.0, 2.0], [1.0, 2.0])
    assert (found.value, found.could_be_chance) == (0.0, True)


def test_a_score_of_all_is_resampled_by_questions() -> None:
    right = [True] * 30 + [False] * 10
    found = of_whole(lambda chosen: 100.0 * sum(right[n] for n in chosen) / len(chosen), len(right))
    assert found.low is not None
    assert found.high is not None
    assert 55 < found.low < found.value == 75 < found.high < 92
