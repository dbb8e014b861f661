"""Whose turn it is, as a pure order of waiting runs."""

from demo.training.turns import Turn, in_turn


def order(waiting: list[Turn], served: dict[str, float] | None = None) -> list[str]:
    return [turn.run for turn in in_turn(waiting, served or {})]


def test_who_came_first_trains_first() -> None:
    assert order([Turn("late", 2.0), Turn("early", 1.0)]) == ["early", "late"]


def test_runs_of_a_sweep_let_everybody_else_go_between_them() -> None:
    sweep = [Turn(f"s{n}", 1.0 + n / 10, "sweep") for n in range(3)]
    assert order([*sweep, Turn("a", 2.0), Turn("b", 3.0)]) == ["s0", "a", "b", "s1", "s2"]


def test_a_sweep_whose_run_has_just_ended_stands_behind_those_who_wait() -> None:
    sweep = [Turn("s1", 1.1, "sweep"), Turn("s2", 1.2, "sweep")]
    waiting = [*sweep, Turn("before", 4.0), Turn("after", 6.0)]
    assert order(waiting, {"sweep": 5.0}) == ["before", "s1", "after", "s2"]


def test_two_sweeps_take_turns() -> None:
    first = [Turn(f"a{n}", 1.0, "a") for n in range(2)]
    second = [Turn(f"b{n}", 2.0, "b") for n in range(2)]
    assert order([*first, *second]) == ["a0", "b0", "a1", "b1"]
