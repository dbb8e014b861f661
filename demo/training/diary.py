"""What a run leaves behind as it goes: events, answers of its probes, and checkpoints now and then.

A run that goes on is taken up where its checkpoint stands: what was written after it is cut off, so
that the folder tells one unbroken story. Does not train.
"""

import time
from collections.abc import Sequence

from demo.run_records import Probe, RunEvent
from demo.training import checkpoint
from demo.training.probes import Prober
from demo.training.run_folder import RunFolder
from demo.training.trainer import Trainer

CHECKPOINT_SECONDS = 12.0
"""Of training between two checkpoints: what a crash can cost."""
LARGEST_CHECKPOINT = 400_000_000
"""Bytes; a larger one (full tuning) is not written, and such a run begins anew."""
TENSORS_PER_WEIGHT = 4
"""The weight, two moments, and the best weights so far."""


class Diary:
    """Writes one run's folder while a trainer trains.

    Args:
        folder: of the run.
        trainer: what is written down.
        prober: asks the model in training.
        probes: the questions it asks.
        seconds: that the run is expected to take.
    """

    def __init__(
        self,
        folder: RunFolder,
        trainer: Trainer,
        prober: Prober,
        probes: Sequence[Probe],
        seconds: float,
    ) -> None:
        self.folder = folder
        self.trainer = trainer
        self.prober = prober
        self.probes = tuple(probes)
        self.seconds = seconds
        self._asked_after: set[int] = set()
        self._written = time.monotonic()
        count = sum(w.numel() * w.element_size() for w in trainer.weights.values())
        self._keeps = count * TENSORS_PER_WEIGHT <= LARGEST_CHECKPOINT

    def take_up(self) -> None:
        """Stand where the run's checkpoint stands, or at the weights that it was told to begin with."""
        if checkpoint.load(self.folder.checkpoint, self.trainer):
            self.folder.cut_after(self.trainer.step)
            self._begin_asking()
            return
        self.folder.cut_after(-1)
        if self.folder.start.is_dir():
            checkpoint.start_from(self.folder.start, self.trainer)
        self.folder.write_probes(self.probes)
        self._begin_asking()

    def write(self, event: RunEvent) -> None:
        """One event, and what is due after it; neither counts as time of the run."""
        begun = time.monotonic()
        self.folder.append_event(event)
        if event.step in self._asked_after:
            self._ask(event.step)
        if event.step and begun - self._written > CHECKPOINT_SECONDS:
            self.checkpoint()
        self.trainer.pause(time.monotonic() - begun)

    def checkpoint(self) -> None:
        """Write a checkpoint now, between two steps."""
        if self._keeps and self.trainer.step:
            checkpoint.save(self.folder.checkpoint, self.trainer)
        self._written = time.monotonic()

    def close(self, *, finished: bool) -> None:
        """The last answers; of a finished run the weights alone stay, for another run to begin with."""
        if self.trainer.step:
            self._ask(self.trainer.step)
        if finished and self._keeps:
            checkpoint.save(self.folder.checkpoint, self.trainer, optimizer=False)

    def _begin_asking(self) -> None:
        """Ask once, which also measures what asking costs."""
        if self.folder.asked_to_stop():
            return
        self._ask(self.trainer.step)
        self._asked_after = self.prober.steps(self.trainer.steps, self.seconds)

    def _ask(self, step: int) -> None:
        self.folder.append_answers(self.prober.ask(step))
