"""An adapter from elsewhere has the same numbers once it is written anew, whatever its method."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from demo.methods.adaptation import Adaptation
from demo.methods.reading import CONFIG, READERS, TENSORS, read_adaptation
from demo.methods.travel.archive import unpack
from demo.methods.travel.config import TABLES
from demo.methods.travel.into_base import adapted_weight, fits_into_weights
from demo.methods.travel.merging import is_low_rank, merged, rank_of
from demo.methods.travel.rebuild import Rebuilt, rebuilt, write
from demo.workspace import read_json
from tests.methods.making import (
    CONFIGS,
    facts,
    load,
    make_adapter,
    make_full,
    make_own,
    read,
    with_peft,
)
from tests.methods.travel.zips import with_config, with_tensors, zipped

IDS = torch.tensor([[5, 17, 80, 3, 44, 9]])
OWN = ("bottleneck", "head", "full")
METHODS = [*CONFIGS, *OWN]
pytestmark = pytest.mark.filterwarnings("ignore:Sparse invariant checks:UserWarning")
"""PEFT's own SHiRA."""


def made(base: Path, folder: Path, method: str) -> Path:
    if method == "full":
        make_full(base, folder)
        return folder
    if method in OWN:
        return make_own(base, folder, method)
    return make_adapter(base, folder, CONFIGS[method]())


def travelled(base: Path, content: bytes, folder: Path) -> Path:
    """What became of a zip."""
    folder.mkdir()
    write(rebuilt(unpack(content), facts(base), "owner/model"), folder)
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_every_method_travels_with_equal_tensors_and_answers(
    base: Path, tmp_path: Path, method: str
) -> None:
    sent = made(base, tmp_path / "sent", method)
    got = travelled(base, zipped(sent), tmp_path / "got")
    before, after = load_file(sent / TENSORS), load_file(got / TENSORS)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert sorted(path.name for path in got.iterdir()) == ["adapter_config.json", TENSORS]
    again = read_adaptation(got, "again", facts(base))
    assert _equal(again, read(base, sent))
    if method not in OWN:
        with torch.no_grad():
            ours, theirs = (with_peft(base, folder)(IDS).logits for folder in (got, sent))
        assert torch.equal(ours, theirs)


def _equal(one: Adaptation, other: Adaptation) -> bool:
    return all(
        _same(value, getattr(other, name)) for name, value in vars(one).items() if name != "key"
    )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one.to_dense(), other.to_dense())
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if one is None or isinstance(one, int):
        return bool(one == other)
    return _same(vars(one), vars(other))


def test_every_reader_has_a_table_of_what_it_writes() -> None:
    assert TABLES.keys() == READERS.keys()


def test_a_half_precision_file_stays_half(base: Path, tmp_path: Path) -> None:
    sent = made(base, tmp_path / "sent", "lora")
    half = with_tensors(sent, lambda tensors: {n: t.bfloat16() for n, t in tensors.items()})
    got = load_file(travelled(base, half, tmp_path / "got") / TENSORS)
    assert {tensor.dtype for tensor in got.values()} == {torch.bfloat16}


def test_what_the_config_says_beside_the_point_does_not_travel_on(
    base: Path, tmp_path: Path
) -> None:
    sent = made(base, tmp_path / "sent", "lora")
    content = with_config(
        sent,
        target_modules=["q_proj", "v_proj", "down_proj", "<script>", "x.y.z"],
        revision="<script>",
        megatron_core="somebody.elses.code",
        auto_mapping={"parent_library": "os", "base_model_class": "system"},
        base_model_name_or_path="/home/somebody",
    )
    config = read_json(travelled(base, content, tmp_path / "got") / "adapter_config.json")
    assert config["target_modules"] == ["down_proj", "q_proj", "v_proj"]
    assert config["base_model_name_or_path"] == "owner/model"
    assert not {"revision", "megatron_core", "auto_mapping"} & config.keys()


def test_only_the_named_files_of_one_folder_are_read(base: Path, tmp_path: Path) -> None:
    sent = made(base, tmp_path / "sent", "lora")
    content = zipped(sent, chat_template__jinja=b"{{ 'a' * 10**9 }}", tokenizer__json=b"[")
    parcel = unpack(content)
    assert parcel.run == (sent / "run.json").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(archive.namelist()) > 3


@torch.no_grad()
@pytest.mark.parametrize("pair", [("lora", "rslora"), ("adalora", "lora"), ("lora", "lora")])
def test_side_by_side_two_adapters_are_their_weighted_sum(
    base: Path, tmp_path: Path, pair: tuple[str, str]
) -> None:
    folders = [
        make_adapter(base, tmp_path / f"{n}", CONFIGS[method](), seed=n + 1)
        for n, method in enumerate(pair)
    ]
    parts = list(zip([read(base, folder) for folder in folders], (0.7, -0.3), strict=True))
    folder = tmp_path / "merged"
    folder.mkdir()
    config, tensors = merged(parts, facts(base))
    write(Rebuilt({"task_type": "CAUSAL_LM", **config}, tensors), folder)
    wanted = load(base)
    for adapter, weight in parts:
        for name, (down, up) in adapter.low_rank.items():
            wanted.get_submodule(name).weight.add_(up @ down, alpha=weight)
    ours = with_peft(base, folder)(IDS).logits
    torch.testing.assert_close(ours, wanted(IDS).logits, atol=1e-5, rtol=1e-5)
    assert rank_of([adapter for adapter, _ in parts]) == config["r"]


@pytest.mark.parametrize("method", METHODS)
def test_only_pure_low_rank_adapters_can_stand_side_by_side(
    base: Path, tmp_path: Path, method: str
) -> None:
    adapter = read(base, made(base, tmp_path / method, method))
    assert is_low_rank(adapter) == (method in ("lora", "rslora", "adalora"))


@torch.no_grad()
@pytest.mark.parametrize("method", ["lora", "dora", "adalora", "ia3", "ln", "shira", "full"])
def test_the_base_with_an_adapter_in_its_weights_has_the_adapted_logits(
    base: Path, tmp_path: Path, method: str
) -> None:
    folder = made(base, tmp_path / method, method)
    adapter, model = read(base, folder), load(base)
    assert fits_into_weights(read_json(folder / CONFIG))
    for name, weight in model.named_parameters():
        weight.copy_(adapted_weight(name, weight.clone(), adapter))
    ours = model(IDS).logits
    if method == "full":
        wanted = load(base)
        wanted.load_state_dict(load_file(folder / TENSORS), strict=False)
        torch.testing.assert_close(ours, wanted(IDS).logits, atol=1e-4, rtol=1e-4)
        return
    torch.testing.assert_close(ours, with_peft(base, folder)(IDS).logits, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("method", ["prefix", "prompt", "p_tuning", "bottleneck", "head"])
def test_what_acts_beside_the_weights_does_not_fit_into_them(
    base: Path, tmp_path: Path, method: str
) -> None:
    assert not fits_into_weights(read_json(made(base, tmp_path / method, method) / CONFIG))
