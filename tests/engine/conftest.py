"""One engine on the real embedded model for all tests of this room, and adapters made by PEFT."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from demo.engine.service import Engine
from demo.settings import LabSettings
from demo.workspace import write_json


@pytest.fixture(scope="session")
def engine(lab_home: Path) -> Iterator[Engine]:
    """An engine that is ready."""
    engine = Engine(LabSettings(home=lab_home))
    engine.start()
    engine.wait_ready(240)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def fp32(engine: Engine) -> Any:
    """The same weights in plain transformers."""
    model = AutoModelForCausalLM.from_pretrained(engine.spec.source, dtype=torch.float32)
    return model.eval()


@pytest.fixture(scope="session")
def adapter_folders(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three LoRA adapters with random weights of visible effect, saved by PEFT."""
    return [
        make_adapter(engine, tmp_path_factory.mktemp("adapters") / f"random-{seed}", seed)
        for seed in (1, 2, 3)
    ]


def make_adapter(engine: Engine, folder: Path, seed: int) -> Path:
    """Save an adapter whose every layer changes the answer."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(engine.spec.source, dtype=torch.float32)
    config = LoraConfig(
        r=4,
        lora_alpha=8,
        target_modules=["q_proj", "v_proj", "down_proj"],
        init_lora_weights=False,
        task_type="CAUSAL_LM",
    )
    adapted = get_peft_model(model, config)
    adapted.save_pretrained(str(folder), save_embedding_layers=False)
    fingerprint = engine.fingerprint()
    assert fingerprint is not None
    base = {"lineage": fingerprint.lineage, "weights": fingerprint.weights}
    write_json(folder / "run.json", {"name": folder.name, "base": base})
    (folder / "README.md").write_text("made by a test")
    return folder
