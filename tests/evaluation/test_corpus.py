"""BLEU and chrF are called different only where they are, and stand in their own intervals."""

import random

import numpy as np
import pytest

from demo.evaluation.bleu import columns
from demo.evaluation.corpus import CORPUS, _Counted, compared

TEXT = "a red old bus stops at the small house near our green river in town"
WORDS = TEXT.split()


def blurred(text: str, source: random.Random) -> str:
    """The text with about every third word taken from elsewhere."""
    return " ".join(source.choice(WORDS) if source.random() < 0.3 else w for w in text.split())


@pytest.mark.parametrize(("questions", "rounds"), [(8, 300), (24, 200)])
def test_columns_that_do_not_differ_are_called_different_once_in_twenty(
    questions: int, rounds: int
) -> None:
    called = 0
    for seed in range(rounds):
        source = random.Random(seed)
        texts = [" ".join(source.choices(WORDS, k=9)) for _ in range(questions)]
        counted = _Counted(CORPUS["bleu"](references=columns([[text] for text in texts])), seed)
        own, first = ([blurred(text, source) for text in texts] for _ in range(2))
        found = counted.against(counted.counts(own), counted.counts(first))
        assert found is not None
        called += not found.could_be_chance
    assert 0.01 <= called / rounds <= 0.085


@pytest.mark.parametrize("name", list(CORPUS))
def test_two_questions_prove_nothing_however_far_apart_the_columns_are(name: str) -> None:
    references = [["the red bus stops here"], ["our green house is old"]]
    right = [own[0] for own in references]
    _, other = compared([["no", "idea"], right], references)[name]
    assert other.against_first is not None
    assert other.against_first.chance == 0.5
    assert other.against_first.could_be_chance


def test_a_column_that_is_always_better_is_hardly_chance_either_way_round() -> None:
    source = random.Random(0)
    texts = [" ".join(source.choices(WORDS, k=9)) for _ in range(12)]
    worse = [blurred(text, source) for text in texts]
    for answers in ([worse, texts], [texts, worse]):
        _, other = compared(answers, [[text] for text in texts])["bleu"]
        assert other.against_first is not None
        assert not other.against_first.could_be_chance


@pytest.mark.parametrize("questions", [2, 3, 5])
def test_a_score_stands_in_its_own_interval(questions: int) -> None:
    for seed in range(20):
        source = random.Random(seed)
        texts = [" ".join(source.choices(WORDS, k=6)) for _ in range(questions)]
        answers = [blurred(text, source) for text in texts]
        for found in compared([answers], [[text] for text in texts]).values():
            score = found[0].score
            assert score.low is not None
            assert score.high is not None
            assert score.low <= score.value <= score.high
            assert np.isfinite([score.low, score.high]).all()
