from markupsafe import Markup

from demo.ui.language import LANGUAGES, Texts
from demo.ui.shots_view import marked, taken_line

TEXTS = Texts.load()


def test_place_of_the_answer_is_marked_in_the_text() -> None:
    shown = marked("last_number", "<b> 6 x 3 = 18 balls")
    assert shown == Markup('&lt;b&gt; 6 x 3 = <mark class="taken">18</mark> balls')
    assert marked("none", "6 x 3 = 18") == marked("", "6 x 3 = 18") == "6 x 3 = 18"
    assert marked("last_number", "no number") == "no number"


def test_page_says_what_it_took_or_what_it_looked_for() -> None:
    assert "<strong>18</strong>" in taken_line(TEXTS, "en", "last_number", "so 18.")
    nothing = taken_line(TEXTS, "en", "after_hashes", "so 18.")
    assert "looked for what stands after ####" in nothing
    assert taken_line(TEXTS, "en", "none", "so 18.") == ""
    assert taken_line(TEXTS, "en", "label", " ") == ""


def test_every_rule_is_named_in_every_language() -> None:
    for language in LANGUAGES:
        for rule in ("first_line", "last_number", "after_hashes", "label", "json"):
            assert taken_line(TEXTS, language, rule, "\N{OTTER} 7 {")
