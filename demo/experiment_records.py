"""What experiments on prompts are asked for and what they have found so far: frozen, plain, checked on creation."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from demo.checks import check_ranges
from demo.records import BASE

VariantKind = Literal["as_given", "order", "wording", "random_labels", "zero"]
KINDS: tuple[VariantKind, ...] = ("order", "wording", "random_labels", "zero")
"""What is varied, one at a time, against the prompt as given."""
SearchKind = Literal["instructions", "chains"]
RungKind = Literal["given", "none", "proposed", "plain", "steps", "hand", "model"]


@dataclass(frozen=True)
class SensitivityRequest:
    """How much does accuracy depend on what should not matter?"""

    dataset: str
    workspace: str = ""
    visitor: str = ""
    adapter: str = BASE
    """As in `AnswerRequest`."""
    wordings: tuple[str, ...] = ()
    """Instructions that mean the same; the first is the prompt's own. Empty: the lab's."""
    shots: int = 4
    questions: int = 24
    """The most; a small set has fewer rows to hold out."""
    orders: int = 5
    """Other orders of the same shots."""
    random_labels: int = 3
    """How often the shots' labels are drawn at random."""
    seed: int = 0

    RANGES: ClassVar[dict[str, tuple[float, float, type]]] = {
        "shots": (1, 32, int),
        "questions": (4, 64, int),
        "orders": (0, 10, int),
        "random_labels": (0, 10, int),
        "seed": (0, 2**31 - 1, int),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)


@dataclass(frozen=True)
class SearchRequest:
    """Can the model write its own prompt?"""

    kind: SearchKind
    dataset: str
    workspace: str = ""
    visitor: str = ""
    adapter: str = BASE
    candidates: int = 8
    """Instructions, or worked examples, that the model writes."""
    examples: int = 6
    """Solved rows that it is shown when it proposes an instruction."""
    questions: int = 20
    """For each rung, at most."""
    temperature: float = 0.9
    seed: int = 0

    RANGES: ClassVar[dict[str, tuple[float, float, type]]] = {
        "candidates": (2, 16, int),
        "examples": (2, 12, int),
        "questions": (4, 40, int),
        "temperature": (0.1, 2.0, float),
        "seed": (0, 2**31 - 1, int),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)


@dataclass(frozen=True)
class Measured:
    """Right and wrong answers of one prompt, question by question."""

    right: tuple[bool, ...] = ()
    prompt_tokens: float = 0.0
    """Mean cost of one call."""
    low: float = 0.0
    high: float = 1.0
    """95 % interval of the share (Wilson 1927)."""

    @property
    def count(self) -> int:
        """Questions asked."""
        return len(self.right)

    @property
    def share(self) -> float:
        """Accuracy; 0 where nothing was asked yet."""
        return sum(self.right) / max(self.count, 1)


@dataclass(frozen=True)
class Variant:
    """One way to put the same questions, and how it did."""

    kind: VariantKind
    number: int
    """1, 2, … within its kind."""
    detail: str
    """What is different: the instruction, the order, the labels."""
    measured: Measured
    complete: bool
    """Every question was asked."""


@dataclass(frozen=True)
class KindFinding:
    """What a kind of variants amounts to."""

    kind: VariantKind
    count: int
    """Complete variants, the prompt as given among them where it is one of the kind."""
    mean: float
    low: float
    high: float
    """95 % interval of the mean, as if one question were one trial: several variants ask the same ones."""
    best: float
    worst: float
    chance: float
    """How often chance alone sets the variants so far apart, or so far from the prompt as given."""


@dataclass(frozen=True)
class Sensitivity:
    """An experiment as far as it has come."""

    variants: tuple[Variant, ...] = ()
    findings: tuple[KindFinding, ...] = ()
    labels: tuple[str, ...] = ()
    guess: float = 0.0
    """Accuracy of always saying the held-out rows' commonest label."""
    questions: int = 0
    shots: int = 0
    asked: int = 0
    total: int = 0
    """Questions over all variants."""
    seconds: float = 0.0
    seconds_left: float = 0.0
    done: bool = False
    stopped: bool = False
    """Ended by the visitor: what is there is partial."""


@dataclass(frozen=True)
class Rung:
    """One prompt of a search's ladder."""

    kind: RungKind
    text: str
    """The instruction, or the worked examples."""
    measured: Measured
    chance: float = 1.0
    """How often chance alone sets it so far from the first rung, on the same questions."""


@dataclass(frozen=True)
class Search:
    """A search as far as it has come."""

    stage: Literal["propose", "score", "check", "done"] = "propose"
    rungs: tuple[Rung, ...] = ()
    """The best first; among equals, the one that was asked first."""
    checked: tuple[Rung, ...] = ()
    """The given prompt and the best proposal once more, on rows that the choice did not look at."""
    proposed: int = 0
    """What the model wrote that could be used."""
    discarded: int = 0
    """Empty, repeated, without an end or without a result."""
    proposed_right: int = 0
    """Worked examples of the model whose result is right; the model is not told."""
    guess: float = 0.0
    """Accuracy of always saying the commonest label; 0 where answers are no labels."""
    questions: int = 0
    asked: int = 0
    total: int = 0
    seconds: float = 0.0
    seconds_left: float = 0.0
    done: bool = False
    stopped: bool = False
