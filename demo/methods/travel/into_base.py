"""The base model's weights with an adapter's update added, one at a time: a whole model of its own.

Never holds more than one parameter of the model. Does not know where the model is written to.
"""

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor
from transformers import AutoConfig, GenerationConfig

from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts
from demo.methods.file_size import NUMBER_BYTES

INTO_WEIGHTS = ("LORA", "ADALORA", "IA3", "LN_TUNING", "SHIRA", "FULL")
"""The kinds of adapters that change weights; all others act beside them."""


def fits_into_weights(config: Mapping[str, Any]) -> bool:
    """Whether an adapter changes weights and does nothing beside them, as its config says."""
    return config.get("peft_type") in INTO_WEIGHTS


def write_weights(file: IO[bytes], facts: BaseFacts, adapter: Adaptation) -> None:
    """Write `model.safetensors` in fp32: a header that names every parameter, then their numbers.

    Args:
        file: open for writing; need not be able to seek.
        facts: of the base model.
        adapter: whose config `fits_into_weights`.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in facts.parameters.items():
        start, end = end, end + NUMBER_BYTES * prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    for name in facts.parameters:
        weight = adapted_weight(name, facts.weight(name), adapter)
        file.write(weight.contiguous().numpy().tobytes())


def adapted_weight(name: str, weight: Tensor, adapter: Adaptation) -> Tensor:
    """One parameter of the base as the adapter changes it: see `Adaptation` for the formula."""
    layer = name.removesuffix(".weight")
    found = weight.clone()
    if name != layer:
        if layer in adapter.input_scale:
            found += weight * adapter.input_scale[layer]
        if layer in adapter.row_scale:
            found += weight * adapter.row_scale[layer].unsqueeze(1)
        if layer in adapter.low_rank:
            down, up = adapter.low_rank[layer]
            found += up @ down
        if layer in adapter.norms:
            found += adapter.norms[layer]
    change = adapter.weights.get(name)
    if change is not None:
        found += change.to_dense() if change.is_sparse else change
    return found


def write_settings(folder: Path, source: str, revision: str) -> None:
    """Write the base model's config, and how it generates where it says so, for weights in fp32."""
    config = AutoConfig.from_pretrained(source, revision=revision or None)
    config.dtype = torch.float32
    config.save_pretrained(folder)
    try:
        GenerationConfig.from_pretrained(source, revision=revision or "main").save_pretrained(
            folder
        )
    except OSError:
        return  # Many models say nothing of it.
