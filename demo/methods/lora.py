"""LoRA (Hu et al. 2021): each linear layer gets a trained update of low rank, B A x * alpha / rank.

Does not know how the update is trained or served.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from demo.errors import BadInput
from demo.methods.layers import LinearLayer, linear_layers
from demo.methods.method import AdapterSize, Method
from demo.run_records import TrainSettings
from demo.workspace import read_json, write_json

LARGEST_RANK = 256
LARGEST_ALPHA = 4096
PLAIN_STARTS = (True, False, "gaussian")
"""Ways to start A and B that leave the base as it is; PiSSA, OLoRA and LoftQ do not."""

DESCRIPTIVE = frozenset(
    {
        "peft_version",
        "base_model_name_or_path",
        "revision",
        "auto_mapping",
        "inference_mode",
        "lora_dropout",
        "init_lora_weights",
        "megatron_core",
        "qalora_group_size",
        "task_type",
        "peft_type",
        "r",
        "lora_alpha",
        "target_modules",
    }
)
"""Config values that are checked one by one, or change nothing once the weights are there."""


@dataclass(frozen=True)
class LoraShape:
    """All that serving a LoRA needs to know beside its tensors."""

    rank: int
    alpha: float
    targets: tuple[str, ...]

    @property
    def scale(self) -> float:
        """What the update is multiplied by."""
        return self.alpha / self.rank


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


def check_config(config: Mapping[str, Any], adapter: str = "The adapter") -> LoraShape:
    """The shape of a LoRA that the lab can serve exactly.

    Every switch that would change what the tensors mean (DoRA, rsLoRA, patterns by layer, trained
    embeddings) has to be off: a switch that is ignored would give wrong answers without a word.

    Raises:
        BadInput: a value is missing, out of range, or switched on; the message names it.
    """
    problem = _problem(config)
    if problem:
        raise BadInput("adapter_broken", adapter=adapter, problem=problem)
    return LoraShape(
        int(config["r"]), float(config["lora_alpha"]), tuple(sorted(config["target_modules"]))
    )


def _problem(config: Mapping[str, Any]) -> str:
    """Why a config cannot be served exactly; empty when it can."""
    if config.get("peft_type") != "LORA":
        return f"it is of type {str(config.get('peft_type'))[:40]}, and this lab reads LORA"
    for name, value in config.items():
        if name not in DESCRIPTIVE and value and (name, value) != ("bias", "none"):
            return f"its adapter_config.json sets {name[:40]}, which this lab does not know"
    if config.get("init_lora_weights", True) not in PLAIN_STARTS:
        return "its init_lora_weights changes the base model's own weights"
    rank, targets = _number(config.get("r")), config.get("target_modules")
    if not 1 <= rank <= LARGEST_RANK or rank != int(rank):
        return f"its rank r must be between 1 and {LARGEST_RANK}"
    if not 0 < _number(config.get("lora_alpha")) <= LARGEST_ALPHA:
        return f"its lora_alpha must be above 0 and at most {LARGEST_ALPHA}"
    if (
        not isinstance(targets, list)
        or not targets
        or not all(isinstance(name, str) for name in targets)
    ):
        return "its target_modules must be a list of layer names"
    return ""


def _number(value: Any) -> float:
    """A JSON number; 0, which no range here allows, for anything else."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0


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
    check_config=check_config,
)
