"""The picture of the next token: what a browser keeps comes back whole, and every cut is told."""

import pytest

from demo.look_records import Candidate, NextToken
from demo.prompting.reshape import reshape
from demo.records import Sampling
from demo.ui.glass.distribution import distribution, percent, visible
from demo.ui.glass.next_token import packed, picture_of, unpacked
from demo.ui.language import LANGUAGES, Texts

SEEN = NextToken(
    (
        Candidate(1, " <b>Paris", 5.0),
        Candidate(2, "\n", 3.0, said=True),
        *(Candidate(n, f"t{n}", round(2.0 - n / 10, 1)) for n in range(3, 40)),
    ),
    ((-3.0, 1000), (-4.0, 2000)),
    7,
)


def shown(sampling: Sampling, language: str = "en") -> str:
    return str(distribution(Texts.load(), language, SEEN, reshape(SEEN, sampling), sampling))


def test_what_a_browser_keeps_is_what_was_looked_at() -> None:
    assert unpacked(packed(SEEN)) == SEEN


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"candidates": [], "tail": [], "prompt_tokens": 1},
        {"candidates": [[1, "a", "x", 0]], "tail": [], "prompt_tokens": 1},
        {"candidates": [[1, "a", float("nan"), 0]], "tail": [], "prompt_tokens": 1},
        {"candidates": [[1, "a", 1e9, 0]], "tail": [], "prompt_tokens": 1},
        {"candidates": [[1, "a", 1.0, 0]], "tail": [[0.0, -5]], "prompt_tokens": 1},
        {"candidates": [[1, "a", 1.0, 0]], "tail": [[0.0, 10**300]], "prompt_tokens": 1},
        {"candidates": 5, "tail": [], "prompt_tokens": 1},
        {"candidates": [[1, "a", 1.0]], "tail": None, "prompt_tokens": "x"},
    ],
)
def test_a_forged_distribution_draws_nothing(forged: dict[str, object]) -> None:
    assert unpacked(forged) is None
    assert picture_of(Texts.load(), "en", forged, Sampling()) == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cut_token_names_the_control_as_the_page_does(language: str) -> None:
    html = shown(Sampling(temperature=1.0, top_k=2), language)
    control = Texts.load().node(language, "components.sampling.top_k.label")
    assert html.count('<tr class="cut">') == 13
    assert html.count(str(Texts.load().say(language, "next_token.cut", control=control))) == 13


def test_temperature_0_says_what_greedy_takes() -> None:
    assert "it always takes “␣&lt;b&gt;Paris”" in shown(Sampling(temperature=0.0))


def test_tokens_are_escaped_and_their_spaces_made_visible() -> None:
    html = shown(Sampling(temperature=1.0))
    assert "<b>" not in html
    assert "␣&lt;b&gt;Paris" in html
    assert visible("\n\t") == "⏎⇥"


def test_all_other_tokens_are_one_row_with_their_number() -> None:
    html = shown(Sampling(temperature=1.0))
    assert "all others: 3,024" in html
    assert "may be drawn: 3,024" in html
    assert "may be drawn: 0" in shown(Sampling(temperature=1.0, top_k=5))


def test_a_share_that_rounds_to_nothing_is_said_to_be_less() -> None:
    texts = Texts.load()
    assert percent(texts, "en", 0.6123) == "61.2 %"
    assert percent(texts, "en", 0.00001) == "< 0.01 %"
    assert percent(texts, "en", 0.0) == "0 %"
