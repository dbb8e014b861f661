"""Draws and votes as the page keeps and shows them: what was stopped is not counted."""

import pytest

from demo.errors import Busy
from demo.records import Answer
from demo.ui.glass import batch, draws
from demo.ui.glass.ballot import ballot
from demo.ui.glass.votes import Election
from demo.ui.language import Texts

TEXTS = Texts.load()


def answer(text: str, reason: str = "end", reused: int = 19) -> Answer:
    done = bool(reason)
    return Answer(text, tokens=5, prompt_tokens=20, done=done, reason=reason, reused=reused)  # type: ignore[arg-type]


BATCH = [
    answer("It is 4.", reused=0),
    answer("It is <i>4</i>."),
    answer("It is 5.", "length"),
    answer("no idea"),
    answer("It is", ""),
    answer("It", "stopped"),
]


def voted(truth: str = "", rule: str = "last_number") -> str:
    return str(ballot(TEXTS, "en", BATCH, (rule, truth), live=False))


def said_by(*chains: str, truth: str = "") -> str:
    answers = [answer(chain) for chain in chains]
    return str(ballot(TEXTS, "en", answers, ("last_number", truth), live=False))


def test_answers_come_back_from_the_browser_as_they_were() -> None:
    assert batch.read_kept({"draws": batch.kept(BATCH)}) == BATCH


def test_what_is_malformed_in_a_browsers_value_is_dropped() -> None:
    assert batch.read_kept({"draws": [1, {"text": 2}, {"text": "a", "tokens": "x"}]}) == [
        Answer("a")
    ]
    assert batch.read_kept({"draws": [{"text": "a"}] * 500}) == [Answer("a")] * 32
    assert batch.read_kept(None) == batch.read_kept({"draws": 5}) == []


def test_a_vote_says_agreement_with_n_and_counts_what_had_no_answer() -> None:
    html = voted()
    assert "“4” wins: 2 of 4 chains agree (50 %)." in html
    assert "no answer found" in html
    assert "Stopped before their end and not counted: 2" in html
    assert html.count("<details") == 4
    assert "&lt;i&gt;4" in html


def test_the_measured_truth_is_told_where_the_right_answer_is_known() -> None:
    assert "The vote is right. A single chain says 4 in 2 of 4 cases: 50 %" in voted("4")
    assert "The vote is not right: the answer is 5. A single chain says so in 1 of 4" in voted("5")
    assert "The vote is" not in voted()


def test_a_tie_is_called_a_tie() -> None:
    html = said_by("1", "2", "1", "2", truth="1")
    assert "A tie between 1 · 2, with 2 of 4 chains each" in html
    assert "The vote is not right" in html


@pytest.mark.parametrize(
    ("chains", "said"),
    [
        (("1", "1"), "All 2 chains agree on “1” (100 %)."),
        (("1", "2"), "No two of 2 chains agree: 1 · 2, each from one chain (50 %)."),
        (("1", "2", "3", "4", "5"), "No two of 5 chains agree: 1 · 2 · 3 · 4 · …, each"),
        (("1", "none"), "“1” is the only answer that was found: one of 2 chains gives it (50 %)."),
        (("1",), "One chain came to its end and says “1”."),
        (("none",), "One chain came to its end, and no answer was found in it."),
        ((), "Stopped before the first chain began."),
    ],
)
def test_every_outcome_of_a_vote_has_a_sentence_that_fits(
    chains: tuple[str, ...], said: str
) -> None:
    assert said in said_by(*chains)


def test_one_chain_with_a_known_answer_is_right_or_not_and_has_no_interval() -> None:
    assert "That is right." in said_by("1", truth="1")
    html = said_by("1", truth="2")
    assert "That is not right: the answer is 2." in html
    assert "interval" not in html


def test_where_no_chain_came_to_its_end_nothing_is_voted_on() -> None:
    under_way = [answer("It is", "")] * 3
    html = str(ballot(TEXTS, "en", under_way, ("last_number", "1"), live=False))
    assert "None of the 3 chains came to an end" in html
    assert html.count("<p") == 1


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (("a", "a"), "2 draws, and all say the same."),
        (("a", "b"), "2 draws, and no text came twice."),
        (("a",), "One draw came to its end"),
        ((), "Stopped before the first draw began."),
    ],
)
def test_every_outcome_of_draws_has_a_sentence_that_fits(drawn: tuple[str, ...], said: str) -> None:
    answers = [answer(text) for text in drawn]
    html = str(draws._value(TEXTS, "en", answers, 0.8, None, live=False)["html"])
    assert said in html
    assert "for all 1 answers" not in html


def test_draws_that_were_all_stopped_are_said_to_be_so_once() -> None:
    html = str(draws._value(TEXTS, "en", [answer("a", "")] * 20, 0.0, None, live=False)["html"])
    assert "None of the 20 draws came to its end" in html
    assert html.count("<p") == 1


def test_without_any_answer_the_page_says_what_to_do() -> None:
    html = ballot(TEXTS, "en", [answer("a"), answer("b")], ("last_number", ""), live=False)
    assert "Choose another rule" in html


def test_the_prompt_counts_as_read_once() -> None:
    assert "Prompt tokens: 20; read for all 2 answers together: 21." in batch.cost(
        TEXTS, "en", BATCH[:2]
    )


def test_a_batch_of_failures_says_why_it_failed() -> None:
    failed = Answer(done=True, reason="error", error=Busy("visitor_busy", got=2))
    assert batch.failure([failed, failed]) is failed.error
    assert batch.failure([failed, answer("a")]) is None


def test_identical_draws_are_one_line_with_their_count() -> None:
    shown = draws._value(
        TEXTS, "en", [answer("Paris"), answer("Paris"), answer("Rome")], 0.8, None, live=False
    )
    html = str(shown["html"])
    assert "3 draws, 2 different texts. The most frequent came 2 times (66.7 %)." in html
    assert html.count("<li>") == 2
    assert "66.7%" in html


@pytest.mark.parametrize(
    ("texts", "found", "rule"),
    [
        (("17 + 25 = 32.", "The answer is 32."), True, "last_number"),
        (("17 + 25 = 32.", "No idea."), True, "none"),
        (("17 + 25 = 32.", "The answer is 32."), False, "none"),
        ((), True, "none"),
    ],
)
def test_last_number_counts_where_nobody_named_a_rule_and_every_chain_has_one(
    texts: tuple[str, ...], found: bool, rule: str
) -> None:
    answers = [Answer(text, done=True, reason="end") for text in texts]
    assert Election("none", "", answers, found=found).counted == rule
