"""The values of datasets and runs that travel between rooms: frozen, plain, checked on creation."""

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, Self

from demo.checks import check_ranges, chosen
from demo.dataset_records import UTF8, Damage, Encoding, FixDone
from demo.errors import LabError
from demo.records import Message, PromptToken

RunStatus = Literal["queued", "running", "finished", "stopped", "failed"]
TEMPLATES = ("own", "instruction")
"""How a row is written out: as the base model's own template has it, or under `### Instruction:`, which
this model is never asked with."""


@dataclass(frozen=True)
class Row:
    """One training example: a conversation whose assistant turns are learned."""

    line: int
    """Where it stood in the file, from 1; the row number where the file has no lines."""
    messages: tuple[Message, ...]
    raw: bool = False
    """Plain text in one message: read without a template, learned whole, packed with its neighbours."""

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Build from stored values."""
        messages = tuple(Message(m["role"], m["content"]) for m in values["messages"])
        return cls(values["line"], messages, values.get("raw", False))


@dataclass(frozen=True)
class DatasetInfo:
    """A dataset as the page shows it before a run."""

    id: str
    name: str
    """The uploaded file's name, or the sample's title."""
    sha256: str
    shape: str
    """`messages`, `alpaca`, `prompt/completion`, `question/answer`, `text/label`, `text`, or `columns`
    when the visitor has to choose."""
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
    encoding: Encoding = UTF8
    damaged: tuple[Damage, ...] = ()
    """Lines that are no rows; no run may start before the visitor has left them out."""
    fixes: tuple[FixDone, ...] = ()
    """What the doctor has mended, and what that changed; the original stays stored."""


@dataclass(frozen=True)
class Cost:
    """What a method takes to learn the same rows."""

    trainable: int = 0
    """Weights that are trained."""
    adapter_bytes: int = 0
    peak_bytes: int = 0
    """Memory of the training process at its peak, about."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of all cores together; only measured, never foretold."""


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
    peak_bytes: int = 0
    """Memory of the training process at its peak, about."""
    passes: float = 1.0
    """How often the rows are read; below 1 some are not."""
    full: Cost = Cost()
    """What full tuning would take for the same steps."""
    layers: int = 0
    """Of the base model."""
    guessed: bool = False
    """The speed is a guess: nothing was trained on this machine yet."""
    cut_after: float = 0.0
    """Seconds of training after which the operator's budget ends it; 0 where it reaches its last step."""


@dataclass(frozen=True)
class TrainSettings:
    """How a run trains. Checked on creation: a value out of range raises `BadInput`."""

    method: str = "lora"
    rank: int = 8
    """Higher learns more and costs memory."""
    alpha: int = 16
    """The update is scaled by alpha / rank; usually twice the rank."""
    dropout: float = 0.0
    virtual_tokens: int = 16
    """Trained places before every prompt; each takes one from the context."""
    width: int = 16
    """Numbers in the narrow middle of a bottleneck, or of P-tuning's network."""
    learning_rate: float = 2e-3
    """LoRA's good one; every method has its own in `demo.methods`."""
    epochs: int = 1
    batch_size: int = 8
    max_length: int = 512
    """Rows longer than this many tokens are left out, and counted."""
    eval_share: float = 0.1
    """The part of the rows held out to measure eval loss; rows that share a prompt stay together."""
    max_steps: int = 0
    """Stop after this many steps; 0 means all epochs."""
    seed: int = 0
    patience: int = 0
    """Stop once so many evaluations in a row were no better; 0 means never."""
    rows: int = 0
    """Learn the first so many rows of those that are not held out; 0 means all."""
    template: str = "own"
    """One of `TEMPLATES`; only the model's own one fits what it is asked later."""
    train_end: bool = True
    """Whether the token that ends an answer is learned too; without it an answer has no end."""

    RANGES: ClassVar[dict[str, tuple[float, float, type]]] = {
        "rank": (1, 64, int),
        "alpha": (1, 1024, int),
        "dropout": (0.0, 0.5, float),
        "virtual_tokens": (1, 128, int),
        "width": (1, 512, int),
        "learning_rate": (1e-6, 1e-1, float),
        "epochs": (1, 50, int),
        "batch_size": (1, 32, int),
        "max_length": (32, 2048, int),
        "eval_share": (0.0, 0.5, float),
        "max_steps": (0, 5000, int),
        "seed": (0, 2**31 - 1, int),
        "patience": (0, 20, int),
        "rows": (0, 100_000, int),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
        chosen("template", self.template, TEMPLATES)
        object.__setattr__(self, "train_end", bool(self.train_end))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Build from stored values; unknown names are refused by the constructor."""
        return cls(**{f.name: values[f.name] for f in fields(cls) if f.name in values})


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
class BatchRow:
    """One row of a batch as the trainer reads it."""

    tokens: tuple[PromptToken, ...]
    """Of the whole row, with their bytes and who wrote them."""
    trained: tuple[bool, ...]
    """True where the token is learned."""
    read: int
    """Tokens that are read at all: nothing stands behind the last trained one."""
    padding: int
    """Empty places behind them, up to the longest row of the batch."""


@dataclass(frozen=True)
class BatchLook:
    """One batch of a run before it is trained on."""

    step: int
    """The step that learns from it, from 1."""
    steps: int
    rows: tuple[BatchRow, ...]
    shared: int
    """Leading tokens that all rows have in common and that are read once."""
    too_long: int
    """Rows of the dataset left out because they exceed `max_length`."""


@dataclass(frozen=True)
class Probe:
    """A fixed question that a run is asked while it learns."""

    question: str
    expected: str
    """What stands in the row, or is known."""


@dataclass(frozen=True)
class ProbeAnswers:
    """What the probes were answered with after a step."""

    step: int
    answers: tuple[str, ...]
    """One for each probe."""


@dataclass(frozen=True)
class TimeLapse:
    """The probes of a run and how their answers changed."""

    probes: tuple[Probe, ...] = ()
    answers: tuple[ProbeAnswers, ...] = ()


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
    keeps: bool = True
    """False: its weights are too large to stay; `run.json` keeps its scores and some answers."""
    stopping: bool = False
    """A stop was asked for; the step under way is still finished."""
    dataset_id: str = ""
    created: float = 0.0
    resumable: bool = False
    """It ended before its last step, and a checkpoint stands."""
    best_step: int = 0
    """Whose weights the adapter holds: the step with the lowest eval loss; 0 where none was measured."""
    time_lapse: TimeLapse = field(default_factory=TimeLapse)
    planned: Cost = Cost()
    """What was foretold, as far as it was written down."""
    taken: Cost = Cost()
    """What it took; zeros before it has ended."""
    scores: dict[str, Any] = field(default_factory=dict)
    """Name -> `base`, `adapted` and `n`, once it has ended."""
    parent: str = ""
    """The run with whose weights it began."""
    sweep: str = ""
    """The sweep that it belongs to, if any."""
    varied: str = ""
    """The setting in which the runs of that sweep differ."""
    last_words: TimeLapse = field(default_factory=TimeLapse)
    """Where no weights stayed: what they answered to held-out questions."""
    settings: TrainSettings = field(default_factory=TrainSettings)
    spent: float = 0.0
    """The budget of CPU seconds that ended it before its last step; 0 where none did."""
    taste: bool = False
    """A run of a few seconds that went before those who wait."""
