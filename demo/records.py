"""The values that travel between rooms: frozen, plain, without behaviour beyond their own checks."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, Self

from demo.checks import check_ranges
from demo.errors import LabError

Role = Literal["system", "user", "assistant"]
RunStatus = Literal["queued", "running", "finished", "stopped", "failed"]
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
    repetition_penalty: float = 1.0
    """Divides the scores of tokens already in the text (Keskar et al. 2019); 1 changes nothing."""
    seed: int = 0
    """The same seed, prompt and settings give the same text."""

    RANGES: ClassVar[dict[str, tuple[float, float, type]]] = {
        "max_new_tokens": (1, 512, int),
        "temperature": (0.0, 2.0, float),
        "top_k": (0, 1000, int),
        "top_p": (0.01, 1.0, float),
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
    """`base`, a shipped adapter's name, or the id of a run of this workspace."""
    workspace: str = ""
    """The visitor's capability; empty for a visitor who has stored nothing yet."""
    visitor: str = ""
    """Whom the limits count: the workspace, or else the browser's session."""
    sampling: Sampling = field(default_factory=Sampling)
    completion: bool = False
    """True: `messages` is one text to be continued, without the chat template."""


@dataclass(frozen=True)
class Answer:
    """An answer as far as it has come. Increments of one stream only grow."""

    text: str = ""
    tokens: int = 0
    prompt_tokens: int = 0
    seconds: float = 0.0
    """Since the request was accepted, waiting included."""
    done: bool = False
    reason: Literal["", "end", "length", "stopped", "error"] = ""
    waiting: int = 0
    """How many requests stand before this one; 0 once it is being answered."""
    error: LabError | None = None


@dataclass(frozen=True)
class RenderedPrompt:
    """The exact bytes that the model reads, and their cost."""

    text: str
    ids: tuple[int, ...]
    context: int
    """The most tokens that prompt and answer may have together."""


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


@dataclass(frozen=True)
class Row:
    """One training example: a conversation whose assistant turns are learned."""

    line: int
    """Where it stood in the file, from 1; the row number where the file has no lines."""
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class DatasetInfo:
    """A dataset as the page shows it before a run."""

    id: str
    name: str
    """The uploaded file's name, or the sample's title."""
    sha256: str
    shape: str
    """`messages`, `alpaca`, `prompt/completion`, or `columns` when the visitor has to choose."""
    columns: tuple[str, ...]
    prompt_column: str
    completion_column: str
    rows: int
    preview: tuple[Row, ...]
    """The first rows."""
    skipped: int = 0
    """Rows without prompt or completion, left out."""
    mapped: bool = True
    """False: the columns are only a guess, and no run may start before the visitor chose them."""
    source: str = ""
    """Samples: where the rows come from."""
    licence: str = ""
    url: str = ""
    teaches: str = ""
    """Samples: what a model learns from it, in one sentence."""
    titles: dict[str, str] = field(default_factory=dict)
    """Samples: the name in every language of the page."""


@dataclass(frozen=True)
class RunPlan:
    """What a run would do and cost, computed before it starts."""

    rows: int
    eval_rows: int
    too_long: int
    """Rows left out because they exceed `max_length`."""
    steps: int
    tokens: int
    """Tokens read in all epochs, padding not counted."""
    trained_tokens: int
    """Of those, the ones that the loss is measured on."""
    seconds: float
    """From this machine's own measured speed."""
    trainable: int
    """Weights that are trained."""
    parameters: int
    """Weights of the base model."""
    adapter_bytes: int


@dataclass(frozen=True)
class TrainSettings:
    """How a run trains. Checked on creation: a value out of range raises `BadInput`."""

    method: str = "lora"
    rank: int = 8
    """Higher learns more and costs memory."""
    alpha: int = 16
    """The update is scaled by alpha / rank; usually twice the rank."""
    dropout: float = 0.0
    learning_rate: float = 1e-3
    epochs: int = 1
    batch_size: int = 8
    max_length: int = 512
    """Rows longer than this many tokens are left out, and counted."""
    eval_share: float = 0.1
    """The part of the rows held out to measure eval loss; rows that share a prompt stay together."""
    max_steps: int = 0
    """Stop after this many steps; 0 means all epochs."""
    seed: int = 0

    RANGES: ClassVar[dict[str, tuple[float, float, type]]] = {
        "rank": (1, 64, int),
        "alpha": (1, 1024, int),
        "dropout": (0.0, 0.5, float),
        "learning_rate": (1e-6, 1e-1, float),
        "epochs": (1, 20, int),
        "batch_size": (1, 32, int),
        "max_length": (32, 2048, int),
        "eval_share": (0.0, 0.5, float),
        "max_steps": (0, 5000, int),
        "seed": (0, 2**31 - 1, int),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Build from stored values; unknown names are refused by the constructor."""
        return cls(**{f.name: values[f.name] for f in fields(cls) if f.name in values})


def conversation(
    question: str, *, system: str = "", history: Sequence[Message] = ()
) -> tuple[Message, ...]:
    """A chat that ends with the visitor's question; an empty system prompt is left to the template."""
    first = (Message("system", system),) if system.strip() else ()
    return (*first, *history, Message("user", question))


@dataclass(frozen=True)
class RunEvent:
    """One line of `events.jsonl`: what the run measured at a step."""

    step: int
    seconds: float
    """Since the first step began."""
    train_loss: float | None = None
    eval_loss: float | None = None
    learning_rate: float | None = None
    tokens_per_second: float | None = None
    """Non-padding tokens learned from since the first step, evaluations not counted."""


@dataclass(frozen=True)
class RunState:
    """A run as its folder tells it."""

    id: str
    name: str
    dataset: str
    status: RunStatus
    step: int = 0
    steps: int = 0
    eta_seconds: float | None = None
    waiting: int = 0
    """How many runs stand before this one."""
    events: tuple[RunEvent, ...] = ()
    error: LabError | None = None
    has_adapter: bool = False
    stopping: bool = False
    """A stop was asked for; the step under way is still finished."""
    dataset_id: str = ""
    created: float = 0.0
    settings: TrainSettings = field(default_factory=TrainSettings)
