"""One training run from its folder to its adapter: load, train, write what was measured.

A plain synchronous function with a picklable argument: a worker process, a borrowed GPU and a
cluster call the same one. Where a checkpoint stands it goes on from there. Does not know queues, pages
or other runs.
"""

import shutil
import time
import traceback
from contextlib import closing
from pathlib import Path

import torch

from demo.data.encode import encode_for
from demo.engine.model.catalogue import ModelSpec
from demo.engine.model.load import load_for_training
from demo.errors import BadInput, LabError, RunFailed
from demo.host import Host, detect, for_training
from demo.methods import method_of
from demo.methods.method import Method, Work
from demo.run_records import Probe, RunEvent
from demo.text.tokenizer import load_tokenizer
from demo.training.budget import is_spent
from demo.training.diary import Diary
from demo.training.memory import peak_bytes
from demo.training.objective import work_of
from demo.training.probes import FROM_ROWS, Prober, chosen
from demo.training.report import Measured, card, run_record
from demo.training.run_folder import RunFolder
from demo.training.schedule import EVALUATED_ROWS
from demo.training.trainer import Trainer
from demo.workspace import write_atomic, write_json

KEPT_ANSWERS, KEPT_TOKENS = 8, 64
"""Answers that stay of a run whose weights do not, and the most tokens of each."""


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
        self.method = method_of(self.order.settings.method)
        self.host = for_training(detect(self.order.threads))
        self.spec = ModelSpec.from_json(self.order.model)
        self.tokenizer = load_tokenizer(self.spec.source, self.spec.revision)
        settings = self.order.settings
        self.train = encode_for(self.tokenizer, folder.train_rows(), settings)
        self.evaluation = encode_for(self.tokenizer, folder.eval_rows(), settings)
        if not self.train.sequences:
            raise BadInput("rows_too_long", got=self.train.too_long, high=settings.max_length)

    def carry_out(self) -> None:
        """Train and publish. A failed run keeps the last good weights, if it learned any."""
        trainer = self._trainer()
        self.folder.change_state(steps=trainer.steps)
        diary = self._diary(trainer)
        diary.take_up()
        try:
            status = self._train(trainer, diary)
            if status == "stopped":
                diary.checkpoint()
            adapted = trainer.conclude()
        except RunFailed:
            self._publish(trainer, "failed", trainer.evaluate())
            raise
        diary.close(finished=status == "finished")
        self._publish(trainer, status, adapted)
        self.folder.change_state(status=status)

    def _trainer(self) -> Trainer:
        if self.host.device == "cpu":
            torch.set_num_threads(self.host.threads)
        settings, train = self.order.settings, self.train.sequences
        base = load_for_training(self.spec, self.host, precision_for(self.method, self.host))
        torch.manual_seed(settings.seed)
        model = self.method.build(base, self._work())
        upkeep = self.method.upkeep(model)
        return Trainer(model, train, self.evaluation.sequences, settings, upkeep)

    def _work(self) -> Work:
        rows = self.train.sequences, self.evaluation.sequences
        name = self.order.dataset["name"]
        return work_of(self.method, self.order.settings, rows, self.tokenizer, name)

    def _diary(self, trainer: Trainer) -> Diary:
        probes = self._probes(FROM_ROWS)
        prober = Prober(trainer.model, self.tokenizer, probes)
        return Diary(self.folder, trainer, prober, probes, self.order.seconds)

    def _probes(self, most: int) -> tuple[Probe, ...]:
        """Questions of rows that are held out, or of those that are learned where none is."""
        rows = self.folder.eval_rows() or self.folder.train_rows()
        return chosen(self.tokenizer, rows, most)

    def _train(self, trainer: Trainer, diary: Diary) -> str:
        """Every step until the end, a stop or a spent budget; returns the status that it ends with."""
        if self.folder.asked_to_stop():
            return "stopped"
        with closing(trainer.run()) as events:
            for event in events:
                diary.write(event)
                if event.step == trainer.steps:
                    break
                if self.folder.asked_to_stop():
                    return "stopped"
                if event.step and is_spent(self.order.cpu_budget, trainer.cpu_seconds):
                    # Finished, not stopped: going on would only meet the same end.
                    self.folder.change_state(spent=self.order.cpu_budget)
                    break
        return "finished"

    def _publish(self, trainer: Trainer, status: str, adapted: float | None) -> None:
        """Write the adapter folder aside, then put it in place: it is complete or absent."""
        if not trainer.progress.losses:
            return
        aside = self.folder.path / ".adapter"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        if self.order.keeps:
            self.method.save(trainer.model, aside, self.spec.lineage)
        self.folder.append_event(
            RunEvent(trainer.step, trainer.progress.seconds, eval_loss=adapted)
        )
        record = run_record(self.order, self._measured(trainer, status, adapted))
        if not self.order.keeps:
            record["answers"] = self._answers(trainer)
        write_json(aside / "run.json", record)
        write_atomic(aside / "README.md", card(record))
        self.folder.publish(aside, adapter=self.order.keeps)
        self.folder.change_state(best_step=trainer.progress.best_step)

    def _answers(self, trainer: Trainer) -> list[dict[str, str]]:
        """What stays of weights that do not: their answers to held-out questions."""
        probes = self._probes(KEPT_ANSWERS)
        said = Prober(trainer.model, self.tokenizer, probes, KEPT_TOKENS).ask(trainer.step)
        return [
            {"question": probe.question, "expected": probe.expected, "answer": answer}
            for probe, answer in zip(probes, said.answers, strict=True)
        ]

    def _measured(self, trainer: Trainer, status: str, adapted: float | None) -> Measured:
        progress = trainer.progress
        return Measured(
            status=status,
            rows=len(trainer.learned),
            rows_given=len(self.train.sequences),
            eval_rows=min(len(self.evaluation.sequences), EVALUATED_ROWS),
            too_long=self.train.too_long + self.evaluation.too_long,
            trainable=sum(weight.numel() for weight in trainer.weights.values()),
            seconds=progress.seconds,
            tokens_per_second=trainer.tokens_per_second,
            spent=self.folder.state().spent,
            cpu_seconds=trainer.cpu_seconds,
            losses=tuple(progress.losses),
            best_step=progress.best_step,
            base_loss=progress.base_loss,
            adapted_loss=adapted,
            device=self.host.name,
            peak_bytes=peak_bytes(self.host.device),
        )


def precision_for(method: Method, host: Host) -> str:
    """Of the base while it learns: half on a GPU, but for weights of its own that small steps must change."""
    frozen = method.family != "selective" and method.base_precision == "fp32"
    return "bf16" if frozen and host.device == "cuda" and host.bf16 else method.base_precision


def _last_step(folder: RunFolder) -> int:
    events = folder.events()
    return events[-1].step if events else 0


def _is_memory(error: BaseException) -> bool:
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "allocate memory" in str(
        error
    )
