"""Scores equal those of the tools that others use, to the last printed digit, on the E2E dev rows."""

import json
from statistics import mean

import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer
from torchmetrics.functional.text import squad

from demo.evaluation import metrics
from demo.evaluation.bleu import columns
from demo.evaluation.corpus import compared
from demo.settings import ROOT

LINES = (ROOT / "demo" / "samples" / "restaurants" / "scoring.jsonl").read_text("utf-8")
REFERENCES = [json.loads(line)["references"] for line in LINES.splitlines()]
ANSWERS = [own[-1].replace("located", "found") for own in REFERENCES]
OTHERS = [own[:-1] or own for own in REFERENCES]


def printed(value: float) -> str:
    return f"{value:.2f}"


@pytest.mark.parametrize("kind", metrics.ROUGES)
def test_rouge_is_rouge_score_s(kind: str) -> None:
    scorer = RougeScorer([kind])
    theirs = [
        100 * scorer.score_multi(own, answer)[kind].fmeasure
        for answer, own in zip(ANSWERS, OTHERS, strict=True)
    ]
    assert printed(mean(metrics.rouges(ANSWERS, OTHERS)[kind])) == printed(mean(theirs))


def test_exact_match_and_f1_are_squad_s() -> None:
    given = [{"prediction_text": a, "id": str(n)} for n, a in enumerate(ANSWERS)]
    wanted = [
        {"answers": {"answer_start": [0] * len(own), "text": own}, "id": str(n)}
        for n, own in enumerate(OTHERS)
    ]
    theirs = squad(given, wanted)
    squads = metrics.squads(ANSWERS, OTHERS)
    ours = (squads[name] for name in ("exact_match", "f1"))
    assert [printed(mean(rows)) for rows in ours] == [
        printed(float(theirs[name])) for name in ("exact_match", "f1")
    ]


@pytest.mark.parametrize("name", ["bleu", "chrf"])
def test_corpus_scores_are_sacrebleu_s(name: str) -> None:
    read = columns(OTHERS)
    theirs = {"bleu": sacrebleu.corpus_bleu, "chrf": sacrebleu.corpus_chrf}[name](ANSWERS, read)
    (ours,) = compared([ANSWERS], OTHERS)[name]
    assert printed(ours.score.value) == printed(theirs.score)


def test_an_interval_of_a_corpus_score_holds_it_and_a_worse_column_is_no_chance() -> None:
    lowered = [answer.lower() for answer in ANSWERS]
    first, same, worse = compared([ANSWERS, ANSWERS, lowered], OTHERS)["bleu"]
    assert first.score.low is not None
    assert first.score.high is not None
    assert first.score.low < first.score.value < first.score.high
    assert first.against_first is None
    assert same.against_first is not None
    assert same.against_first.could_be_chance
    assert same.against_first.value == 0
    assert worse.against_first is not None
    assert not worse.against_first.could_be_chance
    assert worse.against_first.value < 0


def test_one_question_gives_a_score_without_an_interval() -> None:
    first, second = compared([ANSWERS[:1], ANSWERS[:1]], OTHERS[:1])["bleu"]
    assert first.score.n == 1
    assert first.score.low is None
    assert second.against_first is None


def test_words_with_letters_of_other_languages_stay_whole() -> None:
    found = metrics.rouges(["Három őr állt a kapunál"], [["Három úr állt a kapunál"]])
    (share,) = found["rouge1"]
    assert share == pytest.approx(80)


def test_contains_looks_for_whole_words() -> None:
    found = metrics.contains(["It is YES.", "yesterday", "no"], [["yes"], ["yes"], ["yes", "No!"]])
    assert found == [100, 0, 100]


@pytest.mark.parametrize("reference", ["A", "+", "the", "?!"])
def test_a_reference_of_which_squad_leaves_nothing_is_no_empty_answer(reference: str) -> None:
    for name in ("exact_match", "f1"):
        said = ["", "...", f" {reference.lower()} ", "B"]
        assert metrics.squads(said, [[reference]] * 4)[name] == [0, 0, 100, 0]
        assert metrics.squads(["a cat", ""], [[reference, "cat"]] * 2)[name] == [100, 0]


def test_a_sign_is_contained_where_it_stands() -> None:
    assert metrics.contains(["", "5 + 3", "5 - 3"], [["+"]] * 3) == [0, 100, 0]
