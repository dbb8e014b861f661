"""Count what several answers to one question say: identical texts, votes on the answer, agreement.

Self-consistency (Wang et al. 2022): draw several chains of thought, take the answer that most of
them end with. Knows no model and no prompt: texts in, counts out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demo.prompting.figures import bare, value


@dataclass(frozen=True)
class Vote:
    """One answer and who gave it."""

    answer: str
    """As it was written the first time."""
    chains: tuple[int, ...]
    """Places of the texts that say so."""

    @property
    def count(self) -> int:
        """How many say so."""
        return len(self.chains)


@dataclass(frozen=True)
class Tally:
    """The votes of all texts."""

    votes: tuple[Vote, ...]
    """The most frequent answer first; among equals, the one that came first."""
    unparsable: tuple[int, ...]
    """Places of the texts in which no answer was found."""

    @property
    def count(self) -> int:
        """Texts that were drawn, with an answer or without."""
        return sum(vote.count for vote in self.votes) + len(self.unparsable)

    @property
    def winners(self) -> tuple[Vote, ...]:
        """The answer with the most votes; several when they are equal."""
        return tuple(v for v in self.votes if v.count == self.votes[0].count)

    @property
    def agreement(self) -> float:
        """The winner's share of all texts, those without an answer included."""
        return self.votes[0].count / self.count if self.votes else 0.0

    def given(self, truth: str) -> int:
        """How many texts give this answer."""
        return sum(vote.count for vote in self.votes if same(vote.answer, truth))


def grouped(texts: Sequence[str]) -> tuple[Vote, ...]:
    """Identical texts together, the most frequent first; space around them does not count."""
    return _gathered([(place, text.strip()) for place, text in enumerate(texts)], str)


def tally(texts: Sequence[str], extract: Callable[[str], str]) -> Tally:
    """Votes on the answers that an extractor finds.

    Args:
        texts: what was drawn, each a vote.
        extract: finds the answer, or an empty text; one of `EXTRACTORS`.
    """
    answers = [(place, extract(text)) for place, text in enumerate(texts)]
    found = [(place, answer) for place, answer in answers if answer]
    missing = tuple(place for place, answer in answers if not answer)
    return Tally(_gathered(found, canonical), missing)


def same(answer: str, other: str) -> bool:
    """Whether two answers say the same: 4.0 is 4, and neither capitals nor **emphasis** count."""
    return canonical(answer) == canonical(other)


def canonical(answer: str) -> str:
    """An answer in the form in which it is compared."""
    plain = bare(" ".join(answer.split()).casefold())
    number = value(plain)
    return plain if number is None else number


def _gathered(answers: Sequence[tuple[int, str]], key: Callable[[str], str]) -> tuple[Vote, ...]:
    places: dict[str, list[int]] = {}
    written: dict[str, str] = {}
    for place, answer in answers:
        written.setdefault(key(answer), answer)
        places.setdefault(key(answer), []).append(place)
    votes = [Vote(written[k], tuple(chains)) for k, chains in places.items()]
    return tuple(sorted(votes, key=lambda vote: -vote.count))
