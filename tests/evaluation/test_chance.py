"""Statistics against values computed by hand or printed in the papers."""

import random

import pytest

from demo.evaluation.chance import holm, paired, spread, wilson


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [
        # 10 of 10: 10 / (10 + 1.96 squared), and 1.
        (10, 10, 10 / (10 + 1.959963984540054**2), 1.0),
        (0, 10, 0.0, 1.959963984540054**2 / (10 + 1.959963984540054**2)),
        # Newcombe 1998, table I: 81 of 263 and 15 of 148.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_interval_is_that_of_the_paper(
    successes: float, count: int, low: float, high: float
) -> None:
    assert wilson(successes, count) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("better", "worse", "expected"),
    [
        # Both tails of 8 fair coins with at most one head: 2 * (1 + 8) / 256.
        (7, 1, 18 / 256),
        (5, 0, 2 / 32),
        (3, 3, 1.0),
        (0, 0, 1.0),
    ],
)
def test_right_and_wrong_answers_in_pairs_are_tested_as_mcnemar_does(
    better: int, worse: int, expected: float
) -> None:
    ties = [0] * 9
    assert paired([*[1] * better, *[-1] * worse, *ties]) == pytest.approx(expected)


def test_differences_of_several_sizes_are_counted_over_all_signs() -> None:
    # Sums of ±3 ±2 ±1: 6, 4, 2, 0, 0, -2, -4, -6; four of eight are at least 4 away.
    assert paired([3, 2, -1]) == pytest.approx(4 / 8)


def test_two_kinds_far_apart_are_no_chance_and_equal_ones_are() -> None:
    good, bad = [True] * 12, [False] * 12
    # Two shufflings of 4096 set them as far apart.
    assert spread([good, bad], seed=1) < 0.005
    assert spread([good, good, good]) == 1.0
    assert spread([[True, False] * 6, [False, True] * 6]) == 1.0


def test_the_best_of_many_coins_is_not_taken_for_skill() -> None:
    source = random.Random(10)
    coins = sorted(([source.random() < 0.5 for _ in range(20)] for _ in range(8)), key=sum)
    chosen_afterwards = [int(a) - int(b) for a, b in zip(coins[-1], coins[0], strict=True)]
    assert paired(chosen_afterwards) < 0.05
    assert spread(coins) > 0.05


def test_several_comparisons_are_corrected_step_by_step() -> None:
    # By hand: 0.01 x 4, 0.02 x 3, then 0.03 x 2 and 0.04 x 1, the last not less than the one before.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []
