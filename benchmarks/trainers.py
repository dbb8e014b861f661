"""One training in this process, by the lab's own trainer or by TRL's: speed, memory, and loss on held-out rows.

`python -m benchmarks.trainers lab|trl METHOD BATCH STEPS` prints one JSON object; `benchmarks.tuning`
calls it, so that the peak memory of each is its own.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from benchmarks.runs import Base, open_base, sample
from demo.data.encode import encode_for
from demo.data.split import split
from demo.engine.model.load import load_for_training
from demo.host import detect
from demo.methods import good_settings, method_of
from demo.methods.method import Work
from demo.run_records import TrainSettings
from demo.text.template import Sequence as Tokens
from demo.training.trainer import Trainer

HELD_OUT = 0.2


@dataclass(frozen=True)
class Peer:
    """Who trains what."""

    who: str
    """`lab` or `trl`."""
    method: str
    batch_size: int
    steps: int

    def arguments(self) -> list[str]:
        """As the command line takes it."""
        return [self.who, self.method, str(self.batch_size), str(self.steps)]


def main(who: str, method: str, batch_size: str, steps: str) -> None:
    """Train and print."""
    empty = _peak_megabytes()
    settings = good_settings(
        method, batch_size=int(batch_size), max_steps=int(steps), eval_share=HELD_OUT, epochs=20
    )
    base = open_base()
    learned, held_out = split(sample("restaurants").rows, settings.eval_share, settings.seed)
    rows = encode_for(base.tokenizer, learned, settings).sequences
    kept = encode_for(base.tokenizer, held_out, settings).sequences
    host = detect()
    torch.set_num_threads(host.threads)
    model = load_for_training(base.spec, host, method_of(method).base_precision)
    torch.manual_seed(settings.seed)
    adapted = method_of(method).build(model, Work(settings, settings.max_steps))
    trainer = Trainer(adapted, rows, kept, settings, method_of(method).upkeep(adapted))
    speed = _lab(trainer) if who == "lab" else _trl(trainer, base, rows, settings)
    peak = _peak_megabytes() - empty
    with tempfile.TemporaryDirectory() as folder:
        method_of(method).save(adapted, Path(folder), base.spec.lineage)
        size = (Path(folder) / "adapter_model.safetensors").stat().st_size
    figures = {"tokens_per_second": speed, "megabytes": peak, "file_bytes": size}
    print(json.dumps({**figures, "loss": trainer.evaluate()}))


def _lab(trainer: Trainer) -> float:
    """Tokens per second of the steps alone, as TRL counts them too."""
    kept, trainer.eval_sequences = trainer.eval_sequences, []  # measured apart, for both alike
    for _ in trainer.run():
        pass
    trainer.eval_sequences = kept
    return trainer.tokens_per_second


def _trl(trainer: Trainer, base: Base, rows: Sequence[Tokens], settings: TrainSettings) -> float:
    """TRL's trainer with settings that suit this machine: fp32, nothing recomputed, answers only."""
    trl: Any = import_module("trl")
    datasets: Any = import_module("datasets")
    data = [{"input_ids": list(r.ids), "completion_mask": list(map(int, r.trained))} for r in rows]
    with tempfile.TemporaryDirectory() as folder:
        peer: Any = trl.SFTTrainer(
            model=trainer.model,
            processing_class=base.tokenizer.inner,
            train_dataset=datasets.Dataset.from_list(data),
            args=trl.SFTConfig(
                output_dir=folder,
                per_device_train_batch_size=settings.batch_size,
                max_steps=settings.max_steps,
                max_length=settings.max_length,
                learning_rate=settings.learning_rate,
                lr_scheduler_type="linear",
                warmup_steps=1,
                weight_decay=0.0,
                completion_only_loss=True,
                bf16=False,
                use_cpu=detect().device == "cpu",
                gradient_checkpointing=False,
                logging_steps=10_000,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                seed=settings.seed,
            ),
        )
        begun = time.monotonic()
        peer.train()
        seconds = time.monotonic() - begun
    return float(peer.state.num_input_tokens_seen or _read(peer, rows)) / seconds


def _read(peer: Any, rows: Sequence[Tokens]) -> int:
    """Tokens that as many steps read, padding not counted, from the rows' mean length."""
    mean = sum(len(row.ids) for row in rows) / len(rows)
    return int(mean * peer.args.per_device_train_batch_size * peer.state.global_step)


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main(*sys.argv[1:])
