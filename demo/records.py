"""The values that travel between rooms: frozen, plain, without behaviour beyond their own checks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, get_args

from demo.checks import check_ranges
from demo.errors import LabError

Role = Literal["system", "user", "assistant"]
ROLES: tuple[str, ...] = get_args(Role)
BASE = "base"
"""The name under which the base model itself stands among the adapters."""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn from the model's distribution.

    Checked on creation: a value out of range raises `BadInput`.
    """

    max_new_tokens: int = 128
    """The longest answer, in tokens."""
    temperature: float = 0.0
    """0 is greedy: always the likeliest token. Higher flattens the distribution."""
    top_k: int = 0
    """Keep the k likeliest tokens; 0 keeps all."""
    top_p: float = 1.0
    """Keep the smallest set of tokens whose probability reaches p."""
    min_p: float = 0.0
    """Keep tokens at least this share as likely as the likeliest (Nguyen et al. 2024); 0 keeps all."""
    repetition_penalty: float = 1.0
    """Divides the scores of tokens already in the text (Keskar et al. 2019); 1 changes nothing."""
    seed: int = 0
    """The same seed, prompt and settings give the same text."""

    RANGES: ClassVar[dict[str, tuple[float, float, type]]] = {
        "max_new_tokens": (1, 512, int),
        "temperature": (0.0, 2.0, float),
        "top_k": (0, 1000, int),
        "top_p": (0.01, 1.0, float),
        "min_p": (0.0, 1.0, float),
        "repetition_penalty": (0.5, 2.0, float),
        "seed": (0, 2**31 - 1, int),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)


@dataclass(frozen=True)
class AnswerRequest:
    """One question to the base model or to an adapter."""

    messages: tuple[Message, ...]
    adapter: str = BASE
    """`base`, a shipped adapter's name or the id of a run of this workspace, at a strength
    (`name@0.5`) if wanted, or a sum of two (`name@0.7 + other@0.3`)."""
    workspace: str = ""
    """The visitor's capability; empty for a visitor who has stored nothing yet."""
    visitor: str = ""
    """Whom the limits count: the workspace, or else the browser's session."""
    sampling: Sampling = field(default_factory=Sampling)
    completion: bool = False
    """True: `messages` is one text to be continued, without the chat template."""
    control: bool = False
    """In a completion: the template's tokens that are written in the text become tokens."""
    begun: tuple[int, ...] = ()
    """Token ids that the answer begins with; it goes on after them, and does not repeat them."""
    merged: bool = False
    """Fold the adapter into weights of its own: the same answer, for lessons and comparisons."""
    alternatives: int = 0
    """How many of the likeliest tokens to tell with every token of the answer; 0 tells nothing."""

    RANGES: ClassVar[dict[str, tuple[float, float, type]]] = {"alternatives": (0, 10, int)}

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)


@dataclass(frozen=True)
class ScoreRequest:
    """How likely is a given text after a prompt? Nothing is generated."""

    messages: tuple[Message, ...]
    continuations: tuple[str, ...]
    """Texts to be scored after the same prompt, each by itself."""
    adapter: str = BASE
    """As in `AnswerRequest`."""
    workspace: str = ""
    visitor: str = ""
    completion: bool = False
    """True: `messages` is one text, possibly empty, without the chat template."""
    merged: bool = False
    closed: bool = False
    """Score the end of the answer too: of two texts that begin alike, the longer one can win. Chat only."""
    alternatives: int = 0

    RANGES: ClassVar[dict[str, tuple[float, float, type]]] = {"alternatives": (0, 10, int)}

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)


@dataclass(frozen=True)
class Alternative:
    """A token that could have stood in a place."""

    id: int
    text: str
    logprob: float


@dataclass(frozen=True)
class TokenChoice:
    """A token of an answer or of a scored text, as the model's own distribution judged it."""

    id: int
    text: str
    logprob: float
    """Natural logarithm of its probability, before temperature and every other setting."""
    rank: int
    """1 for the likeliest token."""
    alternatives: tuple[Alternative, ...] = ()
    """The likeliest tokens of this place, in order."""


@dataclass(frozen=True)
class Scored:
    """A continuation, token by token."""

    tokens: tuple[TokenChoice, ...]
    prompt_tokens: int
    reused: int = 0
    """Tokens of the prompt whose keys and values were there already."""

    @property
    def logprob(self) -> float:
        """Log-probability of the whole continuation."""
        return sum(token.logprob for token in self.tokens)

    @property
    def count(self) -> int:
        """Tokens that were scored."""
        return len(self.tokens)

    @property
    def mean_logprob(self) -> float:
        """Log-probability per token; 0 for a continuation of no tokens."""
        return self.logprob / max(self.count, 1)


@dataclass(frozen=True)
class Answer:
    """An answer as far as it has come. Increments of one stream only grow."""

    text: str = ""
    tokens: int = 0
    prompt_tokens: int = 0
    seconds: float = 0.0
    """Since the request was accepted, waiting included."""
    done: bool = False
    reason: Literal["", "end", "length", "stopped", "time", "error"] = ""
    waiting: int = 0
    """Its place in the order in which answers get their turns, 1 for the next; 0 while it has one. In a
    crowd a long answer gives its turn up for a while."""
    wait_seconds: float = 0.0
    """About how long until its next token, from the measured pace and the work before it."""
    reused: int = 0
    """Tokens of the prompt whose keys and values were there already."""
    choices: tuple[TokenChoice, ...] = ()
    """Every token with its probability, where the request asked for alternatives."""
    error: LabError | None = None


TokenWriter = Literal["text", "template", "control"]
"""Where a token comes from: a message, the words that the template puts around it, or a control token."""


@dataclass(frozen=True)
class PromptToken:
    """One token of a prompt, as bytes: it may be a part of a character."""

    id: int
    data: bytes
    writer: TokenWriter


@dataclass(frozen=True)
class RenderedPrompt:
    """The exact bytes that the model reads, and their cost."""

    text: str
    ids: tuple[int, ...]
    context: int
    """The most tokens that prompt and answer may have together."""
    tokens: tuple[PromptToken, ...] = ()
    """Every token by itself, where that was asked for."""


@dataclass(frozen=True)
class AdapterInfo:
    """What can answer: the base model, a shipped adapter, or the adapter of an own run."""

    name: str
    """`base`, a folder name of `adapters/`, or a run id: what an `AnswerRequest` names."""
    title: str
    """For people: the card's or the run's name."""
    source: Literal["base", "shipped", "own"]
    detail: str = ""
    """One line from its `run.json`: method, rows, scores."""
    problem: str = ""
    """Why it cannot be used; empty when it can."""
    base_differs: bool = False
    """Trained on other weights of the same model: usable, with a warning."""
    base_stated: bool = True
    """False: it came from elsewhere and does not say of which model it is; only its shapes fit."""
    origin: Literal["", "brought", "merged"] = ""
    """Where an own adapter comes from that no run of this workspace made."""


@dataclass(frozen=True)
class BaseProof:
    """Whether the base model still is what it was when it was loaded."""

    unchanged: bool
    probes: int
    """How many fixed prompts were asked."""
    difference: float
    """The largest absolute difference of any next-token logit."""


PrecisionReason = Literal[
    "", "int8_cpu", "nf4_cuda", "precision_chosen", "bf16_chosen_slow", "nf4_chosen_cpu"
]
ModelReason = Literal[
    "", "model_small", "model_small_hub", "model_gpu", "model_chosen", "model_offline"
]
"""Why a precision and a model were taken; the page says each in its language."""


@dataclass(frozen=True)
class LabStatus:
    """What the header and `/healthz` say."""

    state: Literal["loading", "ready", "failed"]
    model: str
    precision: str
    precision_reason: PrecisionReason
    device: str
    cores: int = 0
    """CPU cores that answer; 0 where a GPU does."""
    model_reason: ModelReason = ""
    waiting: int = 0
    running: int = 0
    problem: str = ""
    resident_bytes: int = 0
    """Weights and adapters in memory."""
    forward: str = ""
    """What computes: `compiled` or `general`."""
    engine: Literal["ok", "slow", "restarted"] = "ok"
    """`slow`: one turn takes unusually long; `restarted`: its thread died a short while ago."""
    restarts: int = 0
    seconds_since_turn: float = 0.0
    """How long the turn under way takes already; 0 while there is nothing to do."""


def conversation(
    question: str, *, system: str = "", history: Sequence[Message] = ()
) -> tuple[Message, ...]:
    """A chat that ends with the visitor's question; an empty system prompt is left to the template."""
    first = (Message("system", system),) if system.strip() else ()
    return (*first, *history, Message("user", question))
