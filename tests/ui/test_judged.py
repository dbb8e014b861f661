"""What the judge's fold says of scores, and what it takes back from a browser."""

import gradio as gr
import pytest

from demo.prompting.judging import questions
from demo.records import Scored, TokenChoice
from demo.ui.glass import judged, pairs
from demo.ui.language import LANGUAGES, Texts

TEXTS = Texts.load()


def score(*logprobs: float) -> Scored:
    return Scored(tuple(TokenChoice(n, f"<t{n}>", p, n + 1) for n, p in enumerate(logprobs)), 3)


FOUND: judged.Judged = ((" short.", score(-2.0)), (" a longer one.", score(-1.0, -1.5)))


def test_the_verdict_names_winner_ratio_and_that_it_flips() -> None:
    whole = str(judged.view(TEXTS, "en", FOUND, per_token=False))
    assert "“short” wins: as a whole it is 1.65 times as probable as “a longer one”." in whole
    assert "per token, “a longer one” would win" in whole
    mean = str(judged.view(TEXTS, "en", FOUND, per_token=True))
    assert "“a longer one” wins: per token" in mean
    assert "as a whole, “short” would win" in mean


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_tells_every_token_and_escapes_it(language: str) -> None:
    html = str(judged.view(TEXTS, language, FOUND, per_token=False))
    assert html.count("<tr><td><code>&lt;t") == 3
    assert "<t0>" not in html


def test_scores_come_back_from_a_browser_as_they_went() -> None:
    again = judged.read_kept({"judged": judged.kept(FOUND)})
    assert judged.view(TEXTS, "en", again, True) == judged.view(TEXTS, "en", FOUND, True)


@pytest.mark.parametrize(
    "value",
    [None, 3, {"judged": 4}, {"judged": [["a"]]}, {"judged": [["a", [[1, "x", "nan", 1]]]] * 2}],
)
def test_what_no_judge_has_written_is_dropped(value: object) -> None:
    assert judged.read_kept(value) == ()


def test_pronouns_are_counted_with_interval_and_luck_is_said() -> None:
    asked = questions("pronouns")
    always_first = [[-1.0, -2.0] for _ in asked]
    value = pairs.settle(Shelled(), {"kind": "pronouns", "scores": always_first}, "en")
    html = str(value["html"])
    assert f"{len(asked) // 2} of {len(asked)} right: 50 % (95 % interval " in html
    assert "could be luck" in html
    assert f"right: 0 of {len(asked) // 2}." in html
    right = [[-1.0, -9.0] if q.right == 0 else [-9.0, -1.0] for q in asked]
    html = str(pairs.settle(Shelled(), {"kind": "pronouns", "scores": right}, "en")["html"])
    assert "hardly luck" in html


def test_what_was_judged_before_a_stop_is_kept_and_said() -> None:
    value = pairs.settle(Shelled(), {"kind": "words", "scores": [[-1.0, -2.0]] * 3}, "en")
    assert f"Stopped after 3 of {len(questions('words'))}." in str(value["html"])
    for broken in (None, {"kind": "words", "scores": [["x"]]}, {"scores": [[-1.0]]}):
        assert "Stopped before the first" in str(pairs.settle(Shelled(), broken, "en")["html"])


def test_a_stop_settles_one_kind_and_leaves_the_others_result() -> None:
    done = pairs.settle(Shelled(), {"kind": "pronouns", "scores": [[-1.0, -2.0]]}, "en")
    live = {"kind": "words", "scores": [[-1.0, -2.0]], "html": "judging"}
    left, settled = pairs.settle_all(Shelled(), "en", pronouns=done, words=live)
    assert left == gr.skip()
    assert "Stopped after 1 of" in str(settled["html"])
    assert pairs.settle_all(Shelled(), "en", pronouns={"html": ""}, words=None) == [gr.skip()] * 2


class Shelled:
    """A shell that has nothing but its texts."""

    texts = TEXTS


def test_tokens_that_share_a_character_are_shown_as_that_character() -> None:
    tokens = [
        TokenChoice(1, " \ufffd", -1.0, 1),
        TokenChoice(2, "\ufffd", -2.0, 2),
        TokenChoice(3, ".", -0.001, 1),
    ]
    found = ((" 東.", Scored(tuple(tokens), 3)), FOUND[0])
    html = str(judged.view(TEXTS, "en", found, per_token=False))
    assert ">東</span>" in html.replace("> 東", ">東")
    assert "2 tokens, readable only together · 4.98 %" in html
    assert html.count("part of a character") == 2
    assert "\ufffd" not in html
    assert "-0.00<" not in html


@pytest.mark.parametrize(
    ("value", "count"), [({"repeated": 2}, 2), (None, 0), ({"repeated": "x"}, 0)]
)
def test_continuations_given_more_than_once_are_told(value: object, count: int) -> None:
    assert judged.read_repeated(value) == count
    note = str(judged.repeated_note(TEXTS, "en", count))
    assert ("judged only once: 2" in note) == (count == 2)
