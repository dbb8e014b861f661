"""What judging asks for and finds: columns, scores with n and interval, paired differences; frozen and plain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from demo.checks import check_ranges
from demo.errors import BadInput
from demo.records import BASE, TokenChoice

MOST_COLUMNS = 4
UNLIKELY = 0.05
"""A difference that chance makes more often than this is said to be chance's."""


@dataclass(frozen=True)
class Interval:
    """A score with the range that holds the true one 95 times in 100."""

    value: float
    low: float | None
    high: float | None
    """None where one question, or none, was asked."""
    n: int


@dataclass(frozen=True)
class Difference:
    """How much better one column is than another on the same questions."""

    value: float
    low: float | None
    high: float | None
    """None where only a chance is known."""
    chance: float
    """How often chance alone makes a difference as large."""
    n: int

    @property
    def could_be_chance(self) -> bool:
        """Whether chance alone makes it too often to rule it out."""
        return self.chance >= UNLIKELY


@dataclass(frozen=True)
class Score:
    """One column's score by one metric."""

    interval: Interval
    against_first: Difference | None = None
    """None for the first column itself, and where one question says nothing about others."""
    rows: tuple[float, ...] = ()
    """One figure a question; empty where the metric has none."""


@dataclass(frozen=True)
class Column:
    """Who answers, and with what in front of the question."""

    adapter: str = BASE
    """As in `AnswerRequest`."""
    shots: int = 0
    """Solved rows in front, none of which is asked."""
    steps: bool = False
    """Asks for a chain of thought; solved rows that show their steps show them."""

    RANGES: ClassVar[dict[str, tuple[float, float, type]]] = {"shots": (0, 32, int)}

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)


@dataclass(frozen=True)
class JudgeRequest:
    """How good are the answers of some columns to questions of a dataset?"""

    dataset: str
    """A sample or an upload; `run:` and a run's id for the rows that this run held out."""
    columns: tuple[Column, ...]
    prompt: str = ""
    """A prompt file that frames every question; empty asks as the rows do."""
    workspace: str = ""
    visitor: str = ""
    questions: int = 48
    """The most; a small set has fewer."""
    max_new_tokens: int = 80
    rule: str = "none"
    """Takes the answer out of what was written, as `answer:` in a prompt file does."""
    seed: int = 0

    RANGES: ClassVar[dict[str, tuple[float, float, type]]] = {
        "questions": (1, 200, int),
        "max_new_tokens": (1, 256, int),
        "seed": (0, 2**31 - 1, int),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
        if not 1 <= len(self.columns) <= MOST_COLUMNS:
            got = len(self.columns)
            raise BadInput("out_of_range", field="columns", low=1, high=MOST_COLUMNS, got=got)


@dataclass(frozen=True)
class Judged:
    """One column's answers and what they are worth."""

    column: Column
    title: str = ""
    """What people call who answers; empty for the base model."""
    answers: tuple[str, ...] = ()
    """As far as they are complete; in the order of the questions."""
    lengths: tuple[int, ...] = ()
    """Tokens of each answer."""
    prompt_tokens: int = 0
    """Read, of all questions."""
    seconds: float = 0.0
    """From question to end of the answer, on average."""
    scores: Mapping[str, Score] = field(default_factory=dict)
    """Metric -> score; of the answers so far."""


@dataclass(frozen=True)
class Scoreboard:
    """How far judging has come."""

    questions: tuple[str, ...] = ()
    references: tuple[tuple[str, ...], ...] = ()
    labels: tuple[str, ...] = ()
    """Where the references are a few labels."""
    columns: tuple[Judged, ...] = ()
    total: int = 0
    """Calls of the model that are planned."""
    asked: int = 0
    seconds: float = 0.0
    seconds_left: float = 0.0
    learned: int = 0
    """Questions that stood among the training rows of a column's run."""
    stopped: bool = False
    done: bool = False

    @property
    def n(self) -> int:
        """Questions that every column has answered."""
        return min((len(column.answers) for column in self.columns), default=0)

    @property
    def scored(self) -> int:
        """Questions that the scores are of: while answers come in, some fewer than `n`."""
        scores = (score for column in self.columns for score in column.scores.values())
        return max((score.interval.n for score in scores), default=0)


@dataclass(frozen=True)
class XRayToken:
    """One token of a text as two models judge it."""

    base: TokenChoice
    adapted: TokenChoice

    @property
    def change(self) -> float:
        """By how many nats the adapter made it likelier; below 0 less likely."""
        return self.adapted.logprob - self.base.logprob


@dataclass(frozen=True)
class XRay:
    """A text under base and adapter."""

    tokens: tuple[XRayToken, ...]
    prompt_tokens: int
    fork: int = -1
    """The first place where the two would say different tokens; -1 where there is none."""

    @property
    def change(self) -> float:
        """By how many nats the adapter made the whole text likelier."""
        return sum(token.change for token in self.tokens)

    @property
    def unchanged(self) -> bool:
        """Whether every probability is the same to the bit: the adapter does nothing here."""
        return all(token.base == token.adapted for token in self.tokens)
