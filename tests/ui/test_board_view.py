"""The scoreboard in words and bars: chance, partial results and learned questions are said, texts are text."""

import math
from dataclasses import replace

import pytest

from demo.judging_records import Column, Difference, Interval, Judged, Score, Scoreboard
from demo.ui.judging.board_view import DASH, headline_metric, picture
from demo.ui.judging.scoreboard import chosen_set, columns
from demo.ui.language import LANGUAGES, Texts

TEXTS = Texts.load()
HOSTILE = "<script>alert(1)</script>${x}"


def score(value: float, apart: float | None = None, chance: float = 0.001, n: int = 4) -> Score:
    differs = None if apart is None else Difference(apart, apart - 1, apart + 1, chance, n)
    return Score(Interval(value, value - 5, value + 5, n), differs, (value,) * n)


def board(**fields: object) -> Scoreboard:
    base = Judged(Column(), "", ("a",) * 4, (3,) * 4, 80, 0.5, {"bleu": score(10.0)})
    adapted = replace(
        base,
        column=Column("x"),
        title=HOSTILE,
        scores={"bleu": score(40.0, 30.0)},
        answers=(HOSTILE,) * 4,
    )
    questions = tuple(f"question {n}" for n in range(4))
    references = tuple(("one of five or six words",) for _ in range(4))
    found = Scoreboard(questions, references, (), (base, adapted), 16, 16, done=True)
    return replace(found, **fields)  # type: ignore[arg-type]


def with_score(found: Score, metric: str = "bleu") -> Scoreboard:
    whole = board()
    last = replace(whole.columns[1], scores={**whole.columns[1].scores, metric: found})
    if metric != "bleu":
        first = replace(whole.columns[0], scores={**whole.columns[0].scores, metric: found})
        whole = replace(whole, columns=(first, last))
    return replace(whole, columns=(whole.columns[0], last))


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_said_in_every_language_and_texts_stay_texts(language: str) -> None:
    for found in (board(), board(stopped=True, learned=2), board(done=False), Scoreboard()):
        html = str(picture(TEXTS, language, found))
        assert "<script" not in html
        assert "{" not in html.replace("${x}", "")


def test_a_clear_difference_is_said_and_one_by_chance_is_faint_and_says_so() -> None:
    clear = str(picture(TEXTS, "en", board()))
    assert "30.0 more (n = 4). Hardly chance" in clear
    assert "could-be-chance" not in clear
    chance = str(picture(TEXTS, "en", with_score(score(12.0, 2.0, chance=0.4))))
    assert "could be chance, which alone makes so large a difference in 40 % of cases" in chance
    assert "could-be-chance" in chance


def test_a_worse_column_is_called_worse() -> None:
    assert "5.0 less (n = 4)" in str(picture(TEXTS, "en", with_score(score(5.0, -5.0))))


def test_what_is_partial_and_what_was_learned_is_said_first() -> None:
    html = str(picture(TEXTS, "en", board(stopped=True, learned=3)))
    assert html.index("a partial result over 4 of 4") < html.index("verdict")
    assert "3 of these questions stood among the rows" in html


def test_one_question_claims_nothing() -> None:
    alone = with_score(Score(Interval(40.0, None, None, 1), None, (40.0,)))
    html = str(picture(TEXTS, "en", alone))
    assert "says nothing about other questions" in html
    assert "no interval" in html


def test_what_is_no_number_is_a_dash_and_what_is_endless_is_cut() -> None:
    broken = Score(Interval(math.nan, None, None, 4), Difference(math.nan, None, None, 1.0, 4))
    html = str(picture(TEXTS, "en", with_score(broken, "perplexity")))
    assert "nan" not in html
    assert DASH in html
    endless = Score(Interval(1e304, 1e300, 1e304, 4), None, (1e304,) * 4)
    html = str(picture(TEXTS, "en", with_score(endless, "perplexity")))
    assert "&gt; 10⁶" in html
    assert "000000" not in html


def test_while_answers_come_in_n_is_that_of_the_scores() -> None:
    whole = board(done=False)
    columns = tuple(replace(c, answers=(*c.answers, "new")) for c in whole.columns)
    html = str(picture(TEXTS, "en", replace(whole, columns=columns)))
    assert "n = 4;" in html


def test_the_metric_fits_the_references() -> None:
    assert headline_metric(board()) == "bleu"
    assert headline_metric(board(references=(("Paris",),) * 4)) == "f1"
    assert headline_metric(board(labels=("no", "yes"))) == "label_accuracy"


def test_columns_are_the_base_the_adapters_and_the_base_with_more() -> None:
    assert columns(["a", "base", 3], ["shots", "steps", "?"], 8) == (
        Column(), Column("a"), Column(shots=8), Column(steps=True),
    )  # fmt: skip


def test_own_choices_mean_what_the_browser_remembers() -> None:
    memory = {"dataset": "d1", "run": "r1"}
    assert chosen_set("own", memory) == "d1"
    assert chosen_set("run", memory) == "run:r1"
    assert chosen_set("sample:reviews", memory) == "sample:reviews"
