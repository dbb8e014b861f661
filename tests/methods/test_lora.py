from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from demo.errors import BadInput
from demo.methods import METHODS
from demo.methods.layers import base_shape, linear_layers
from demo.methods.lora import check_config
from demo.run_records import TrainSettings
from demo.workspace import read_json

CONFIG = LlamaConfig(
    vocab_size=96,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    tie_word_embeddings=False,
)
GOOD = {"peft_type": "LORA", "r": 8, "lora_alpha": 16, "target_modules": ["q_proj"], "bias": "none"}


def base() -> Any:
    return AutoModelForCausalLM.from_config(CONFIG, dtype=torch.float32)


def test_linear_layers_are_all_but_the_head() -> None:
    names = {layer.suffix for layer in linear_layers(base())}
    assert names == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


@pytest.mark.parametrize("rank", [1, 8, 13])
def test_size_computed_from_shapes_equals_the_built_and_saved_adapter(
    rank: int, tmp_path: Path
) -> None:
    settings = TrainSettings(rank=rank)
    CONFIG.save_pretrained(tmp_path)
    shape = base_shape(str(tmp_path), None)
    computed = METHODS["lora"].size(shape.layers, settings)
    model = METHODS["lora"].build(base(), settings)
    METHODS["lora"].save(model, tmp_path, "owner/model")
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    assert computed.trainable == trained
    assert computed.bytes == (tmp_path / "adapter_model.safetensors").stat().st_size
    assert shape.parameters == base().num_parameters()


def test_saved_config_names_the_base_by_its_id_and_passes_its_own_check(tmp_path: Path) -> None:
    model = METHODS["lora"].build(base(), TrainSettings(rank=4, alpha=6))
    METHODS["lora"].save(model, tmp_path, "owner/model")
    config = read_json(tmp_path / "adapter_config.json")
    assert config["base_model_name_or_path"] == "owner/model"
    shape = check_config(config)
    assert (shape.rank, shape.alpha, shape.scale, len(shape.targets)) == (4, 6.0, 1.5, 7)


@pytest.mark.parametrize(
    ("change", "expected_error"),
    [
        ({"peft_type": "IA3"}, "type IA3"),
        ({"use_dora": True}, "use_dora"),
        ({"use_rslora": True}, "use_rslora"),
        ({"rank_pattern": {"q_proj": 4}}, "rank_pattern"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "bias"),
        ({"a_switch_of_tomorrow": 1}, "a_switch_of_tomorrow"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights"),
        ({"r": 0}, "rank"),
        ({"r": True}, "rank"),
        ({"r": 2.5}, "rank"),
        ({"r": 10**9}, "rank"),
        ({"lora_alpha": float("nan")}, "lora_alpha"),
        ({"lora_alpha": None}, "lora_alpha"),
        ({"target_modules": "all-linear"}, "target_modules"),
        ({"target_modules": [1]}, "target_modules"),
        ({"target_modules": []}, "target_modules"),
    ],
)
def test_check_config_refuses_what_would_change_the_meaning_of_the_tensors(
    change: dict[str, Any], expected_error: str
) -> None:
    with pytest.raises(BadInput, match=expected_error):
        check_config({**GOOD, **change})
