"""A tiny random Llama with the real tokenizer for the loop's own behaviour; the real model for the rest."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from demo.engine.model.catalogue import ModelSpec, choose_model
from demo.engine.model.convert import converted
from demo.engine.model.load import fingerprint
from demo.host import detect
from demo.records import Message
from demo.run_records import Row, TrainSettings
from demo.settings import LabSettings
from demo.text.tokenizer import LabTokenizer, load_tokenizer
from demo.training.run_folder import RunFolder, new_order

LINEAGE = "tests/tiny-llama"
OrderRun = Callable[..., RunFolder]


def pairs(count: int) -> list[Row]:
    """Rows whose completion follows from the prompt, of different lengths."""
    return [
        Row(
            line,
            (
                Message("user", f"Say {line}" + " again" * (line % 5)),
                Message("assistant", f"Number {line}." * (1 + line % 3)),
            ),
        )
        for line in range(1, count + 1)
    ]


@pytest.fixture(scope="session")
def real(lab_home: Path) -> ModelSpec:
    """The embedded model, converted once for all tests of the session."""
    settings = LabSettings(home=lab_home)
    return converted(choose_model("embedded", detect()).spec, settings.data / "models")


@pytest.fixture(scope="session")
def tokenizer(real: ModelSpec) -> LabTokenizer:
    return load_tokenizer(real.source)


@pytest.fixture(scope="session")
def tiny(tokenizer: LabTokenizer, tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    """Two layers of random weights that read the real tokenizer's ids."""
    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer.inner),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.inner.save_pretrained(folder)
    return ModelSpec("Tiny", str(folder), LINEAGE)


@pytest.fixture
def order_run(tiny: ModelSpec, tokenizer: LabTokenizer, tmp_path: Path) -> OrderRun:
    """Write a queued run; keyword arguments change the settings."""

    def order(
        rows: list[Row] | None = None,
        held_out: list[Row] | None = None,
        spec: ModelSpec = tiny,
        **changes: Any,
    ) -> RunFolder:
        settings = TrainSettings(**{"rank": 2, "alpha": 4, "batch_size": 2, **changes})
        dataset = {"id": "d", "name": "rows.csv", "sha256": "0" * 64, "source": "", "licence": ""}
        run = new_order(
            name="A run",
            dataset=dataset,
            settings=settings,
            model=spec.to_json(),
            fingerprint=asdict(fingerprint(spec, tokenizer)),
        )
        return RunFolder.create(tmp_path / "runs", run, rows or pairs(12), held_out or [])

    return order


@pytest.fixture
def make_rows() -> Callable[[int], list[Row]]:
    return pairs
