"""One training run from its folder to its adapter: load, train, write what was measured.

A plain synchronous function with a picklable argument: a worker process, a borrowed GPU and a
cluster call the same one. Does not know queues, pages or other runs.
"""

import shutil
import time
import traceback
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch

from demo.data.encode import encode
from demo.engine.model.catalogue import ModelSpec
from demo.engine.model.load import load_for_training
from demo.errors import BadInput, LabError, RunFailed
from demo.host import Host, detect
from demo.methods import METHODS
from demo.run_records import RunEvent
from demo.text.tokenizer import load_tokenizer
from demo.training.report import Measured, card, run_record
from demo.training.run_folder import RunFolder
from demo.training.schedule import EVALUATED_ROWS
from demo.training.trainer import Trainer
from demo.workspace import write_atomic, write_json


def train_run(run_dir: str) -> None:
    """Train the run in `run_dir` and leave its outcome there; raises nothing that a run can cause."""
    folder = RunFolder(Path(run_dir))
    folder.change_state(status="running", begun=time.time())
    try:
        _Run(folder).carry_out()
    except LabError as error:
        folder.fail(error)
    except (MemoryError, RuntimeError) as error:
        traceback.print_exc()
        step = _last_step(folder)
        folder.fail(
            RunFailed("out_of_memory", step=step) if _is_memory(error) else RunFailed("internal")
        )
    except Exception:
        traceback.print_exc()
        folder.fail(RunFailed("internal"))


class _Run:
    """The parts of one run, made in the order in which they can fail cheaply."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.order = folder.order()
        self.host = for_training(detect(self.order.threads))
        self.spec = ModelSpec.from_json(self.order.model)
        tokenizer = load_tokenizer(self.spec.source, self.spec.revision)
        longest = self.order.settings.max_length
        self.train = encode(tokenizer, folder.train_rows(), longest)
        self.evaluation = encode(tokenizer, folder.eval_rows(), longest)
        if not self.train.sequences:
            raise BadInput("rows_too_long", got=self.train.too_long, high=longest)

    def carry_out(self) -> None:
        """Train and publish. A failed run keeps the last finite weights, if it learned any."""
        trainer = self._trainer()
        self.folder.change_state(steps=trainer.steps)
        try:
            status = self._train(trainer)
            adapted = trainer.conclude()
        except RunFailed:
            self._publish(trainer, "failed", trainer.evaluate())
            raise
        self._publish(trainer, status, adapted)
        self.folder.change_state(status=status)

    def _trainer(self) -> Trainer:
        if self.host.device == "cpu":
            torch.set_num_threads(self.host.threads)
        base = load_for_training(self.spec, self.host)
        torch.manual_seed(self.order.settings.seed)
        model = METHODS[self.order.settings.method].build(base, self.order.settings)
        return Trainer(model, self.train.sequences, self.evaluation.sequences, self.order.settings)

    def _train(self, trainer: Trainer) -> str:
        """Every step until the end or a stop; returns the status that the run ends with."""
        status = "finished"
        with closing(trainer.run()) as events:
            for event in events:
                self.folder.append_event(event)
                if self.folder.asked_to_stop():
                    status = "stopped" if event.step < trainer.steps else "finished"
                    break
        return status

    def _publish(self, trainer: Trainer, status: str, adapted: float | None) -> None:
        """Write the adapter folder aside, then put it in place: it is complete or absent."""
        if not trainer.losses:
            return
        aside = self.folder.path / ".adapter"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        METHODS[self.order.settings.method].save(trainer.model, aside, self.spec.lineage)
        seconds = trainer.seconds
        self.folder.append_event(RunEvent(trainer.step, seconds, eval_loss=adapted))
        record = run_record(self.order, self._measured(trainer, status, seconds, adapted))
        write_json(aside / "run.json", record)
        write_atomic(aside / "README.md", card(record))
        self.folder.publish_adapter(aside)

    def _measured(
        self, trainer: Trainer, status: str, seconds: float, adapted: float | None
    ) -> Measured:
        return Measured(
            status=status,
            rows=len(trainer.learned),
            rows_given=len(self.train.sequences),
            eval_rows=min(len(self.evaluation.sequences), EVALUATED_ROWS),
            too_long=self.train.too_long + self.evaluation.too_long,
            trainable=sum(weight.numel() for weight in trainer.weights),
            seconds=seconds,
            tokens_per_second=trainer.tokens_per_second,
            losses=tuple(trainer.losses),
            base_loss=trainer.base_loss,
            adapted_loss=adapted,
            device=self.host.name,
        )


def for_training(host: Host) -> Host:
    """The device that trains: on ZeroGPU this code already runs where a GPU was borrowed."""
    return replace(host, device="cuda", bf16=True) if host.kind == "zerogpu" else host


def _last_step(folder: RunFolder) -> int:
    events = folder.events()
    return events[-1].step if events else 0


def _is_memory(error: BaseException) -> bool:
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "allocate memory" in str(
        error
    )
