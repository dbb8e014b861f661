"""Who answers, as a visitor may write it."""

import pytest

from demo.engine.expression import Term, parse
from demo.errors import BadInput


@pytest.mark.parametrize(
    ("expression", "terms"),
    [
        ("base", ()),
        ("restaurants", (Term("restaurants"),)),
        ("restaurants@0.5", (Term("restaurants", 0.5),)),
        (" a @ -0.5 + b@1.5", (Term("a", -0.5), Term("b", 1.5))),
        ("a+b", (Term("a"), Term("b"))),
        ("", (Term(""),)),
    ],
)
def test_an_expression_has_names_and_strengths(expression: str, terms: tuple[Term, ...]) -> None:
    assert parse(expression) == terms


@pytest.mark.parametrize(
    ("expression", "expected_error"),
    [
        ("a@2", "strength must be between -0.5 and 1.5; got '2'"),
        ("a@nan", "strength must be between"),
        ("a@", "strength must be a number"),
        ("a@0.5@0.5", "strength must be a number"),
        ("a+b+c", "a sum of two"),
        ("base@0.5", "the base model is part of every sum"),
        ("a@0.5 + base", "the base model is part of every sum"),
    ],
)
def test_an_expression_that_means_nothing_is_refused(expression: str, expected_error: str) -> None:
    with pytest.raises(BadInput, match=expected_error):
        parse(expression)
