from pathlib import Path

import pytest

from demo.data.samples import load_sample
from demo.data.split import split
from demo.errors import BadInput
from demo.prompting.shots import (
    MOST_SHOTS,
    Shot,
    arranged,
    draw,
    of_row,
    read_order,
    shuffled,
    swapped,
    typed,
    written,
)
from demo.records import Message
from demo.run_records import Row
from demo.settings import ROOT


def sample(name: str) -> tuple[Row, ...]:
    return load_sample(Path(ROOT / "demo" / "samples" / name / "sample.yaml")).rows


PROBLEMS = sample("word-problems")
TABLES = sample("restaurants")


def test_typed_lines_become_shots_and_empty_lines_are_skipped() -> None:
    shots = typed("sea otter => loutre de mer\n\n  a => b => c  \n")
    assert shots == (Shot("sea otter", "loutre de mer"), Shot("a => b", "c"))
    assert typed(written(shots)) == shots
    assert typed("") == ()


def test_worked_answer_can_be_typed_on_one_line() -> None:
    (shot,) = typed("2 and 3? => 2 + 3 = 5. #### 5")
    assert shot == Shot("2 and 3?", "2 + 3 = 5.\n#### 5")
    assert (shot.worked, shot.result, shot.short) == (True, "5", "5")
    assert not Shot("2 and 3?", "#### 5").worked
    assert Shot("2 and 3?", "five").short == "five"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a => b\nno arrow", "Example 2: write it as input => output"),
        ("\n\na =>", "Example 3"),
        ("=> b", "Example 1"),
        ("a => b\n" * (MOST_SHOTS + 1), "shots must be between 0 and 32"),
        ("a => \0", "shots holds characters"),
        ("a => " + "b" * 40_000, "the most is 40000"),
    ],
)
def test_typed_shots_are_refused_with_the_line(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        typed(text)


def test_more_shots_of_one_seed_begin_with_the_fewer() -> None:
    many = draw(PROBLEMS, 32, 7)
    assert len(set(many)) == 32
    assert draw(PROBLEMS, 4, 7) == many[:4]
    assert draw(PROBLEMS, 0, 7) == ()
    assert draw(PROBLEMS, 4, 8) != many[:4]


def test_shots_are_rows_of_the_train_split_alone() -> None:
    train, held_out = split(PROBLEMS, 0.2, 0)
    shots = {shot.input for shot in draw(train, 32, 1)}
    assert shots <= {of_row(row).input for row in train}
    assert not shots & {of_row(row).input for row in held_out}


def test_row_that_is_asked_is_never_a_shot_however_it_is_spaced() -> None:
    asked = of_row(TABLES[0]).input
    few = TABLES[:5]
    assert asked in {shot.input for shot in draw(few, 32, 3)}
    left = {shot.input for shot in draw(few, 32, 3, asked=[f" {asked.replace(' ', '  ')}\n"])}
    assert left == {of_row(row).input for row in few} - {asked}


def test_where_rows_are_few_there_are_fewer_shots_and_none_twice() -> None:
    assert len(draw([*TABLES[:3], *TABLES[:3]], 8, 0)) == 3


@pytest.mark.parametrize("count", [-1, MOST_SHOTS + 1, 1.5, "many", None])
def test_count_outside_0_to_32_is_refused(count: object) -> None:
    with pytest.raises(BadInput, match="shots"):
        draw(PROBLEMS, count, 0)  # type: ignore[arg-type]


def test_row_of_a_conversation_gives_its_last_question_and_answer() -> None:
    talk = ("system", "user", "assistant", "user", "assistant")
    row = Row(1, tuple(Message(role, f"{role} {n}") for n, role in enumerate(talk)))  # type: ignore[arg-type]
    assert of_row(row) == Shot("user 3", "assistant 4")


def test_every_order_holds_the_same_shots() -> None:
    shots = draw(PROBLEMS, 8, 0)
    assert shuffled(8, 0) == (1, 2, 3, 4, 5, 6, 7, 8)
    orders = {shuffled(8, seed) for seed in range(1, 6)}
    assert len(orders) == 5
    for order in orders:
        assert set(arranged(shots, order)) == set(shots)
    assert arranged(shots, (2, 1)) == (shots[1], shots[0], *shots[2:])
    assert arranged(shots[:2], (9, 2, 2, 0, -1)) == (shots[1], shots[0])


def test_two_places_are_swapped_and_nothing_else() -> None:
    assert swapped((1, 2, 3, 4), 2, 4) == (1, 4, 3, 2)
    assert swapped((), 1, 1) == ()
    with pytest.raises(BadInput, match="place must be between 1 and 4"):
        swapped((1, 2, 3, 4), 0, 5)


def test_written_order_is_completed_when_shots_are_added_or_taken_away() -> None:
    assert read_order("", 3) == (1, 2, 3)
    assert read_order("3 1, 2", 4) == (3, 1, 2, 4)
    assert read_order("3 1 2", 2) == (1, 2)
    with pytest.raises(BadInput, match="order must be a number"):
        read_order("1 two", 2)
