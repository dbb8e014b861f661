"""The doctor's report in every language, and nobody's rows are ever part of the page's markup."""

import pytest

from demo.data.damage import PROBLEMS, cure_of, problem_of
from demo.dataset_records import Bar, Damage, Example, Finding, Fix, FixDone, Report
from demo.errors import BadInput
from demo.records import Message
from demo.run_records import Row
from demo.ui.errors import explain
from demo.ui.language import LANGUAGES, Texts
from demo.ui.tuning.report_view import report
from demo.ui.tuning.row_view import first_row

TEXTS = Texts.load()
HOSTILE = "<img src=x onerror=alert(1)>${alert(1)}{{x}}"
EVERYTHING = {
    "column": HOSTILE,
    "problem": HOSTILE,
    "got": HOSTILE,
    "wanted": 2,
    "high": 3,
    "turn": 1,
}


def damages() -> tuple[Damage, ...]:
    return tuple(Damage(n, key, EVERYTHING) for n, key in enumerate(PROBLEMS, 1))


def full_report(place: str) -> Report:
    examples = (Example(3, HOSTILE, ""), Example(4, "a\u200bb", "ab"))
    broken = [
        Finding("damaged", "error", 1, (n,), fix=Fix("leave_damaged"), damage=(damage,))
        for n, damage in enumerate(damages(), 1)
    ]
    label = Finding("one_label", "warning", 9, values={"label": HOSTILE, "share": 100})
    long = Finding(
        "too_long", "warning", 2, (3, 4), {"high": 40}, Fix("leave_long", 40), 7, examples
    )
    done = (FixDone(Fix("leave_repeated"), 9, 8, 1, examples),)
    bars = (Bar(0, 9, 5), Bar(50, 59, 1), Bar(60, 60, 2))
    return Report("d", 9, (*broken, long, label), bars, 9, 60, 40, place, fixes=done)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", ["line", "row"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_be_found_is_said_and_escaped(language: str, place: str) -> None:
    html = str(report(TEXTS, language, full_report(place)))
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "a[200B]b" in html
    assert 'data-fix="leave_long" data-limit="40" data-undo="no"' in html
    assert 'data-fix="leave_repeated" data-limit="0" data-undo="yes"' in html
    assert html.count('class="over"') == 2
    assert html.count("finding ") == len(PROBLEMS) + 2


def test_a_healthy_dataset_is_said_to_be_one() -> None:
    html = str(report(TEXTS, "en", Report("d", 5, (), (), 0, 0, 512)))
    assert "Nothing was found in 5 rows" in html
    assert "<button" not in html


def test_first_row_is_escaped() -> None:
    row = Row(1, (Message("user", HOSTILE), Message("assistant", HOSTILE)))
    for text in (HOSTILE, ""):
        assert "<img" not in str(first_row(TEXTS, "en", text, row))


@pytest.mark.parametrize("damage", damages(), ids=PROBLEMS)
def test_refusals_say_their_problem_in_the_page_s_language(damage: Damage) -> None:
    error = BadInput(
        "file_line", file="a.csv", line=7, problem=problem_of(damage), cure=cure_of(damage)
    )
    said = {language: explain(TEXTS, language, error) for language in LANGUAGES}
    assert len(set(said.values())) == len(LANGUAGES)
    assert str(error).startswith("a.csv, line 7: ")
    for language in ("hu", "pl"):
        assert TEXTS.node(language, f"say.damage.{damage.key}.cure") in said[language]
