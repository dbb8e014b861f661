"""A lab on a tiny base, and adapters of several methods as its own export has them."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from demo.lab import Lab
from demo.settings import LabSettings
from demo.workspace import write_json
from tests.engine.tiny import save_tiny
from tests.methods.making import CONFIGS, make_adapter, make_own

IDS = [5, 17, 80, 3, 44, 9]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny-model")


@pytest.fixture(scope="module")
def lab(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("home")
    lab = Lab(LabSettings(home=home, model=str(model), precision="fp32", full_tuning=True))
    lab.engine.start()
    lab.engine.wait_ready(60)
    yield lab
    lab.engine.close()


@pytest.fixture(scope="module")
def folders(lab: Lab, model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An adapter of several methods, as the lab's own export has them."""
    root = tmp_path_factory.mktemp("adapters")
    made = {
        name: make_adapter(model, root / name, CONFIGS[name](), seed=n)
        for n, name in enumerate(("lora", "rslora", "dora", "ia3", "prompt"))
    }
    made["bottleneck"] = make_own(model, root / "bottleneck", "bottleneck")
    for folder in made.values():
        run = {"name": f"Run {folder.name}", "dataset": {"name": "rows.csv"}}
        base = asdict(lab.engine.require_ready().fingerprint)
        scores = {"eval_loss": {"base": 3.2, "adapted": 1.25, "n": 20}}
        write_json(folder / "run.json", {**run, "base": base, "scores": scores})
    return made
