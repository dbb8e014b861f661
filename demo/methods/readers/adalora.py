"""Reads AdaLoRA (Zhang et al. 2023): B diag(E) A, whose ranks a budget shared out while it learned.

Folding E into A leaves a plain low-rank update, exactly. Does not know how ranks are allocated.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts
from demo.methods.readers.low_rank import KNOWN, LARGEST_RANK, read_scale
from demo.methods.readers.saved import (
    PREFIX,
    Config,
    Reader,
    Refused,
    Saved,
    Shapes,
    targets,
    whole,
)

SCHEDULE = frozenset(
    {"target_r", "init_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight"}
    | {"total_step", "rank_pattern"}
)


def _ranks(config: Config, found: list[str]) -> dict[str, int]:
    """Rank by layer: `init_r`, or how many entries of the layer's pattern were kept."""
    first = whole(config, "init_r", 1, LARGEST_RANK)
    pattern: Any = config.get("rank_pattern") or {}
    if not isinstance(pattern, Mapping) or not set(pattern) <= {f"{name}.lora_E" for name in found}:
        raise Refused("its rank_pattern names layers that are no targets")
    for kept in pattern.values():
        if (
            not isinstance(kept, list)
            or len(kept) != first
            or not all(isinstance(one, bool) for one in kept)
        ):
            raise Refused(f"its rank_pattern must hold {first} times true or false for each layer")
    return {name: sum(pattern.get(f"{name}.lora_E", [True] * first)) for name in found}


def _shapes(config: Config, facts: BaseFacts) -> Shapes:
    ranks = _ranks(config, targets(config, facts.layers))
    read_scale(config, 1)
    shapes: Shapes = {}
    for name, rank in ranks.items():
        inputs, outputs = facts.layers[name]
        shapes[f"{PREFIX}{name}.lora_A"] = (rank, inputs)
        shapes[f"{PREFIX}{name}.lora_B"] = (outputs, rank)
        shapes[f"{PREFIX}{name}.lora_E"] = (rank, 1)
    return shapes


def _adapt(saved: Saved) -> Adaptation:
    # The update is divided by the rank at the start, whatever was kept of it since.
    scale = read_scale(saved.config, 1) / (saved.config["init_r"] + 1e-5)
    pairs: dict[str, tuple[Tensor, Tensor]] = {}
    for name in targets(saved.config, saved.facts.layers):
        down, up, singular = (
            saved.tensors[f"{PREFIX}{name}.lora_{part}"] for part in ("A", "B", "E")
        )
        if down.shape[0]:
            pairs[name] = (down * singular, up * scale)
    return Adaptation(saved.key, low_rank=pairs)


ADALORA = Reader(known=KNOWN | SCHEDULE, shapes=_shapes, adapt=_adapt)
