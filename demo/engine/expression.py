"""Who answers, as a visitor may write it: a name, `name@0.5`, or `name@0.7 + other@0.3`.

Pure text to terms; whether there is such an adapter is decided where adapters are known.
"""

from dataclasses import dataclass

from demo.checks import bounded
from demo.errors import BadInput
from demo.methods.limits import MOST_TERMS, STRONGEST, WEAKEST
from demo.records import BASE


@dataclass(frozen=True)
class Term:
    """One adapter at a strength."""

    name: str
    strength: float = 1.0


def parse(expression: str) -> tuple[Term, ...]:
    """The terms of an expression; none for the base.

    Raises:
        BadInput: a strength is no number or out of range, there are too many terms, or the base is
            among them: it stands below every sum already.
    """
    if expression == BASE:
        return ()
    if not isinstance(expression, str):
        raise BadInput("adapter_sum", got=type(expression).__name__)
    terms = tuple(_term(part) for part in expression.split("+"))
    if len(terms) > MOST_TERMS or (BASE in (t.name for t in terms)):
        raise BadInput("adapter_sum", got=expression[:80])
    return terms


def _term(text: str) -> Term:
    name, at, strength = (part.strip() for part in text.partition("@"))
    if not at:
        return Term(name)
    return Term(name, bounded("strength", strength, WEAKEST, STRONGEST))
