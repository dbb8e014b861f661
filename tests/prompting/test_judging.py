"""Comparing whole continuations, and the pairs that ship."""

import math

import pytest

from demo.errors import BadInput
from demo.prompting.judging import (
    continuations_of,
    flips,
    joined_to,
    questions,
    right_twins,
    verdict,
)
from demo.records import Scored, TokenChoice


def scored(*logprobs: float) -> Scored:
    return Scored(tuple(TokenChoice(n, "x", p, 1) for n, p in enumerate(logprobs)), 3)


def test_the_likeliest_whole_wins_with_the_ratio_of_probabilities() -> None:
    found = verdict([scored(-3.0), scored(-1.0, -1.0), scored(-9.0)], per_token=False)
    assert found.order == (1, 0, 2)
    assert found.ratio == pytest.approx(math.e)


def test_a_longer_one_may_win_per_token_and_that_is_said() -> None:
    pair = [scored(-2.0), scored(-1.0, -1.5)]
    assert verdict(pair, per_token=False).winner == 0
    assert verdict(pair, per_token=True).winner == 1
    assert flips(pair)
    assert not flips([scored(-2.0), scored(-4.0, -4.0)])


def test_a_ratio_beyond_all_numbers_stays_a_number() -> None:
    assert math.isfinite(verdict([scored(0.0), scored(-5000.0)], per_token=False).ratio)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("one\n", "continuations must be between 2 and 6; got '?1"),
        ("\n".join("abcdefg"), "got '?7"),
        ("same\n same \n", "all the same"),
        ("a\nb\0", "no text encoding allows"),
        ("a\n" + "b" * 4001, "the most is 4000"),
    ],
)
def test_continuations_out_of_bounds_are_refused(lines: str, expected: str) -> None:
    with pytest.raises(BadInput, match=expected):
        continuations_of(lines)


def test_a_space_stands_between_words_and_none_before_a_full_stop() -> None:
    assert continuations_of("Paris\n\n , or so", "It is") == (" Paris", ", or so")
    assert joined_to("It is ", ["Paris"]) == ("Paris",)
    assert joined_to("", ["Paris"]) == ("Paris",)


def test_every_pronoun_has_a_twin_that_means_the_other_one() -> None:
    found = questions("pronouns")
    assert len(found) // 2 >= 12
    for one, other in zip(found[::2], found[1::2], strict=True):
        assert (one.right, other.right) == (0, 1)
        assert one.before == other.before
        for question in (one, other):
            names = [option.split() for option in question.options]
            ending = question.options[0].split()[-2:]
            assert names[0] != names[1]
            assert question.options[1].endswith(" ".join(ending))


def test_paired_sentences_differ_in_one_word_and_claim_no_right_answer() -> None:
    found = questions("words")
    assert len(found) >= 8
    for question in found:
        one, other = (option.split() for option in question.options)
        assert len(one) == len(other)
        assert sum(a != b for a, b in zip(one, other, strict=True)) == 1
        assert question.right is None


def test_no_beginning_of_a_pair_is_shipped_twice() -> None:
    for kind in ("pronouns", "words"):
        texts = [question.before + question.options[0] for question in questions(kind)]
        assert len(set(texts)) == len(texts)


def test_twins_count_when_both_are_right() -> None:
    assert right_twins([True, True, True, False, False, False]) == 1


def test_equal_continuations_count_once() -> None:
    assert continuations_of("Paris.\nLyon.\n Paris. \n") == ("Paris.", "Lyon.")
