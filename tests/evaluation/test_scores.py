"""All scores of a board: extremes stay words, tests are about what is told, labels are the set's."""

import math
from collections.abc import Sequence

import pytest
from rouge_score.rouge_scorer import RougeScorer

from demo.evaluation.intervals import difference, of_mean, of_whole
from demo.evaluation.scores import perplexities, scored


def test_an_impossible_text_has_a_perplexity_that_a_float_can_hold() -> None:
    base, broken = perplexities([[-2.0, -3.0], [-5000.0, -math.inf]], [2, 3])
    assert base.interval.value < 10
    assert math.isfinite(broken.interval.value)
    assert all(math.isfinite(row) for row in broken.rows)
    assert broken.against_first is not None
    assert broken.against_first.could_be_chance


def test_what_is_no_number_has_no_interval_and_differs_by_chance() -> None:
    _, broken = perplexities([[-2.0, -3.0, -4.0], [math.nan, -3.0, -4.0]], [2, 3, 4])
    assert math.isnan(broken.interval.value)
    assert broken.interval.low is None
    assert broken.against_first is not None
    assert broken.against_first.chance == 1.0
    for found in (of_mean([1.0, math.nan]), of_whole(lambda _: math.nan, 5)):
        assert (found.low, found.high) == (None, None)
    assert difference([math.inf, 1.0], [1.0, 1.0]).could_be_chance


def test_a_perplexity_s_chance_is_about_the_tokens_that_the_perplexity_is_about() -> None:
    # Six long texts are far likelier, six texts of one token a little less likely.
    tokens = [100] * 6 + [1] * 6
    base = [-100.0 * n for n in range(3, 9)] + [-3.0] * 6
    other = [lp + 50 for lp in base[:6]] + [lp - 1 for lp in base[6:]]
    _, found = perplexities([base, other], tokens)
    assert found.against_first is not None
    assert found.against_first.value < 0
    assert not found.against_first.could_be_chance


def test_the_labels_of_the_whole_set_hold_for_a_part_of_it() -> None:
    found = scored([["a", "b", "b"]], [["a"], ["b"], ["c"]], ("a", "b", "c"))[0]
    assert found["label_accuracy"].interval.value == pytest.approx(200 / 3)
    assert "label_accuracy" not in scored([["a", "b", "b"]], [["a"], ["b"], ["c"]])[0]


def test_a_rare_label_that_is_always_recognised_lowers_no_interval() -> None:
    references = [["a"]] * 19 + [["b"]]
    found = scored([[own[0] for own in references]], references, ("a", "b"))[0]["macro_f1"]
    assert (found.interval.low, found.interval.value) == (100, 100)


def test_the_three_rouges_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    theirs = RougeScorer.score_multi

    def counting(self: RougeScorer, targets: Sequence[str], prediction: str) -> object:
        asked.append(prediction)
        return theirs(self, targets, prediction)

    monkeypatch.setattr(RougeScorer, "score_multi", counting)
    (found,) = scored([["one", "two"]], [["one"], ["three"]])
    assert {"rouge1", "rouge2", "rougeL"} <= set(found)
    assert asked == ["one", "two"]
