"""What the commands that train have in common: a run on a shipped sample, and answers by plain PEFT.

Uses the lab's own run folder and loop, without the page and its queue.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from demo.data.samples import Sample, load_sample
from demo.data.split import split
from demo.engine.model.catalogue import Fingerprint, ModelSpec, choose_model
from demo.engine.model.convert import converted
from demo.engine.model.load import fingerprint
from demo.host import detect
from demo.records import Message
from demo.run_records import TrainSettings
from demo.settings import ROOT, LabSettings
from demo.text.tokenizer import LabTokenizer, load_tokenizer
from demo.training.run_folder import RunFolder, new_order

SAMPLES = ROOT / "demo" / "samples"
ROWS_AT_ONCE = 16


@dataclass(frozen=True)
class Base:
    """The base model that is trained on, in fp32."""

    spec: ModelSpec
    tokenizer: LabTokenizer
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Answers:
    """Greedy answers to the same prompts."""

    base: list[str]
    adapted: list[str]


def open_base() -> Base:
    """The embedded model, converted if that has not been done yet."""
    settings = LabSettings.read()
    spec = converted(choose_model("embedded", detect()).spec, settings.data / "models")
    tokenizer = load_tokenizer(spec.source)
    return Base(spec, tokenizer, fingerprint(spec, tokenizer))


def sample(name: str) -> Sample:
    """A dataset that ships with the lab."""
    return load_sample(SAMPLES / name / "sample.yaml")


def train(
    base: Base,
    name: str,
    data: Sample,
    settings: TrainSettings,
    runs: Path,
    seconds: float = 60.0,
) -> RunFolder:
    """Train one run under `runs`, in a worker process like a visitor's.

    Args:
        base: to train on.
        name: of the run.
        data: whose rows it learns.
        settings: how.
        runs: the folder for its own.
        seconds: that it is expected to take; a longer run asks its probes more often.

    Raises:
        RuntimeError: it did not finish.
    """
    dataset = {
        key: getattr(data.info, key) for key in ("id", "name", "sha256", "source", "licence")
    }
    order = new_order(
        name=name,
        dataset=dataset,
        settings=settings,
        model=base.spec.to_json(),
        fingerprint=asdict(base.fingerprint),
        seconds=seconds,
    )
    rows = split(data.rows, settings.eval_share, settings.seed)
    folder = RunFolder.create(runs, order, *rows)
    subprocess.run(
        [sys.executable, "-m", "demo.training.worker", str(folder.path)], cwd=ROOT, check=True
    )
    if folder.state().status != "finished":
        raise RuntimeError(f"the run ended as {folder.state()}")
    return folder


def answer(base: Base, adapter: Path, prompts: Sequence[str], max_new_tokens: int) -> Answers:
    """Greedy answers of base and adapted model through plain transformers and PEFT."""
    model = AutoModelForCausalLM.from_pretrained(base.spec.source, dtype=torch.float32)
    adapted = PeftModel.from_pretrained(model, str(adapter)).eval()
    with adapted.disable_adapter():
        before = list(_generate(adapted, base.tokenizer, prompts, max_new_tokens))
    return Answers(before, list(_generate(adapted, base.tokenizer, prompts, max_new_tokens)))


def _generate(
    model: PeftModel, tokenizer: LabTokenizer, prompts: Sequence[str], max_new_tokens: int
) -> Iterator[str]:
    ends = sorted(tokenizer.end_ids)
    for start in range(0, len(prompts), ROWS_AT_ONCE):
        rows = [
            tokenizer.chat([Message("user", prompt)], answer=True)
            for prompt in prompts[start : start + ROWS_AT_ONCE]
        ]
        width = max(map(len, rows))
        ids = torch.tensor([[ends[0]] * (width - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        with torch.no_grad():
            output = model.generate(  # type: ignore[no-untyped-call]
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max_new_tokens,
                do_sample=False,
                eos_token_id=ends,
                pad_token_id=ends[0],
            )
        yield from (tokenizer.decode(row[width:].tolist()).strip() for row in output)


def machine() -> dict[str, Any]:
    """Where and with what a figure was measured."""
    libraries = ("torch", "transformers", "peft", "sacrebleu")
    return {
        "cpu": _cpu_name(),
        "threads": torch.get_num_threads(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
    }


def report(figures: dict[str, Any]) -> None:
    """Print a table for people, and as the last line the same as JSON."""
    for name, value in figures.items():
        print(f"{name:>20}  {value}")
    print(json.dumps(figures))


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
