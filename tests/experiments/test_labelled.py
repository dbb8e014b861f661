"""A set becomes shots and questions, or says what it lacks."""

from collections.abc import Sequence

import pytest

from demo.data.store import DatasetStore
from demo.errors import BadInput
from demo.experiments.labelled import labelled, wordings_of
from demo.prompting.shots import of_row
from demo.records import Message
from demo.run_records import Row
from demo.settings import ROOT

SAMPLES = DatasetStore(ROOT / "demo" / "samples")


def rows(answers: Sequence[str]) -> list[Row]:
    return [
        Row(n, (Message("user", f"text {n}"), Message("assistant", answer)))
        for n, answer in enumerate(answers, 1)
    ]


@pytest.mark.parametrize(("name", "count"), [("reviews", 2), ("topics", 4)])
def test_no_question_of_a_shipped_set_is_among_the_rows_to_show(name: str, count: int) -> None:
    parts = labelled(name, SAMPLES.rows(None, f"sample:{name}"), shots=8, questions=40, seed=3)
    assert len(parts.labels) == count
    assert len(parts.questions) == 40
    assert len(parts.train) >= 8
    assert not {of_row(row).input for row in parts.train} & {q.input for q in parts.questions}
    assert {q.output for q in parts.questions} == set(parts.labels)


def test_equal_rows_stand_on_one_side() -> None:
    doubled = rows(["yes", "no"] * 10) * 2
    parts = labelled("doubled", doubled, shots=4, questions=12, seed=0)
    assert not {of_row(row).input for row in parts.train} & {q.input for q in parts.questions}


def test_a_small_set_gives_what_is_left_after_the_shots() -> None:
    parts = labelled("small", rows(["yes", "no"] * 5), shots=4, questions=24, seed=0)
    assert (len(parts.train), len(parts.questions)) == (4, 6)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], "few.csv has 0 rows; shots and questions together need at least 5"),
        (["yes", "no", "yes"], "few.csv has 3 rows; shots and questions together need at least 8"),
        (["yes"] * 20, "few.csv has one label only, yes: whatever the prompt says"),
        ([f"answer {n}" for n in range(20)], "20 different answers; at most 8"),
        (["a label of many words, " * 4, "no"] * 9, "2 different answers; at most 8 short ones"),
    ],
)
def test_a_set_that_cannot_be_used_says_what_to_do(answers: list[str], expected: str) -> None:
    with pytest.raises(BadInput, match=expected):
        labelled("few.csv", rows(answers), shots=4, questions=24, seed=0)


def test_own_wordings_come_first_and_any_set_has_some() -> None:
    assert wordings_of("sample:reviews", ["a", "b"], ["Mine"]) == ("Mine",)
    assert "positive" in wordings_of("sample:reviews", ["positive", "negative"])[0]
    assert "Answer with one of these: yes, no." in wordings_of("7f3a", ["yes", "no"])
    for typed, expected in (
        (["x"] * 9, "between 1 and 8"),
        (["  "], "empty"),
        (["x" * 2001], "2000"),
    ):
        with pytest.raises(BadInput, match=expected):
            wordings_of("7f3a", ["yes", "no"], typed)
