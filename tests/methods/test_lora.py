from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, LlamaConfig

from demo.methods import METHODS
from demo.methods.facts import facts_of
from demo.methods.layers import base_shape, linear_layers
from demo.methods.reading import reader_of
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


def test_saved_adapter_names_the_base_by_its_id_and_is_what_its_reader_expects(
    tmp_path: Path,
) -> None:
    model = METHODS["lora"].build(base(), TrainSettings(rank=4, alpha=6))
    METHODS["lora"].save(model, tmp_path, "owner/model")
    config = read_json(tmp_path / "adapter_config.json")
    assert config["base_model_name_or_path"] == "owner/model"
    facts = facts_of(base(), {}.__getitem__)
    trained = {name: tuple(tensor.shape) for name, tensor in _saved(tmp_path).items()}
    assert reader_of(config).shapes(config, facts) == trained
    assert {shape[0] for name, shape in trained.items() if "lora_A" in name} == {4}
    assert len(trained) == 3 * 7 * 2


def _saved(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter_model.safetensors")
