"""Numbers are found as people and models write them."""

import pytest

from demo.prompting.extract import EXTRACTORS, taken
from demo.prompting.figures import bare, figures, leading, value
from demo.prompting.votes import same, tally


@pytest.mark.parametrize(
    ("text", "plain", "place"),
    [
        ("3-4", "4", "4"),
        ("10 - 4", "4", "4"),
        ("-3", "-3", "-3"),
        ("it fell to \N{MINUS SIGN}5.5 degrees", "-5.5", "\N{MINUS SIGN}5.5"),
        ("(-5)", "-5", "-5"),
        ("-1,-2", "-2", "-2"),
        ("a loss of -$5", "-5", "-$5"),
        ("x is .5", "0.5", ".5"),
        ("x is -.5", "-0.5", "-.5"),
        ("No.5", "5", "5"),
        ("about 5e3 people", "5000", "5e3"),
        ("1.5E-3", "0.0015", "1.5E-3"),
        ("room 5e3f", "3", "3"),
        ("So 1,200.50 are left.", "1200.50", "1,200.50"),
        ("1,2345", "2345", "2345"),
        ("1, 2,3", "3", "3"),
        ("F-16", "16", "16"),
        ("50%", "50", "50"),
        ("5.", "5", "5"),
        ("1e" + "9" * 400, "9" * 400, "9" * 400),
    ],
)
def test_last_number_is_what_a_reader_would_say(text: str, plain: str, place: str) -> None:
    found = taken("last_number", text)
    assert (found.answer, text[found.start : found.end]) == (plain, place)


@pytest.mark.parametrize(
    ("text", "plain"), [("3,5", "5"), ("1 200", "200"), ("3,50 z\u0142", "50")]
)
def test_comma_and_space_are_no_part_of_a_number_outside_thousands(text: str, plain: str) -> None:
    assert figures(text)[-1].plain == plain


EIGHTEEN = (
    "18", "$18", "18 dollars", "**18**", "18.", "**$18**", "**18.** So", "18 (eighteen)", "$18 per day.",
    "18.00", "18%", "18 €", "$18$", "`18`", "1.8e1",
)  # fmt: skip


def test_one_result_is_one_vote_however_it_is_written_after_the_mark() -> None:
    votes = tally([f"So it is 7.\n#### {text}" for text in EIGHTEEN], EXTRACTORS["after_hashes"])
    assert [vote.count for vote in votes.votes] == [len(EIGHTEEN)]
    assert votes.given("18") == votes.given("$18") == len(EIGHTEEN)


@pytest.mark.parametrize(
    "text", ["18 apples and 3 pears", "3/4", "12:30", "5 + 3 = 8", "1st", "3, 4", "3-4", "x = 3"]
)
def test_result_that_is_more_than_one_number_is_taken_whole(text: str) -> None:
    assert EXTRACTORS["after_hashes"](f"#### {text}\n") == text
    assert leading(text) is None


@pytest.mark.parametrize(
    ("text", "answer", "place"),
    [
        ("**Yes**", "Yes", "Yes"),
        ("red, blue", "red, blue", "red, blue"),
        ("**$1,048**", "1048", "1,048"),
    ],
)
def test_result_stands_between_the_marks_around_it(text: str, answer: str, place: str) -> None:
    text = f"#### {text}"
    found = taken("after_hashes", text)
    assert (found.answer, text[found.start : found.end]) == (answer, place)


@pytest.mark.parametrize(
    ("answer", "other", "equal"),
    [
        ("$18", "18", True),
        ("**18**", "18.0", True),
        ("**Positive.**", "positive", True),
        ("**Positive**.", "positive", True),
        ("\N{MINUS SIGN}5", "-5", True),
        ("-0", "0", True),
        (".5", "0.50", True),
        ("5e3", "5,000", True),
        ("5e-3", "0.005", True),
        ("1e999", "1e998", False),
        ("18 dollars", "18", False),
        ("a*b", "ab", False),
        ("$", "", False),
    ],
)
def test_answers_are_the_same_whatever_stands_around_them(
    answer: str, other: str, equal: bool
) -> None:
    assert same(answer, other) is equal


@pytest.mark.parametrize("text", ["", "*", "**", "$", "...", "-", "-$", "e5", "\N{MINUS SIGN}"])
def test_what_is_no_number_is_never_taken_for_one(text: str) -> None:
    assert value(bare(text)) is None
    assert leading(text) is None
