"""What a reader of adapters has to know about the base model: names, shapes, and single weights.

Comes from the model's config and its files alone; knows nothing of a model in memory, whose
weights may be quantized.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from safetensors import safe_open
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from demo.methods.layers import linear_layers


@dataclass(frozen=True)
class BaseFacts:
    """A base model as far as an adapter's tensors depend on it."""

    layers: Mapping[str, tuple[int, int]]
    """Linear layer -> (in, out), without the head."""
    norms: Mapping[str, int]
    """Norm -> width."""
    parameters: Mapping[str, tuple[int, ...]]
    """Every parameter; those that share one tensor are named once."""
    depth: int
    """Layers of the transformer."""
    key_heads: int
    """Heads of keys and values, fewer than those of queries in grouped attention."""
    head_width: int
    width: int
    """Of a token's embedding."""
    vocabulary: int
    """Tokens that there are."""
    weight: Callable[[str], Tensor]
    """A parameter by name, in fp32 on the CPU, as the model's file has it."""

    @property
    def count(self) -> int:
        """Weights of the base model."""
        return sum(prod(shape) for shape in self.parameters.values())


class WeightFiles:
    """The parameters in a model's safetensors files, read one at a time.

    Args:
        source: a local folder, or a hub id whose files were downloaded when it was loaded.
        revision: the hub commit; empty for a local folder.
    """

    def __init__(self, source: str, revision: str = "") -> None:
        self.source = source
        self.revision = revision
        self._where: dict[str, Path] = {}

    def __call__(self, name: str) -> Tensor:
        """The parameter `name` in fp32.

        Raises:
            KeyError: no file has it.
        """
        where = self._where or self._index()
        # Some checkpoints were saved without the name of the model's trunk.
        stored = name if name in where else name.partition(".")[2]
        with safe_open(where[stored], framework="pt") as file:
            weight: Tensor = file.get_tensor(stored)
        return weight.float()

    def _index(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for path in sorted(self._folder().glob("*.safetensors")):
            with safe_open(path, framework="pt") as file:
                found.update(dict.fromkeys(file.keys(), path))
        self._where = found
        return found

    def _folder(self) -> Path:
        folder = Path(self.source)
        if folder.is_dir():
            return folder
        return Path(
            snapshot_download(
                self.source,
                revision=self.revision or None,
                allow_patterns="*.safetensors",
                local_files_only=True,
            )
        )


@lru_cache(maxsize=4)
def base_facts(source: str, revision: str = "") -> BaseFacts:
    """The facts of a model from its config; weights are read when they are asked for."""
    config = AutoConfig.from_pretrained(source, revision=revision or None)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    return facts_of(model, WeightFiles(source, revision))


def facts_of(model: PreTrainedModel, weight: Callable[[str], Tensor]) -> BaseFacts:
    """The facts of a model that is at hand and not quantized."""
    text = model.config.get_text_config()
    heads = text.num_attention_heads
    return BaseFacts(
        layers={layer.name: (layer.inputs, layer.outputs) for layer in linear_layers(model)},
        norms={
            name: module.weight.shape[0]
            for name, module in model.named_modules()
            if is_norm(module)
        },
        parameters={name: tuple(weight.shape) for name, weight in model.named_parameters()},
        depth=text.num_hidden_layers,
        key_heads=getattr(text, "num_key_value_heads", None) or heads,
        head_width=getattr(text, "head_dim", None) or text.hidden_size // heads,
        width=text.hidden_size,
        vocabulary=text.vocab_size,
        weight=weight,
    )


def is_norm(module: nn.Module) -> bool:
    """Whether a module scales its normalized input by one vector; no class is common to them all."""
    weight = getattr(module, "weight", None)
    return (
        isinstance(weight, Tensor) and weight.ndim == 1 and type(module).__name__.endswith("Norm")
    )
