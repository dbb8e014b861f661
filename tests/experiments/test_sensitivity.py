"""One thing is changed at a time, the same questions are asked, and what is found is what was measured."""

from collections.abc import Sequence
from contextlib import closing

import pytest

from demo.data.store import DatasetStore
from demo.errors import BadInput, Busy, NotFound
from demo.experiment_records import Sensitivity, SensitivityRequest, Variant, VariantKind
from demo.experiments.classify import measured
from demo.experiments.labelled import LabelledSet, labelled, wordings_of
from demo.experiments.sensitivity import findings, plans
from demo.lab import Lab, courses
from demo.prompting.frame import Frame, render
from demo.records import AnswerRequest, Sampling, ScoreRequest, conversation
from demo.settings import ROOT

REVIEWS = "sample:reviews"
SMALL = SensitivityRequest(REVIEWS, visitor="ada", shots=2, questions=8, orders=1, random_labels=0)


def reviews(questions: int = 8) -> LabelledSet:
    rows = DatasetStore(ROOT / "demo" / "samples").rows(None, REVIEWS)
    return labelled("reviews", rows, shots=4, questions=questions, seed=0)


def variant(kind: VariantKind, right: Sequence[int], *, complete: bool = True) -> Variant:
    return Variant(kind, 1, "", measured([bool(r) for r in right], 10), complete)


def test_every_variant_changes_one_thing() -> None:
    rows = reviews()
    request = SensitivityRequest(REVIEWS, shots=4, orders=5, random_labels=3)
    given, *others = plans(request, rows, wordings_of(REVIEWS, rows.labels))
    assert [p.kind for p in others] == ["order"] * 5 + ["wording"] * 4 + ["random_labels"] * 3 + [
        "zero"
    ]
    orders = [p.shots for p in others if p.kind == "order"]
    assert len({given.shots, *orders}) == 6
    assert all(set(shots) == set(given.shots) for shots in orders)
    for plan in others:
        assert (plan.instruction == given.instruction) == (plan.kind != "wording")
        if plan.kind == "random_labels":
            assert [s.input for s in plan.shots] == [s.input for s in given.shots]
            assert {s.output for s in plan.shots} <= set(rows.labels)
    assert others[-1].shots == ()
    asked = {q.input for q in rows.questions}
    assert not asked & {s.input for plan in (given, *others) for s in plan.shots}


def test_one_shot_has_no_other_order() -> None:
    rows = reviews()
    request = SensitivityRequest(REVIEWS, shots=1, orders=5)
    assert not [p for p in plans(request, rows, ("Mood?",)) if p.kind in ("order", "wording")]


def test_findings_are_counted_by_hand() -> None:
    given = [1, 1, 1, 1, 0, 0, 0, 0]
    found = {
        f.kind: f
        for f in findings(
            [
                variant("as_given", given),
                variant("order", [0] * 8),
                variant("random_labels", [1, 1, 1, 0, 0, 0, 0, 0]),
                variant("random_labels", [1, 1, 0, 0, 0, 0, 0, 0]),
                variant("zero", [1, 1, 1, 1, 1, 1, 1, 1]),
                variant("zero", [0], complete=False),
            ]
        )
    }
    assert found["order"].count == 2
    assert found["order"].mean == pytest.approx(0.25)
    assert (found["order"].best, found["order"].worst) == (0.5, 0)
    # Differences of two draws against one: -1 and -2; all four sums of signs are as far or nearer: 2 of 4.
    assert found["random_labels"].chance == pytest.approx(2 / 4)
    # Four questions better, none worse: 2 of 16.
    assert found["zero"].chance == pytest.approx(2 / 16)
    assert found["zero"].high == 1.0
    assert findings([variant("zero", given)]) == ()


def whole(lab: Lab, request: SensitivityRequest) -> list[Sensitivity]:
    with closing(lab.experiments.sensitivity(request)) as steps:
        return list(steps)


def test_real_model_is_measured_as_single_scores_measure_it(lab: Lab) -> None:
    *growing, last = whole(lab, SMALL)
    assert last.done
    assert not last.stopped
    assert [v.kind for v in last.variants] == ["as_given", "order", *["wording"] * 4, "zero"]
    assert last.asked == last.total == 7 * 8
    asked = [step.asked for step in growing]
    assert asked == sorted(asked)
    zero = last.variants[-1].measured
    rows = labelled("reviews", lab.datasets.rows(None, REVIEWS), 2, 8, 0)
    instruction = wordings_of(REVIEWS, rows.labels)[0]
    expected = []
    for question in rows.questions:
        prompt = render(Frame.chat(instruction=instruction), (), question.input)
        scores = [s.logprob for s in lab.score(ScoreRequest(prompt, rows.labels, closed=True))]
        expected.append(rows.labels[scores.index(max(scores))] == question.output)
    assert list(zero.right) == expected
    assert 30 < zero.prompt_tokens < last.variants[0].measured.prompt_tokens
    assert whole(lab, SMALL)[-1].variants == last.variants


def test_a_stopped_experiment_keeps_what_it_found_and_frees_its_place(lab: Lab) -> None:
    with closing(lab.experiments.sensitivity(SMALL)) as steps:
        for so_far in steps:
            if so_far.findings or so_far.variants[0].complete:
                lab.experiments.stop("ada")
            last = so_far
    assert last.stopped
    assert last.done
    assert 0 < last.asked < last.total
    assert not lab.experiments.stop("ada")


def test_one_visitor_makes_one_experiment_and_still_gets_answers(lab: Lab) -> None:
    with closing(lab.experiments.sensitivity(SMALL)) as steps:
        next(steps)
        with pytest.raises(Busy, match="an experiment under way"):
            next(lab.experiments.sensitivity(SMALL))
        asked = AnswerRequest(
            conversation("Hi"), visitor="ada", sampling=Sampling(max_new_tokens=4)
        )
        *_, answer = lab.answer(asked)
        assert answer.done
    again = lab.experiments.under_way("ada", "sensitivity")
    assert again is not None
    lab.experiments.stop("ada")
    assert list(again)[-1].done


def test_an_experiment_goes_on_without_its_page_and_is_found_again(lab: Lab) -> None:
    with closing(lab.experiments.sensitivity(SMALL)) as steps:
        begun = next(steps)
    assert not begun.done
    again = lab.experiments.under_way("ada", "sensitivity")
    assert again is not None
    last = list(again)[-1]
    assert last.asked == last.total
    ended = lab.experiments.under_way("ada", "sensitivity")
    assert ended is not None
    assert list(ended) == [last]
    assert lab.experiments.under_way("ada", "search") is None
    assert lab.experiments.under_way("bob", "sensitivity") is None


def test_an_experiment_that_nobody_follows_is_ended(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courses, "ALONE_SECONDS", 0.0)
    with closing(lab.experiments.sensitivity(SMALL)) as steps:
        next(steps)
    again = lab.experiments.under_way("ada", "sensitivity")
    assert again is not None
    assert list(again)[-1].done


def test_what_cannot_be_measured_is_refused_before_anything_is_asked(lab: Lab) -> None:
    long = "".join(f'"{"word " * 900}{n}",{"yes" if n % 2 else "no"}\n' for n in range(40))
    mine = lab.new_workspace()
    big = lab.add_dataset(mine, "long.csv", f"prompt,completion\n{long}".encode()).id
    one = lab.add_dataset(mine, "one.csv", b"prompt,completion\n" + b"a,yes\nb,yes\n" * 9).id
    for fields, expected in (
        (
            {"dataset": big, "workspace": mine, "shots": 16},
            "With 16 shots the prompt has .* tokens",
        ),
        ({"dataset": big, "workspace": mine, "shots": 4}, "would read about"),
        ({"dataset": one, "workspace": mine}, "one label only"),
        ({"dataset": "sample:word-problems"}, "different answers"),
    ):
        with pytest.raises(BadInput, match=expected):
            next(lab.experiments.sensitivity(SensitivityRequest(visitor="x", **fields)))  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        next(lab.experiments.sensitivity(SensitivityRequest(big, visitor="x")))
    with pytest.raises(BadInput, match="shots must be between 1 and 32"):
        SensitivityRequest(REVIEWS, shots=33)
