"""Reads adapters of the LoRA family: a trained update of low rank, s B A x, beside each linear layer.

LoRA (Hu et al. 2021) has s = alpha / r, rsLoRA (Kalajdzievski 2023) s = alpha / sqrt(r); QLoRA
(Dettmers et al. 2023) is a LoRA whose base was quantized while it learned. DoRA (Liu et al. 2024)
gives each output a trained length m: its weight is m (W + s B A) / ||W + s B A||, so with
c = m / ||W + s B A|| it is W + (c - 1) W + c s B A. Does not know how any of it is trained.
"""

import math
from typing import Any

import torch
from torch import Tensor

from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts
from demo.methods.readers.saved import (
    PREFIX,
    Config,
    Reader,
    Refused,
    Saved,
    Shapes,
    switch,
    targets,
    whole,
)

LARGEST_RANK = 256
LARGEST_ALPHA = 4096
PLAIN_STARTS = (True, False, "gaussian")
"""Ways to start A and B that leave the base as it is; PiSSA, OLoRA and LoftQ do not."""
KNOWN = frozenset(
    {
        "r",
        "lora_alpha",
        "target_modules",
        "init_lora_weights",
        "lora_dropout",
        "megatron_core",
        "qalora_group_size",
    }
)


def read_scale(config: Config, rank: int) -> float:
    """alpha, once the rest of what the family shares is known to be harmless."""
    if config.get("init_lora_weights", True) not in PLAIN_STARTS:
        raise Refused("its init_lora_weights changes the base model's own weights")
    alpha: Any = config.get("lora_alpha")
    number = isinstance(alpha, (int, float)) and not isinstance(alpha, bool)
    if not number or not 0 < alpha <= LARGEST_ALPHA:
        raise Refused(f"its lora_alpha must be above 0 and at most {LARGEST_ALPHA}")
    return float(alpha) / (math.sqrt(rank) if switch(config, "use_rslora") else rank)


def _shapes(config: Config, facts: BaseFacts) -> Shapes:
    rank = whole(config, "r", 1, LARGEST_RANK)
    read_scale(config, rank)
    lengths = switch(config, "use_dora")
    shapes: Shapes = {}
    for name in targets(config, facts.layers):
        inputs, outputs = facts.layers[name]
        shapes[f"{PREFIX}{name}.lora_A.weight"] = (rank, inputs)
        shapes[f"{PREFIX}{name}.lora_B.weight"] = (outputs, rank)
        if lengths:
            shapes[f"{PREFIX}{name}.lora_magnitude_vector"] = (outputs,)
    return shapes


def _adapt(saved: Saved) -> Adaptation:
    scale = read_scale(saved.config, saved.config["r"])
    pairs: dict[str, tuple[Tensor, Tensor]] = {}
    rows: dict[str, Tensor] = {}
    for name in targets(saved.config, saved.facts.layers):
        down = saved.tensors[f"{PREFIX}{name}.lora_A.weight"]
        up = saved.tensors[f"{PREFIX}{name}.lora_B.weight"] * scale
        lengths = saved.tensors.get(f"{PREFIX}{name}.lora_magnitude_vector")
        if lengths is not None:
            weight = saved.facts.weight(f"{name}.weight")
            stretch = lengths / torch.linalg.norm(weight + up @ down, dim=1)
            rows[name], up = stretch - 1, up * stretch.unsqueeze(1)
        pairs[name] = (down, up)
    return Adaptation(saved.key, low_rank=pairs, row_scale=rows)


LORA = Reader(known=KNOWN | {"use_rslora", "use_dora"}, shapes=_shapes, adapt=_adapt)
