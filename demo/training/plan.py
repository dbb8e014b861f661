"""What a run would do and cost, computed before it starts, and whether it can learn at all.

Does not start anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.data.encode import Encoded, encode_for
from demo.data.split import split
from demo.engine.model.catalogue import ModelSpec
from demo.errors import BadInput
from demo.methods import method_of
from demo.methods.facts import base_facts
from demo.run_records import Row, RunPlan, TrainSettings
from demo.text.tokenizer import LabTokenizer
from demo.training.objective import work_of
from demo.training.schedule import (
    EVALUATED_ROWS,
    EVALUATION_SHARE,
    FORWARD_SHARE,
)
from demo.workspace import read_json, write_json

FEWEST_ROWS = 2
START_SECONDS = 12.0
"""Starting Python, importing torch and reading the base on two cores."""
FIRST_SPEED = 165.0
"""Tokens a second on two CPU cores with the embedded model, until this machine has been measured."""
FIRST_PARAMETERS = 134_515_008


@dataclass(frozen=True)
class Speeds:
    """Measured training speeds by base model, kept in one file."""

    path: Path

    def of(self, lineage: str, parameters: int) -> float:
        """Tokens a second of the last run, or a guess from the model's size before the first."""
        return float(self._all().get(lineage, FIRST_SPEED * FIRST_PARAMETERS / parameters))

    def learn(self, lineage: str, tokens_per_second: float) -> None:
        """Keep what a run measured."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.path, {**self._all(), lineage: tokens_per_second})

    def _all(self) -> dict[str, float]:
        try:
            return dict(read_json(self.path))
        except (OSError, ValueError):
            return {}


@dataclass(frozen=True)
class Planner:
    """Plans runs for one base model."""

    tokenizer: LabTokenizer
    spec: ModelSpec
    speeds: Speeds

    def plan(self, rows: Sequence[Row], name: str, settings: TrainSettings) -> RunPlan:
        """What a run over these rows would do.

        Raises:
            BadInput: it could not learn; the message says why.
        """
        method = method_of(settings.method)
        train_rows, eval_rows = split(rows, settings.eval_share, settings.seed, settings.rows)
        train = encode_for(self.tokenizer, train_rows, settings)
        evaluation = encode_for(self.tokenizer, eval_rows, settings)
        _require_learnable(name, len(rows), train, evaluation, settings)
        base = base_facts(self.spec.source, self.spec.revision or "")
        encoded = train.sequences, evaluation.sequences
        work = work_of(method, settings, encoded, self.tokenizer, name)
        steps, size = work.steps, method.size(base, work)
        passes = min(settings.epochs, steps * settings.batch_size / len(train.sequences))
        tokens = round(train.tokens * passes)
        read = min(len(evaluation.sequences), EVALUATED_ROWS)
        eval_tokens = evaluation.tokens * read / max(1, len(evaluation.sequences))
        cost = tokens * (1 + EVALUATION_SHARE * (read > 0)) + 2 * eval_tokens * FORWARD_SHARE
        return RunPlan(
            rows=len(train.sequences),
            eval_rows=len(evaluation.sequences),
            too_long=train.too_long + evaluation.too_long,
            steps=steps,
            tokens=tokens,
            trained_tokens=round(train.trained_tokens * passes),
            seconds=START_SECONDS + cost / self.speeds.of(self.spec.lineage, base.count),
            trainable=size.trainable,
            parameters=base.count,
            adapter_bytes=size.bytes,
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
