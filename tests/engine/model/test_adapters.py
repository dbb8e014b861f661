import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from demo.engine.model import adapters as module
from demo.engine.model.adapters import AdapterCache
from demo.engine.model.catalogue import Fingerprint
from demo.errors import BadInput
from demo.methods.adaptation import Adaptation
from tests.methods.making import CONFIGS, facts, make_adapter


@pytest.fixture(scope="module")
def made(base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("adapters")
    return [make_adapter(base, root / f"a{n}", CONFIGS["lora"](), seed=n) for n in range(3)]


@pytest.fixture
def cache(base: Path) -> AdapterCache:
    return AdapterCache(facts(base), Fingerprint("tiny#0", "0"))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that were read, in order."""
    seen: list[str] = []
    read = module.read_adaptation

    def noted(folder: Path, *rest: Any) -> Adaptation:
        seen.append(folder.name)
        return read(folder, *rest)

    monkeypatch.setattr(module, "read_adaptation", noted)
    return seen


def test_an_adapter_is_read_once_and_hashed_once(
    cache: AdapterCache, made: list[Path], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []
    monkeypatch.setattr(module, "file_hash", lambda path: hashed.append(path) or path.name)
    assert cache.get(made[0]) is cache.get(made[0])
    assert reads == ["a0"]
    assert len(hashed) == 2


def test_the_one_used_longest_ago_leaves_by_number(
    cache: AdapterCache, made: list[Path], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESIDENT", 2)
    for number in (0, 1, 0, 2, 0, 1):
        cache.get(made[number])
    assert reads == ["a0", "a1", "a2", "a1"]


def test_the_one_used_longest_ago_leaves_by_bytes_but_never_the_newest(
    cache: AdapterCache, made: list[Path], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESIDENT_BYTES", 1)
    for number in (0, 0, 1, 0):
        cache.get(made[number])
    assert reads == ["a0", "a1", "a0"]


def test_a_changed_file_and_a_changed_config_are_other_adapters(
    cache: AdapterCache, made: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made[0], folder)
    first = cache.get(folder)
    assert cache.get(made[0]) is first
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 24}))
    second = cache.get(folder)
    assert second.key != first.key
    name = min(first.low_rank)
    assert torch.allclose(second.low_rank[name][1], 2 * first.low_rank[name][1])
    shutil.copy(made[1] / "adapter_model.safetensors", folder)
    os.utime(folder / "adapter_model.safetensors", ns=(1, 1))
    assert cache.get(folder).key not in {first.key, second.key}


def test_a_slow_load_holds_up_only_those_who_ask_for_the_same(
    cache: AdapterCache, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    go, begun, read = threading.Event(), threading.Event(), module.read_adaptation
    reads: list[str] = []

    def slow(folder: Path, *rest: Any) -> Adaptation:
        reads.append(folder.name)
        if folder == made[0]:
            begun.set()
            assert go.wait(30)
        return read(folder, *rest)

    resident = cache.get(made[1])
    monkeypatch.setattr(module, "read_adaptation", slow)
    found: list[Adaptation] = []
    askers = [threading.Thread(target=lambda: found.append(cache.get(made[0]))) for _ in range(3)]
    for asker in askers:
        asker.start()
    assert begun.wait(30)
    assert cache.get(made[1]) is resident
    assert cache.get(made[2])
    assert not found
    go.set()
    for asker in askers:
        asker.join(30)
    assert len(found) == 3
    assert len({id(one) for one in found}) == 1
    assert reads == ["a0", "a2"]


def test_a_folder_of_another_base_or_with_a_file_missing_is_refused(
    cache: AdapterCache, made: list[Path], tmp_path: Path
) -> None:
    foreign, half = tmp_path / "foreign", tmp_path / "half"
    for folder in (foreign, half):
        shutil.copytree(made[0], folder)
    run = json.loads((foreign / "run.json").read_text())
    run["base"]["lineage"] = "somebody/else#0"
    (foreign / "run.json").write_text(json.dumps(run))
    (half / "adapter_model.safetensors").unlink()
    with pytest.raises(BadInput, match="was trained on somebody/else; this lab runs tiny"):
        cache.get(foreign)
    with pytest.raises(BadInput, match=r"adapter_model\.safetensors is missing"):
        cache.get(half)
