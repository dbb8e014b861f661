"""The optimization itself: steps, evaluations, the best weights, and the last ones known to be finite.

Knows no files: whoever drives it decides what to write and when to stop.
"""

import math
import time
from collections.abc import Generator, Iterator, Mapping
from collections.abc import Sequence as ListOf
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from demo.errors import RunFailed
from demo.methods.method import Upkeep
from demo.run_records import RunEvent, TrainSettings
from demo.text.template import Sequence
from demo.training import batches
from demo.training.budget import Meter
from demo.training.loss import Loss
from demo.training.objective import loss_of
from demo.training.schedule import EVALUATED_ROWS, evaluation_interval, learning_rate, total_steps

LARGEST_GRADIENT = 1.0
EXPLODED = 2.0
"""Times the loss at the start: a loss beyond it has forgotten how to write at all."""
EXPLODED_STEPS = 3
"""Steps in a row that must be beyond it; one strange batch is no explosion."""


@dataclass
class Progress:
    """How far a run has come: plain numbers."""

    step: int = 0
    tokens: int = 0
    """Non-padding tokens learned from."""
    training_seconds: float = 0.0
    """Of the steps alone."""
    seconds: float = 0.0
    """Since the first step began, evaluations included and interruptions not."""
    cpu_seconds: float = 0.0
    """Taken by this process and those before it, interruptions included."""
    losses: list[float] = field(default_factory=list)
    base_loss: float | None = None
    best_loss: float | None = None
    """The lowest eval loss after a step."""
    best_step: int = 0
    waited: int = 0
    """Evaluations since then."""


class Trainer:
    """Trains an adapted model on sequences, one measured step at a time."""

    def __init__(
        self,
        model: Any,
        train: ListOf[Sequence],
        evaluation: ListOf[Sequence],
        settings: TrainSettings,
        upkeep: Upkeep | None = None,
    ) -> None:
        self.model = model
        self.train_sequences = train
        self.eval_sequences = evaluation[:EVALUATED_ROWS]
        self.settings = settings
        self.upkeep = upkeep or Upkeep()
        self.steps = total_steps(len(train), settings)
        self.loss: Loss = loss_of(model, settings)
        self.weights = {n: w for n, w in model.named_parameters() if w.requires_grad}
        self.optimizer = torch.optim.AdamW(self.weights.values(), weight_decay=0.0)
        self.progress = Progress()
        self.best: dict[str, Tensor] | None = None
        """The weights with the lowest eval loss; None where nothing is held out."""
        self._begun = time.monotonic()
        self._cpu_before = 0.0
        self._meter = Meter(str(next(iter(self.weights.values())).device))
        self._sane = self._copy()
        """The last weights whose loss was finite, and not far beyond the first."""

    def run(self) -> Generator[RunEvent, None, None]:
        """Train from where the run stands, yielding what each step measured.

        Closing the iterator ends the run after a step. It ends by itself where patience is asked for
        and the eval loss no longer falls.

        Raises:
            RunFailed: the loss stopped being finite, or exploded; good weights are in place again.
        """
        if not self.step:
            self.progress.base_loss = self.evaluate(self.loss.of_base())
            yield RunEvent(0, 0.0, eval_loss=self.progress.base_loss)
        self._begun = time.monotonic() - self.progress.seconds
        interval = self._interval()
        for batch in self._batches():
            self.progress.step += 1
            rate = learning_rate(self.step, self.steps, self.settings.learning_rate)
            train_loss = self._train_step(batch, rate)
            due = self.step % interval == 0 and self.steps - self.step > interval // 2
            eval_loss = self.evaluate() if due else None
            self.progress.seconds = time.monotonic() - self._begun
            self.progress.cpu_seconds = self.cpu_seconds
            self._remember(eval_loss)
            yield RunEvent(
                self.step,
                seconds=self.progress.seconds,
                train_loss=train_loss,
                eval_loss=eval_loss,
                learning_rate=rate,
                tokens_per_second=self.tokens_per_second,
            )
            if self.settings.patience and self.progress.waited >= self.settings.patience:
                return

    @property
    def step(self) -> int:
        """Steps taken."""
        return self.progress.step

    @property
    def tokens_per_second(self) -> float:
        """Non-padding tokens learned from, evaluations not counted."""
        progress = self.progress
        return progress.tokens / progress.training_seconds if progress.training_seconds else 0.0

    @property
    def learned(self) -> set[int]:
        """Indices of the sequences read so far."""
        return {index for indices in self._order()[: self.step] for index in indices}

    @property
    def cpu_seconds(self) -> float:
        """Taken so far, whatever was done with the model."""
        return self._cpu_before + self._meter.read()

    def pause(self, seconds: float) -> None:
        """Something else took so long, and is no part of the run's seconds."""
        self._begun += seconds

    def go_on(self, progress: Progress, best: dict[str, Tensor] | None) -> None:
        """Stand where a checkpoint stands, whose weights are in place already."""
        self.progress, self.best = progress, best
        self._cpu_before = progress.cpu_seconds
        self._sane = self._copy()

    def evaluate(self, loss: Loss | None = None) -> float | None:
        """Mean loss on the held-out rows' trained tokens; None where none are held out, or not finite."""
        measure = loss or self.loss
        if not self.eval_sequences:
            return None
        self.model.eval()
        total, count = 0.0, 0
        for indices in self._epoch(self.eval_sequences, seed=0):
            batch = self._collate([self.eval_sequences[index] for index in indices])
            with torch.no_grad():
                losses = measure(batch).losses
            total, count = total + losses.sum().item(), count + len(losses)
        return total / count if math.isfinite(total) else None

    def conclude(self) -> float | None:
        """The final eval loss, of the best weights there were; the last update may have broken them.

        Raises:
            RunFailed: it did; the weights before it are in place again.
        """
        adapted = self.evaluate()
        broken = not all(torch.isfinite(weight).all() for weight in self.weights.values())
        if broken or (self.eval_sequences and adapted is None):
            self._fail("loss_not_finite")
        self._remember(adapted)
        return self.take_best() if self.best is not None else adapted

    def take_best(self) -> float | None:
        """Put the weights with the lowest eval loss in place; returns that loss."""
        if self.best is not None:
            self._fill(self.best)
        return self.progress.best_loss

    def _remember(self, eval_loss: float | None) -> None:
        progress = self.progress
        if eval_loss is None:
            return
        if progress.best_loss is None or eval_loss < progress.best_loss:
            progress.best_loss, progress.best_step, progress.waited = eval_loss, self.step, 0
            self.best = self._copy()
        else:
            progress.waited += 1

    def _train_step(self, batch: batches.Batch, rate: float) -> float:
        begun = time.monotonic()
        # A seed of its own for every step: a run that goes on draws what the unbroken one would.
        torch.manual_seed(self.settings.seed * 1_000_003 + self.step)
        self.model.train()
        self.optimizer.zero_grad()
        loss = self.loss(batch).mean
        penalty = self.upkeep.penalty()
        whole = loss if penalty is None else loss + penalty
        whole.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.weights.values(), LARGEST_GRADIENT)
        if not (math.isfinite(loss.item()) and math.isfinite(norm.item())):
            self._fail("loss_not_finite")
        self.progress.losses.append(loss.item())
        beyond = self._beyond()
        if len(beyond) == EXPLODED_STEPS and all(beyond):
            self._fail("loss_exploded")
        if not beyond[-1]:
            self._sane = self._copy()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.upkeep.after_step(self.step)
        self.progress.tokens += batch.tokens
        self.progress.training_seconds += time.monotonic() - begun
        return loss.item()

    def _beyond(self) -> list[bool]:
        """Which of the last losses are far beyond what the run began with."""
        losses = self.progress.losses
        first = max(losses[0], self.progress.base_loss or 0.0)
        return [loss > EXPLODED * first + 1 for loss in losses[-EXPLODED_STEPS:]]

    def _fail(self, why: str) -> None:
        self._fill(self.best if self.best is not None else self._sane)
        raise RunFailed(why, step=self.step, rate=self.settings.learning_rate)

    def _fill(self, kept: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(kept[name])

    def _copy(self) -> dict[str, Tensor]:
        return {name: weight.detach().clone() for name, weight in self.weights.items()}

    def _order(self) -> list[list[int]]:
        """The batches of all epochs as indices."""
        settings = self.settings
        lengths = [len(sequence.ids) for sequence in self.train_sequences]
        return batches.whole_order(
            lengths, settings.batch_size, settings.seed, settings.epochs, self.steps
        )

    def _batches(self) -> Iterator[batches.Batch]:
        for indices in self._order()[self.step :]:
            yield self._collate([self.train_sequences[index] for index in indices])

    def _epoch(self, sequences: ListOf[Sequence], seed: int) -> list[list[int]]:
        lengths = [len(sequence.ids) for sequence in sequences]
        return batches.order(lengths, self.settings.batch_size, seed)

    def _collate(self, sequences: ListOf[Sequence]) -> batches.Batch:
        return batches.collate(sequences, str(next(iter(self.weights.values())).device))

    def _interval(self) -> int:
        train = sum(len(sequence.ids) for sequence in self.train_sequences)
        read = train * self.steps * self.settings.batch_size // len(self.train_sequences)
        held_out = sum(len(sequence.ids) for sequence in self.eval_sequences)
        return evaluation_interval(self.steps, read, held_out)
