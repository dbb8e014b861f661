"""LoRA (Hu et al. 2021): each linear layer gets a trained update of low rank, B A x * alpha / rank.

Does not know how the update is read back or served.
"""

import json
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from demo.methods.layers import LinearLayer, linear_layers
from demo.methods.method import AdapterSize, Method
from demo.run_records import TrainSettings
from demo.workspace import read_json, write_json


def size(layers: tuple[LinearLayer, ...], settings: TrainSettings) -> AdapterSize:
    """Weights and file bytes of an adapter on these layers."""
    trainable = sum(settings.rank * (layer.inputs + layer.outputs) for layer in layers)
    return AdapterSize(trainable, _file_bytes(layers, settings.rank))


def build(model: PreTrainedModel, settings: TrainSettings) -> PeftModel:
    """Wrap every linear layer but the head; only A and B are trainable afterwards."""
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=sorted({layer.suffix for layer in linear_layers(model)}),
    )
    adapted = get_peft_model(model, config)
    assert isinstance(adapted, PeftModel)
    return adapted


def save(model: PeftModel, folder: Path, base: str) -> None:
    """Write the adapter's config and tensors.

    Args:
        model: the trained adapter on its base.
        folder: an existing folder.
        base: the base's model id; a local path would mean nothing on another machine.
    """
    # "auto" would ask a hub whether the vocabulary grew.
    model.save_pretrained(str(folder), save_embedding_layers=False)
    path = folder / "adapter_config.json"
    config = read_json(path)
    write_json(
        path,
        {
            **config,
            "base_model_name_or_path": base,
            "target_modules": sorted(config["target_modules"]),
        },
    )


def _file_bytes(layers: tuple[LinearLayer, ...], rank: int) -> int:
    """The size of the safetensors file: its length field, its padded JSON header, fp32 tensors."""
    shapes: dict[str, list[int]] = {}
    for layer in layers:
        name = f"base_model.model.{layer.name}"
        shapes[f"{name}.lora_A.weight"] = [rank, layer.inputs]
        shapes[f"{name}.lora_B.weight"] = [layer.outputs, rank]
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, (rows, columns) in sorted(shapes.items()):
        start, end = end, end + 4 * rows * columns
        header[name] = {"dtype": "F32", "shape": [rows, columns], "data_offsets": [start, end]}
    header_bytes = len(json.dumps(header, separators=(",", ":")))
    return 8 + -(-header_bytes // 8) * 8 + end


LORA = Method(
    title="LoRA",
    settings=("rank", "alpha", "dropout"),
    size=size,
    build=build,
    save=save,
)
