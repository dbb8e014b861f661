"""What a run would do and cost, computed before it starts, and whether it can learn at all.

Does not start anything.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from demo.checks import chosen
from demo.data.encode import Encoded
from demo.engine.model.catalogue import ModelSpec
from demo.errors import BadInput
from demo.methods import METHODS, method_of
from demo.methods.facts import BaseFacts, base_facts
from demo.methods.method import Method
from demo.run_records import Cost, Row, RunPlan, TrainSettings
from demo.text.tokenizer import LabTokenizer
from demo.training.memory import estimate
from demo.training.objective import work_of
from demo.training.readings import Readings
from demo.training.schedule import (
    EVALUATED_ROWS,
    FORWARD_SHARE,
    evaluations,
    total_steps,
)
from demo.training.speeds import Speeds

FEWEST_ROWS = 2
START_SECONDS = 12.0
"""Starting Python, importing torch and reading the base on two cores."""


@dataclass(frozen=True)
class Dial:
    """How long a run should be, where the visitor does not count steps."""

    seconds: float
    """Of training, as far as the rows allow."""
    passes: int
    """A dataset that is read more often is learned by heart."""


DIALS = {"quick": Dial(75.0, 3), "thorough": Dial(240.0, 8)}
TOLERANCE = 2.0
"""So much more time is no reason to leave rows unread."""


@dataclass(frozen=True)
class Reading:
    """What a run reads."""

    train: Encoded
    evaluation: Encoded
    steps: int
    passes: float
    """How often the rows are read."""

    @property
    def tokens(self) -> int:
        """Read to learn, padding not counted."""
        return round(self.train.tokens * self.passes)

    @property
    def work(self) -> float:
        """Tokens whose learning would take as long, evaluations included."""
        measured = sum(len(s.ids) for s in self.evaluation.sequences[:EVALUATED_ROWS])
        often = 2 + min(self.steps, evaluations(self.tokens, measured))
        return self.tokens + often * measured * FORWARD_SHARE


@dataclass(frozen=True)
class Planner:
    """Plans runs for one base model."""

    tokenizer: LabTokenizer
    spec: ModelSpec
    speeds: Speeds
    readings: Readings = field(default_factory=Readings)

    def plan(self, rows: Sequence[Row], name: str, settings: TrainSettings) -> RunPlan:
        """What a run over these rows would do.

        Raises:
            BadInput: it could not learn; the message says why.
        """
        reading = self._reading(rows, name, settings)
        base = base_facts(self.spec.source, self.spec.revision or "")
        own = self._cost(base, method_of(settings.method), settings, reading, name)
        full = self._cost(base, METHODS["full"], settings, reading, name)
        train, evaluation = reading.train, reading.evaluation
        return RunPlan(
            rows=len(train.sequences),
            eval_rows=len(evaluation.sequences),
            too_long=train.too_long + evaluation.too_long,
            steps=reading.steps,
            tokens=reading.tokens,
            trained_tokens=round(train.trained_tokens * reading.passes),
            passes=reading.passes,
            parameters=base.count,
            layers=base.depth,
            seconds=own.seconds,
            trainable=own.trainable,
            adapter_bytes=own.adapter_bytes,
            peak_bytes=own.peak_bytes,
            full=full,
            guessed=not self.speeds.measured(self.spec.lineage),
        )

    def fitted(
        self, rows: Sequence[Row], name: str, settings: TrainSettings, dial: str
    ) -> TrainSettings:
        """The settings with as many epochs and steps as a position of the dial allows.

        Raises:
            BadInput: no such position, or the run could not learn.
        """
        wanted = DIALS[chosen("dial", dial, tuple(DIALS))]
        whole = replace(settings, epochs=1, max_steps=0)
        plan = self.plan(rows, name, whole)
        epoch = max(0.1, plan.seconds - START_SECONDS)
        epochs = min(max(1, round(wanted.seconds / epoch)), wanted.passes)
        if epoch <= TOLERANCE * wanted.seconds:
            return replace(settings, epochs=epochs, max_steps=0)
        steps = max(1, math.floor(plan.steps * wanted.seconds / epoch))
        return replace(settings, epochs=1, max_steps=steps)

    def _reading(self, rows: Sequence[Row], name: str, settings: TrainSettings) -> Reading:
        train, evaluation = self.readings.of(self.tokenizer, rows, settings)
        _require_learnable(name, len(rows), train, evaluation, settings)
        steps = total_steps(len(train.sequences), settings)
        passes = min(settings.epochs, steps * settings.batch_size / len(train.sequences))
        return Reading(train, evaluation, steps, passes)

    def _cost(
        self, base: BaseFacts, method: Method, settings: TrainSettings, reading: Reading, name: str
    ) -> Cost:
        sequences = reading.train.sequences
        encoded = sequences, reading.evaluation.sequences
        size = method.size(base, work_of(method, settings, encoded, self.tokenizer, name))
        speed = self.speeds.of(self.spec.lineage, base.count, method.name)
        return Cost(
            trainable=size.trainable,
            adapter_bytes=size.bytes,
            peak_bytes=estimate(base, method, size.trainable, sequences, settings.batch_size),
            seconds=START_SECONDS + reading.work / speed,
        )


def _require_learnable(
    name: str, rows: int, train: Encoded, evaluation: Encoded, settings: TrainSettings
) -> None:
    too_long = train.too_long + evaluation.too_long
    if rows >= FEWEST_ROWS and too_long == rows:
        raise BadInput("rows_too_long", got=rows, high=settings.max_length)
    if rows - too_long < FEWEST_ROWS or not train.sequences:
        raise BadInput("too_few_rows", file=name, got=rows - too_long, low=FEWEST_ROWS)
    if not train.trained_tokens:
        raise BadInput("nothing_trained", file=name)
