import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import DynamicCache

from demo.errors import BadInput
from demo.methods.limits import check_blend
from demo.methods.reading import READERS
from demo.workspace import read_json, write_json
from tests.methods.making import (
    CONFIGS,
    facts,
    load,
    make_adapter,
    make_base,
    make_full,
    make_own,
    read,
    with_peft,
)

IDS = torch.tensor([[5, 17, 80, 3, 44, 9]])
Q = "base_model.model.model.layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def folders(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("adapters")
    made = {name: make_adapter(base, root / name, config()) for name, config in CONFIGS.items()}
    own = {name: make_own(base, root / name, name) for name in ("bottleneck", "head")}
    return {**made, **own, "full": make_full(base, root / "full")}


@pytest.mark.parametrize(
    ("method", "kinds"),
    [
        ("lora", {"low_rank"}),
        ("rslora", {"low_rank"}),
        ("dora", {"low_rank", "row_scale"}),
        ("adalora", {"low_rank"}),
        ("ia3", {"row_scale", "input_scale"}),
        ("ln", {"norms"}),
        ("prefix", {"keys_values"}),
        ("prefix_projection", {"keys_values"}),
        ("prompt", {"embeddings"}),
        ("p_tuning", {"embeddings"}),
        ("shira", {"weights"}),
        ("full", {"weights"}),
        ("bottleneck", {"bottlenecks"}),
        ("head", {"head"}),
    ],
)
def test_every_method_is_brought_to_its_kinds(
    base: Path, folders: dict[str, Path], method: str, kinds: set[str]
) -> None:
    adapter = read(base, folders[method])
    filled = {name: value for name, value in vars(adapter).items() if name != "key"}
    empty = [name for name, value in filled.items() if isinstance(value, dict) and not value]
    assert {n for n, value in filled.items() if value is not None and n not in empty} == kinds
    assert adapter.bytes > 0


def test_there_is_a_reader_for_every_type_that_the_tests_make(folders: dict[str, Path]) -> None:
    made = {read_json(folder / "adapter_config.json")["peft_type"] for folder in folders.values()}
    assert made == set(READERS)


@torch.no_grad()
@pytest.mark.parametrize("method", ["prefix", "prefix_projection"])
@pytest.mark.parametrize("head_width", [16, 24])
def test_a_prefix_in_front_of_the_cache_has_the_logits_of_peft(
    method: str, head_width: int, tmp_path: Path
) -> None:
    base = make_base(tmp_path / "base", head_dim=head_width)
    folder = make_adapter(base, tmp_path / method, CONFIGS[method]())
    pair = read(base, folder).keys_values
    assert pair is not None
    cache = DynamicCache()
    for layer, (keys, values) in enumerate(zip(*pair, strict=True)):
        cache.update(keys[None], values[None], layer)
    ours = load(base)(IDS, past_key_values=cache).logits
    assert torch.allclose(ours, with_peft(base, folder)(IDS).logits, atol=1e-4)
    assert not torch.allclose(ours, load(base)(IDS).logits, atol=0.02)


@torch.no_grad()
@pytest.mark.parametrize("method", ["prompt", "p_tuning"])
def test_embeddings_before_the_prompt_have_the_logits_of_peft(
    base: Path, folders: dict[str, Path], method: str
) -> None:
    model, soft = load(base), read(base, folders[method]).embeddings
    assert soft is not None
    whole = torch.cat([soft[None], model.get_input_embeddings()(IDS)], dim=1)
    ours = model(inputs_embeds=whole).logits
    assert torch.allclose(ours, with_peft(base, folders[method])(IDS).logits, atol=1e-4)


def test_full_tuning_of_some_parameters_reads_only_these(base: Path, tmp_path: Path) -> None:
    names = ["model.norm.weight", "model.layers.1.mlp.up_proj.weight"]
    adapter = read(base, make_full(base, tmp_path / "top", names))
    assert sorted(adapter.weights) == sorted(names)
    trained = load_file(tmp_path / "top" / "adapter_model.safetensors")
    base_weight = facts(base).weight(names[1])
    assert torch.allclose(adapter.weights[names[1]] + base_weight, trained[names[1]], atol=1e-6)


def test_targets_are_matched_by_whole_parts_of_a_name(base: Path, tmp_path: Path) -> None:
    config = CONFIGS["lora"]()
    config.target_modules = {"layers.1.self_attn.q_proj", "model.layers.0.mlp.up_proj"}
    adapter = read(base, make_adapter(base, tmp_path / "some", config))
    assert set(adapter.low_rank) == {
        "model.layers.1.self_attn.q_proj",
        "model.layers.0.mlp.up_proj",
    }


def test_a_half_precision_file_is_read_in_fp32(
    base: Path, folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = _copy(folders["lora"], tmp_path)
    tensors = load_file(folder / "adapter_model.safetensors")
    half = {name: tensor.bfloat16() for name, tensor in tensors.items()}
    save_file(half, folder / "adapter_model.safetensors")
    pairs = read(base, folder).low_rank.values()
    assert {tensor.dtype for pair in pairs for tensor in pair} == {torch.float32}


@pytest.mark.parametrize(
    ("method", "change", "expected_error"),
    [
        ("lora", {"peft_type": "VERA"}, "type VERA"),
        ("lora", {"peft_type": ["LORA"]}, "type"),
        ("lora", {"task_type": "SEQ_CLS"}, "task_type"),
        ("lora", {"use_rslora": 1}, "use_rslora must be true or false"),
        ("lora", {"rank_pattern": {"q_proj": 4}}, "rank_pattern"),
        ("lora", {"alpha_pattern": {"q_proj": 4}}, "alpha_pattern"),
        ("lora", {"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ("lora", {"fan_in_fan_out": True}, "fan_in_fan_out"),
        ("lora", {"bias": "all"}, "bias"),
        ("lora", {"a_switch_of_tomorrow": 1}, "a_switch_of_tomorrow"),
        ("lora", {"init_lora_weights": "pissa"}, "init_lora_weights"),
        ("lora", {"r": 0}, " r must be"),
        ("lora", {"r": True}, " r must be"),
        ("lora", {"r": 2.5}, " r must be"),
        ("lora", {"r": 10**9}, " r must be"),
        ("lora", {"r": 5}, r"is \[4, 96\], not \[5, 96\]"),
        ("lora", {"lora_alpha": float("nan")}, "lora_alpha"),
        ("lora", {"lora_alpha": None}, "lora_alpha"),
        ("lora", {"target_modules": "all-linear"}, "target_modules"),
        ("lora", {"target_modules": [1]}, "target_modules"),
        ("lora", {"target_modules": []}, "target_modules"),
        ("lora", {"target_modules": ["c_attn"]}, "nothing that this base model has"),
        ("lora", {"target_modules": ["q_proj"]}, "is not expected"),
        ("lora", {"use_dora": True}, "lora_magnitude_vector is missing"),
        ("dora", {"use_dora": False}, "is not expected"),
        ("adalora", {"init_r": 300}, "init_r"),
        ("adalora", {"use_dora": True}, "use_dora"),
        ("adalora", {"rank_pattern": {"lm_head.lora_E": [True] * 4}}, "rank_pattern"),
        ("adalora", {"rank_pattern": {f"{Q[17:]}.lora_E": [1, 0]}}, "rank_pattern"),
        ("ia3", {"feedforward_modules": None}, "feedforward_modules"),
        ("ia3", {"feedforward_modules": []}, r"is \[1, 96\], not \[64, 1\]"),
        ("ia3", {"exclude_modules": ["v_proj"]}, "exclude_modules"),
        ("ln", {"target_modules": ["q_proj"]}, "nothing that this base model has"),
        ("prefix", {"num_virtual_tokens": 257}, "between 1 and 256"),
        ("prefix", {"num_virtual_tokens": 6}, "not"),
        ("prefix", {"num_layers": 3}, "another base model"),
        ("prefix", {"token_dim": 64}, "another base model"),
        ("prefix", {"num_attention_heads": 4}, "another base model"),
        ("prompt", {"num_transformer_submodules": 2}, "num_transformer_submodules"),
        ("prompt", {"token_dim": 32}, "another base model"),
        ("p_tuning", {"modules_to_save": ["x"]}, "modules_to_save"),
        ("shira", {"r": 60}, "more places"),
        ("shira", {"r": 2}, "not"),
        ("full", {"parameters": ["lm_head.weight"]}, "parameters"),
        ("full", {"parameters": []}, "parameters"),
        ("full", {"half": True}, "sets half"),
        ("bottleneck", {"width": 0}, "width must be"),
        ("bottleneck", {"width": 10**6}, "width must be"),
        ("bottleneck", {"width": 15}, "not"),
        ("bottleneck", {"target_modules": ["q_proj"]}, "only be o_proj and down_proj"),
        ("bottleneck", {"activation": "gelu"}, "sets activation"),
        ("head", {"labels": ["yes"]}, "as many as its label_ids"),
        ("head", {"label_ids": [[5, 1]]}, "2 to 32 lists"),
        ("head", {"label_ids": [[5, 1], [96], [7, 1]]}, "does not know"),
        ("head", {"label_ids": [[5, 1], [True], [7, 1]]}, "does not know"),
        ("head", {"label_ids": [[5, 1], [], [7, 1]]}, "1 to 32 tokens"),
        ("head", {"label_ids": [[5], [5, 9, 1], [7, 1]]}, "the beginning of another"),
        ("head", {"label_ids": [[5, 1], [5, 1], [7, 1]]}, "the beginning of another"),
    ],
)
def test_a_config_that_cannot_be_served_exactly_is_refused(
    base: Path,
    folders: dict[str, Path],
    tmp_path: Path,
    method: str,
    change: dict[str, Any],
    expected_error: str,
) -> None:
    folder = _copy(folders[method], tmp_path)
    config = read_json(folder / "adapter_config.json")
    write_json(folder / "adapter_config.json", {**config, **change})
    with pytest.raises(BadInput, match=expected_error):
        read(base, folder)


@pytest.mark.parametrize(
    ("method", "name", "change", "expected_error"),
    [
        ("lora", "lm_head.weight", lambda _: torch.zeros(2), "lm_head.weight is not expected"),
        ("lora", f"{Q}.lora_A.weight", lambda t: t * torch.nan, "NaN or infinity"),
        ("lora", f"{Q}.lora_A.weight", lambda t: t / 0, "NaN or infinity"),
        ("lora", f"{Q}.lora_A.weight", lambda t: t[:, :-1].contiguous(), "tensors do not match"),
        ("lora", f"{Q}.lora_A.weight", lambda t: t.long(), "neither fp32"),
        ("ia3", f"{Q}.ia3_l", lambda _: torch.ones(64, 1), "is not expected"),
        ("prompt", "prompt_embeddings", lambda t: t.double(), "neither fp32"),
        ("shira", f"{Q}.shira_indices", lambda t: t + 64, "outside"),
        ("shira", f"{Q}.shira_indices", lambda t: t - 64, "outside"),
        ("shira", f"{Q}.shira_indices", lambda t: t.float(), "no whole numbers"),
        ("full", "model.norm.weight", lambda t: t * torch.inf, "NaN or infinity"),
    ],
)
def test_tensors_that_are_not_just_as_announced_are_refused(  # noqa: PLR0913
    base: Path,
    folders: dict[str, Path],
    tmp_path: Path,
    method: str,
    name: str,
    change: Any,
    expected_error: str,
) -> None:
    folder = _copy(folders[method], tmp_path)
    tensors = load_file(folder / "adapter_model.safetensors")
    tensors[name] = change(tensors.get(name))
    save_file(tensors, folder / "adapter_model.safetensors")
    with pytest.raises(BadInput, match=expected_error):
        read(base, folder)


def test_a_pickle_is_never_opened(base: Path, folders: dict[str, Path], tmp_path: Path) -> None:
    folder = _copy(folders["lora"], tmp_path)
    (folder / "adapter_model.safetensors").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(BadInput, match="weights cannot be read"):
        read(base, folder)


@pytest.mark.parametrize("text", ["", "[1]", "null", "{", "[" * 100_000])
def test_a_config_that_is_no_object_is_refused(
    base: Path, folders: dict[str, Path], tmp_path: Path, text: str
) -> None:
    folder = _copy(folders["lora"], tmp_path)
    (folder / "adapter_config.json").write_text(text)
    with pytest.raises(BadInput, match="its config is no JSON"):
        read(base, folder)


def test_a_blend_is_refused_when_it_has_no_meaning(base: Path, folders: dict[str, Path]) -> None:
    lora, prefix = read(base, folders["lora"]), read(base, folders["prefix"])
    check_blend(())
    check_blend([(lora, -0.5), (lora, 1.5)], merged=True)
    check_blend([(prefix, 1.0)])
    for terms, merged, problem in (
        ([(lora, 1.6)], False, r"strength must be between -0.5 and 1.5; got 1.6"),
        ([(lora, float("nan"))], False, "strength"),
        ([(lora, 1.0)] * 3, False, "3 adapters"),
        ([(prefix, 0.5)], False, "strength must be 1; got 0.5"),
        ([(prefix, 1.0), (lora, 1.0)], False, "stands alone"),
        ([(prefix, 1.0)], True, "cannot be merged"),
    ):
        with pytest.raises(BadInput, match=problem):
            check_blend(terms, merged)


def _copy(folder: Path, root: Path) -> Path:
    copied = root / "changed"
    shutil.copytree(folder, copied)
    assert json.loads((copied / "adapter_config.json").read_text())
    return copied
