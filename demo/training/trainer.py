"""The optimization itself: steps, evaluations, and the last weights known to be finite.

Knows no files: whoever drives it decides what to write and when to stop.
"""

import math
import time
from collections.abc import Generator, Iterator
from collections.abc import Sequence as ListOf

import torch
from peft import PeftModel

from demo.errors import RunFailed
from demo.run_records import RunEvent, TrainSettings
from demo.text.template import Sequence
from demo.training import batches
from demo.training.loss import CompletionLoss
from demo.training.schedule import EVALUATED_ROWS, evaluation_interval, learning_rate, total_steps

LARGEST_GRADIENT = 1.0


class Trainer:
    """Trains an adapted model on sequences, one measured step at a time."""

    def __init__(
        self,
        model: PeftModel,
        train: ListOf[Sequence],
        evaluation: ListOf[Sequence],
        settings: TrainSettings,
    ) -> None:
        self.model = model
        self.train_sequences = train
        self.eval_sequences = evaluation[:EVALUATED_ROWS]
        self.settings = settings
        self.steps = total_steps(len(train), settings)
        self.loss = CompletionLoss(model, share_prefix=settings.dropout == 0)
        self.weights = [weight for weight in model.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(self.weights, weight_decay=0.0)
        self.step = 0
        self.tokens = 0
        self.training_seconds = 0.0
        self.losses: list[float] = []
        self.learned: set[int] = set()
        """Indices of the sequences read so far."""
        self.base_loss: float | None = None
        self._begun = time.monotonic()
        self._finite = self._copy()

    def run(self) -> Generator[RunEvent, None, None]:
        """Train, yielding what each step measured. Closing the iterator ends the run after a step.

        Raises:
            RunFailed: the loss stopped being finite; the last finite weights are in place again.
        """
        self.base_loss = self.evaluate()
        yield RunEvent(0, 0.0, eval_loss=self.base_loss)
        self._begun = time.monotonic()
        interval = self._interval()
        for batch in self._batches():
            self.step += 1
            rate = learning_rate(self.step, self.steps, self.settings.learning_rate)
            train_loss = self._train_step(batch, rate)
            due = self.step % interval == 0 and self.steps - self.step > interval // 2
            yield RunEvent(
                self.step,
                seconds=self.seconds,
                train_loss=train_loss,
                eval_loss=self.evaluate() if due else None,
                learning_rate=rate,
                tokens_per_second=self.tokens_per_second,
            )

    @property
    def seconds(self) -> float:
        """Since the first step began."""
        return time.monotonic() - self._begun

    @property
    def tokens_per_second(self) -> float:
        """Non-padding tokens learned from, evaluations not counted."""
        return self.tokens / self.training_seconds if self.training_seconds else 0.0

    def evaluate(self) -> float | None:
        """Mean loss on the held-out rows' trained tokens; None where none are held out, or not finite."""
        if not self.eval_sequences:
            return None
        self.model.eval()
        total, count = 0.0, 0
        for indices in self._epoch(self.eval_sequences, seed=0):
            batch = self._collate([self.eval_sequences[index] for index in indices])
            with torch.no_grad():
                losses = self.loss(batch).losses
            total, count = total + losses.sum().item(), count + len(losses)
        return total / count if math.isfinite(total) else None

    def conclude(self) -> float | None:
        """The final eval loss, after making sure that the last update broke nothing.

        Raises:
            RunFailed: it did; the weights before it are in place again.
        """
        adapted = self.evaluate()
        broken = not all(torch.isfinite(weight).all() for weight in self.weights)
        if broken or (self.eval_sequences and adapted is None):
            self._fail()
        return adapted

    def _train_step(self, batch: batches.Batch, rate: float) -> float:
        begun = time.monotonic()
        self.model.train()
        self.optimizer.zero_grad()
        loss = self.loss(batch).mean
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.weights, LARGEST_GRADIENT)
        if not (math.isfinite(loss.item()) and math.isfinite(norm.item())):
            self._fail()
        self._finite = self._copy()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.tokens += batch.tokens
        self.training_seconds += time.monotonic() - begun
        self.losses.append(loss.item())
        return loss.item()

    def _fail(self) -> None:
        with torch.no_grad():
            for weight, kept in zip(self.weights, self._finite, strict=True):
                weight.copy_(kept)
        raise RunFailed("loss_not_finite", step=self.step, rate=self.settings.learning_rate)

    def _copy(self) -> list[torch.Tensor]:
        return [weight.detach().clone() for weight in self.weights]

    def _batches(self) -> Iterator[batches.Batch]:
        left = self.steps
        for epoch in range(self.settings.epochs):
            for indices in self._epoch(self.train_sequences, self.settings.seed + epoch)[:left]:
                self.learned.update(indices)
                yield self._collate([self.train_sequences[index] for index in indices])
            left -= math.ceil(len(self.train_sequences) / self.settings.batch_size)
            if left <= 0:
                return

    def _epoch(self, sequences: ListOf[Sequence], seed: int) -> list[list[int]]:
        lengths = [len(sequence.ids) for sequence in sequences]
        return batches.order(lengths, self.settings.batch_size, seed)

    def _collate(self, sequences: ListOf[Sequence]) -> batches.Batch:
        return batches.collate(sequences, str(self.weights[0].device))

    def _interval(self) -> int:
        train = sum(len(sequence.ids) for sequence in self.train_sequences)
        read = train * self.steps * self.settings.batch_size // len(self.train_sequences)
        held_out = sum(len(sequence.ids) for sequence in self.eval_sequences)
        return evaluation_interval(self.steps, read, held_out)
