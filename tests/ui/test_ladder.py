"""The ladder of a search: what has not been asked says so, and many comparisons are allowed for."""

import pytest

from demo.experiment_records import Measured, Rung, Search
from demo.ui.glass.ladder import compared, picture
from demo.ui.language import LANGUAGES, Texts

TEXTS = Texts.load()
ASKED = Measured((True, False, True, True), 41.5, 0.3, 0.95)
GIVEN = Rung("given", "Mood?", ASKED)


def search(*others: Rung, done: bool = True) -> Search:
    return Search("done" if done else "score", rungs=(GIVEN, *others), questions=4, done=done)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rung_without_a_question_has_neither_score_nor_bar(language: str) -> None:
    html = str(
        picture(TEXTS, language, search(Rung("proposed", "Say it.", Measured()), done=False))
    )
    assert TEXTS.say(language, "search.not_asked") in html
    assert html.count("·") == 1  # One score, with its cost.
    assert html.count("rung-bar") == 1


def test_chance_is_corrected_for_as_many_prompts_as_were_compared() -> None:
    tried = [Rung("proposed", f"No. {n}", ASKED, 0.02) for n in range(3)]
    html = str(picture(TEXTS, "en", search(*tried)))
    assert "Compared with the first prompt: 3." in html
    assert html.count("could be chance") == 4  # The headline and every rung.
    alone = str(picture(TEXTS, "en", search(tried[0])))
    assert "One was compared" in alone
    assert "could be chance" not in alone


def test_a_rung_that_is_still_being_asked_counts_for_nothing() -> None:
    begun = Rung("none", "", Measured((True,), 3.0, 0.0, 1.0), 1.0)
    rungs = compared((GIVEN, Rung("proposed", "x", ASKED, 0.02), begun), 4)
    assert [rung.chance for rung in rungs] == [1.0, 0.02, 1.0]
