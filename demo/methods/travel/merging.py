"""Several low-rank updates become one of higher rank, exactly: their matrices side by side.

w1 B1 A1 + w2 B2 A2 = [w1 B1, w2 B2] [A1; A2], so the merged adapter answers as the weighted sum does.
Does not know where adapters lie, nor what they are called.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts
from demo.methods.file_size import NUMBER_BYTES
from demo.methods.readers.saved import PREFIX

Weighted = Sequence[tuple[Adaptation, float]]


def is_low_rank(adapter: Adaptation) -> bool:
    """Whether an adapter is a sum of low-rank updates and nothing else."""
    others = (adapter.row_scale, adapter.input_scale, adapter.norms, adapter.bottlenecks)
    scaled = any((*others, adapter.weights)) or adapter.head is not None
    return bool(adapter.low_rank) and not scaled and not adapter.virtual_tokens


def rank_of(adapters: Sequence[Adaptation]) -> int:
    """The rank of their sum: that of the layer where most comes together."""
    layers = {name for adapter in adapters for name in adapter.low_rank}
    return max(sum(_rank(adapter, name) for adapter in adapters) for name in layers)


def bytes_of(adapters: Sequence[Adaptation], facts: BaseFacts) -> int:
    """What the tensors of their sum take, before any of them is made."""
    layers = {name for adapter in adapters for name in adapter.low_rank}
    return NUMBER_BYTES * rank_of(adapters) * sum(sum(facts.layers[name]) for name in layers)


def merged(parts: Weighted, facts: BaseFacts) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Config and tensors of a LoRA whose update is the weighted sum of the parts.

    Args:
        parts: purely low-rank adapters, and what each is multiplied by.
        facts: of their base model.
    """
    rank = rank_of([adapter for adapter, _ in parts])
    tensors: dict[str, Tensor] = {}
    layers = sorted({name for adapter, _ in parts for name in adapter.low_rank})
    for name in layers:
        inputs, outputs = facts.layers[name]
        down, up = torch.zeros(rank, inputs), torch.zeros(outputs, rank)
        place = 0
        for adapter, weight in parts:
            place = _put(adapter.low_rank.get(name), weight, place, (down, up))
        tensors[f"{PREFIX}{name}.lora_A.weight"] = down
        tensors[f"{PREFIX}{name}.lora_B.weight"] = up
    # alpha equal to the rank: every scale stands in B already.
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": rank}
    return {**config, "target_modules": _targets(layers, facts.layers)}, tensors


def _rank(adapter: Adaptation, layer: str) -> int:
    pair = adapter.low_rank.get(layer)
    return 0 if pair is None else pair[0].shape[0]


def _put(
    pair: tuple[Tensor, Tensor] | None, weight: float, place: int, into: tuple[Tensor, Tensor]
) -> int:
    """Copy an update behind those that are there; returns where the next one begins."""
    if pair is None:
        return place
    end = place + pair[0].shape[0]
    into[0][place:end] = pair[0]
    into[1][:, place:end] = pair[1] * weight
    return end


def _targets(layers: Sequence[str], among: Mapping[str, Any]) -> list[str]:
    """The last parts of the names where these mean no other layer; else the names in full."""
    kinds = {name.rpartition(".")[2] for name in layers}
    meant = {name for name in among if name.rpartition(".")[2] in kinds}
    return sorted(kinds if meant == set(layers) else layers)
