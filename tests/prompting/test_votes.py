"""Votes are counted by what an answer says, not by how it is written."""

import pytest

from demo.prompting.extract import EXTRACTORS
from demo.prompting.votes import canonical, grouped, same, tally

CHAINS = [
    "8 plus 8 is 16.",
    "So it is 4",
    "Half of 8 is 4.0",
    "I do not know",
    "It is 16, half is 4.",
]


def test_the_answer_that_most_chains_end_with_wins_and_agreement_counts_every_chain() -> None:
    votes = tally(CHAINS, EXTRACTORS["last_number"])
    assert [(vote.answer, vote.chains) for vote in votes.votes] == [("4", (1, 2, 4)), ("16", (0,))]
    assert votes.unparsable == (3,)
    assert votes.count == 5
    assert votes.agreement == 3 / 5
    assert votes.given("4.00") == 3
    assert votes.given("7") == 0


def test_a_tie_has_several_winners_and_the_first_that_came_leads() -> None:
    votes = tally(["b", "a", "a", "b", "c"], EXTRACTORS["none"])
    assert [vote.answer for vote in votes.winners] == ["b", "a"]


def test_chains_without_any_answer_elect_nobody() -> None:
    votes = tally(["no idea", ""], EXTRACTORS["last_number"])
    assert (votes.votes, votes.winners, votes.agreement) == ((), (), 0.0)
    assert votes.count == 2


def test_identical_texts_are_one_group_with_its_count() -> None:
    groups = grouped(["Paris", "Lyon", "Paris ", "paris"])
    assert [(group.answer, group.count) for group in groups] == [
        ("Paris", 2),
        ("Lyon", 1),
        ("paris", 1),
    ]


@pytest.mark.parametrize(
    ("answer", "other", "equal"),
    [
        ("4", "4.0", True),
        ("1,200", "1200", True),
        ("007", "7", True),
        ("-3.50", "-3.5", True),
        ("Positive.", "positive", True),
        ("two  words", "Two words", True),
        ("1,5", "15", False),
        ("0", "", False),
        ("1e999999999", "0", False),
        ("40", "4", False),
    ],
)
def test_answers_are_compared_by_value(answer: str, other: str, equal: bool) -> None:
    assert same(answer, other) is equal


def test_zero_stays_zero() -> None:
    assert canonical("0.00") == canonical("000") == "0"
