import pytest

from demo.data.split import prompt_of, split
from demo.records import Message
from demo.run_records import Row


def rows_of(*prompts: str) -> list[Row]:
    return [
        Row(line, (Message("user", prompt), Message("assistant", f"answer {line}")))
        for line, prompt in enumerate(prompts, 1)
    ]


MANY = rows_of(*(f"prompt {number // 3}" for number in range(90)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5])
def test_split_keeps_rows_of_one_prompt_on_one_side(seed: int, share: float) -> None:
    train, evaluation = split(MANY, share, seed)
    assert not {prompt_of(row) for row in train} & {prompt_of(row) for row in evaluation}
    assert sorted([*train, *evaluation], key=lambda row: row.line) == MANY
    assert 0 < len(evaluation) <= max(3, round(share * len(MANY)))


def test_split_is_the_same_for_the_same_seed_only() -> None:
    assert split(MANY, 0.2, 7) == split(MANY, 0.2, 7)
    assert split(MANY, 0.2, 7) != split(MANY, 0.2, 8)


def test_split_holds_nothing_out_when_the_share_is_zero() -> None:
    assert split(MANY, 0.0, 0) == (tuple(MANY), ())


def test_split_holds_nothing_out_when_all_rows_share_a_prompt() -> None:
    rows = rows_of("a", "a", "a")
    assert split(rows, 0.5, 0) == (tuple(rows), ())


@pytest.mark.parametrize("seed", range(5))
def test_split_leaves_a_prompt_on_each_side_when_there_are_two(seed: int) -> None:
    train, evaluation = split(rows_of("a", "a", "a", "b"), 0.1, seed)
    assert [row.line for row in train] == [1, 2, 3]
    assert [row.line for row in evaluation] == [4]


def test_split_of_no_rows_is_empty() -> None:
    assert split([], 0.1, 0) == ((), ())


def test_prompt_is_everything_before_the_last_assistant_turn() -> None:
    turns = [Message("user", "a"), Message("assistant", "b"), Message("user", "c")]
    assert prompt_of(Row(1, (*turns, Message("assistant", "d")))) == tuple(turns)


def test_fewer_rows_to_learn_leave_those_held_out_the_same() -> None:
    train, evaluation = split(MANY, 0.2, 7)
    assert split(MANY, 0.2, 7, 3) == (train[:3], evaluation)


def test_equal_plain_texts_stay_on_one_side() -> None:
    rows = [Row(n, (Message("assistant", f"text {n // 3}"),), raw=True) for n in range(30)]
    train, evaluation = split(rows, 0.2, 0)
    assert evaluation
    assert not {prompt_of(row) for row in train} & {prompt_of(row) for row in evaluation}
