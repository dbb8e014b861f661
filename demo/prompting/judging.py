"""Whole continuations compared by their probability: which one wins, by how much, and shipped pairs to try.

After Radford et al. (2019) and, for pronouns, Trinh & Le (2018): every candidate is put in the
pronoun's place and the likelier sentence is the answer. Knows scores, not who gives them.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from demo.checks import bounded, checked_text
from demo.errors import BadInput
from demo.records import Scored
from demo.settings import ROOT

PAIRS = ROOT / "prompts" / "pairs.yaml"
FEWEST, MOST = 2, 6
"""Continuations that are compared at once."""
LONGEST = 4_000
"""Characters of a continuation."""

Kind = Literal["pronouns", "words"]
"""Who is meant, with one right answer; or the same sentence with one word changed, with none."""


@dataclass(frozen=True)
class Question:
    """A beginning, and what may follow it."""

    kind: Kind
    before: str
    options: tuple[str, ...]
    right: int | None = None
    """Which option is the right one, where one is."""


@dataclass(frozen=True)
class Verdict:
    """The winner, and by how much."""

    order: tuple[int, ...]
    """The continuations, the likeliest first."""
    ratio: float
    """How many times as probable the first is as the second: as a whole, or per token."""

    @property
    def winner(self) -> int:
        """The likeliest continuation."""
        return self.order[0]


def verdict(scored: Sequence[Scored], *, per_token: bool) -> Verdict:
    """Compare continuations as a whole, where a longer one pays for every token, or per token."""
    measure = [one.mean_logprob if per_token else one.logprob for one in scored]
    order = sorted(range(len(measure)), key=lambda n: -measure[n])
    first, second = (measure[n] for n in order[:2])
    return Verdict(tuple(order), math.exp(min(first - second, 700.0)))


def flips(scored: Sequence[Scored]) -> bool:
    """Whether the winner is another one when length is taken out."""
    whole, mean = (verdict(scored, per_token=by) for by in (False, True))
    return whole.winner != mean.winner


def continuations_of(lines: str, before: str = "") -> tuple[str, ...]:
    """One continuation a line, as they follow a text.

    A space is put before a line where the text ends without one; empty lines are left out, and equal
    ones count once: nothing can be told between them.

    Raises:
        BadInput: there are too few or too many, all are equal, or one is too long.
    """
    given = lines_of(lines)
    options = list(dict.fromkeys(given))
    if len(given) > len(options) == 1:
        raise BadInput("continuations_equal")
    bounded("continuations", len(options), FEWEST, MOST, int)
    checked = [checked_text("continuations", option, LONGEST) for option in options]
    return joined_to(before, checked)


def lines_of(lines: str) -> list[str]:
    """What stands on each line that is not empty."""
    return [line.strip() for line in str(lines or "").splitlines() if line.strip()]


def joined_to(before: str, options: Iterable[str]) -> tuple[str, ...]:
    """Options as they follow a text, with a space between where neither brings one."""
    gap = " " if before and not before[-1].isspace() else ""
    return tuple(option if option[:1] in ",.;:!?" else gap + option for option in options)


def questions(kind: Kind) -> tuple[Question, ...]:
    """The shipped pairs of a kind; of pronouns, the twins stand one after the other."""
    return tuple(question for question in _shipped(PAIRS) if question.kind == kind)


def right_twins(right: Sequence[bool]) -> int:
    """Of answers to twins in order: how often both were right."""
    return sum(one and other for one, other in zip(right[::2], right[1::2], strict=True))


@cache
def _shipped(path: Path) -> tuple[Question, ...]:
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    twins = [twin for entry in given["pronouns"] for twin in _twins(**entry)]
    words = [Question("words", one["before"], tuple(one["options"])) for one in given["words"]]
    return (*twins, *words)


def _twins(before: str, who: Sequence[str], endings: Sequence[str]) -> list[Question]:
    return [
        Question("pronouns", before, tuple(f"{name} {ending}" for name in who), right)
        for right, ending in enumerate(endings)
    ]


def packed(scored: Scored) -> list[list[Any]]:
    """A score as a browser keeps it."""
    return [[t.id, t.text, round(t.logprob, 5), t.rank] for t in scored.tokens]
