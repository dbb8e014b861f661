"""Which label an answer names, and how often it is the right one."""

import pytest
from sklearn.metrics import accuracy_score, f1_score

from demo.evaluation.labels import label_accuracy, label_said, labels_of, macro_f1

WANTED = [["positive"], ["negative"], ["neutral"], ["positive"], ["negative"], ["neutral"]]
SAID = ["Positive.", "It is positive, not negative", "neutral", "no idea", "NEGATIVE", "neutral!"]


def test_the_label_named_first_is_the_one_said() -> None:
    labels = labels_of(WANTED)
    assert labels == ("negative", "neutral", "positive")
    assert [label_said(answer, labels) for answer in SAID] == [
        "positive", "positive", "neutral", "", "negative", "neutral",
    ]  # fmt: skip


def test_a_label_inside_a_word_or_another_label_is_not_taken() -> None:
    assert label_said("unhappy", ("happy",)) == ""
    assert label_said("very happy", ("happy", "very happy")) == "very happy"


def test_accuracy_and_f1_are_scikit_learn_s() -> None:
    truth = [own[0] for own in WANTED]
    said = ["positive", "positive", "neutral", "?", "negative", "neutral"]
    rows = label_accuracy(SAID, WANTED, labels_of(WANTED))
    assert sum(rows) / len(rows) == pytest.approx(100 * accuracy_score(truth, said))
    labels = sorted(set(truth))
    theirs = f1_score(truth, said, labels=labels, average="macro", zero_division=0.0)
    assert macro_f1(SAID, WANTED, labels_of(WANTED)) == pytest.approx(100 * theirs)


@pytest.mark.parametrize(
    "references",
    [
        [["a"], ["b"], ["c"]],
        [["a", "b"], ["a"], ["a"]],
        [["x" * 61], ["x" * 61]],
        [[str(n)] for n in range(13)] * 2,
    ],
)
def test_answers_that_are_no_labels_are_not_taken_for_some(references: list[list[str]]) -> None:
    assert labels_of(references) == ()


def test_a_set_with_one_label_has_it() -> None:
    assert labels_of([["spam"], ["Spam "], ["spam"]]) == ("spam",)
