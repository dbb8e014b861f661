"""What the model writes becomes a prompt or is dropped, and its score is measured, never assumed."""

from contextlib import closing

import pytest

from demo.errors import BadInput
from demo.experiment_records import Search, SearchRequest
from demo.experiments.chains import problems
from demo.experiments.labelled import labelled
from demo.experiments.proposals import diverse, instructions_of, same_number, worked
from demo.experiments.search import examples_of, halves
from demo.lab import Lab
from demo.prompting.shots import Shot, of_row
from demo.records import Answer

SUMS = "sample:first-sums"
TOPICS = "sample:topics"


def said(text: str, reason: str = "end") -> Answer:
    return Answer(text, done=True, reason=reason)  # type: ignore[arg-type]


def test_instructions_are_freed_of_the_words_around_them() -> None:
    answers = [
        said('The instruction was: "name the topic."'),
        said("name the topic."),
        said("\n\nSay the mood.\nOutput: positive"),
        said(" \n"),
        said("...."),
        said("x" * 301),
        Answer("Not ended yet"),
    ]
    assert instructions_of(answers) == ("Name the topic.", "Say the mood.")


@pytest.mark.parametrize(
    ("text", "reason", "expected"),
    [
        ("First 2 + 3.\n\nThat is 5.", "end", "First 2 + 3.\nThat is 5.\n#### 5"),
        ("So 1,200 are left.", "end", "So 1,200 are left.\n#### 1200"),
        ("It is 5", "length", None),
        ("It is many.", "end", None),
        ("1\n" * 11, "end", None),
    ],
)
def test_a_chain_becomes_an_example_when_it_has_an_end_and_a_result(
    text: str, reason: str, expected: str | None
) -> None:
    example = worked(Shot("How many?", "#### 7"), said(text, reason))
    assert (example.output if example else None) == expected


def test_questions_least_alike_are_taken_and_long_ones_left() -> None:
    alike = [Shot(f"How many red apples has Anna number {n}?", "1") for n in range(5)]
    other = Shot("A train needs two hours to the sea.", "1")
    long = Shot("word " * 61, "1")
    assert diverse([*alike, long, other], 2) == (alike[0], other)
    assert len(diverse([*alike, long], 9)) == 5


def test_results_are_compared_as_numbers() -> None:
    assert same_number("7.0", "7")
    assert not same_number("7", "8")
    assert not same_number("", "7")


def test_no_row_is_both_shown_and_asked_nor_chosen_by_and_checked_with(lab: Lab) -> None:
    request = SearchRequest("instructions", TOPICS, questions=20)
    rows = labelled("topics", lab.datasets.rows(None, TOPICS), 6, 40, 0)
    shown = {shot.input for shot in examples_of(request, rows)}
    choosing, checking = ({q.input for q in half} for half in halves(rows))
    assert (len(shown), len(choosing), len(checking)) == (6, 20, 20)
    assert not shown & (choosing | checking)
    assert not choosing & checking
    sums = problems("sums", lab.datasets.rows(None, SUMS), SearchRequest("chains", SUMS))
    assert not {of_row(row).input for row in sums.train} & {q.input for q in sums.questions}


def whole(lab: Lab, request: SearchRequest) -> list[Search]:
    with closing(lab.experiments.search(request)) as steps:
        return list(steps)


def test_real_model_proposes_instructions_and_each_is_scored(lab: Lab) -> None:
    steps = whole(lab, SearchRequest("instructions", TOPICS, candidates=2, questions=4))
    last = steps[-1]
    assert last.done
    assert last.proposed + last.discarded == 2
    assert {rung.kind for rung in last.rungs} >= {"given", "none"}
    assert all(rung.measured.count == 4 for rung in last.rungs)
    shares = [rung.measured.share for rung in last.rungs]
    assert shares == sorted(shares, reverse=True)
    assert [rung.kind for rung in last.checked] == (["given", "proposed"] if last.proposed else [])
    asked = [step.asked for step in steps]
    assert asked == sorted(asked)
    assert last.asked == last.total or not last.proposed


def test_real_model_writes_examples_and_their_truth_is_told(lab: Lab) -> None:
    last = whole(lab, SearchRequest("chains", SUMS, candidates=2, questions=4))[-1]
    assert last.done
    assert last.proposed_right <= last.proposed
    kinds = {rung.kind for rung in last.rungs}
    assert kinds == {"plain", "steps", "hand"} | ({"model"} if last.proposed else set())
    assert all(rung.measured.count == 4 for rung in last.rungs)


def test_a_search_that_cannot_be_made_says_why(lab: Lab) -> None:
    for request, expected in (
        (SearchRequest("chains", TOPICS, visitor="x"), "no answer ends with a number after ####"),
        (SearchRequest("instructions", SUMS, visitor="x"), "different answers"),
        (SearchRequest("magic", TOPICS, visitor="x"), "kind must be one of"),  # type: ignore[arg-type]
        (SearchRequest("chains", SUMS, visitor="x", candidates=16), None),
    ):
        if expected is None:
            with closing(lab.experiments.search(request)) as steps:
                assert next(steps).total > 0
                assert lab.experiments.stop("x")
                assert list(steps)[-1].stopped
            continue
        with pytest.raises(BadInput, match=expected):
            next(lab.experiments.search(request))
