"""Reads SHiRA (Bhardwaj et al. 2024): a trained difference at few places of each weight matrix.

There are as many places as a LoRA of rank r would have numbers: r (in + out). Does not know how
they were chosen.
"""

import torch
from torch import Tensor

from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts
from demo.methods.readers.low_rank import LARGEST_RANK
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

PLACES = ".shira_indices"


def _shapes(config: Config, facts: BaseFacts) -> Shapes:
    rank = whole(config, "r", 1, LARGEST_RANK)
    shapes: Shapes = {}
    for name in targets(config, facts.layers):
        inputs, outputs = facts.layers[name]
        count = rank * (inputs + outputs)
        if count > inputs * outputs:
            raise Refused(f"its rank r={rank} has more places than {name} has weights")
        shapes[f"{PREFIX}{name}.shira_weight"] = (count,)
        shapes[f"{PREFIX}{name}{PLACES}"] = (2, count)
    return shapes


def _adapt(saved: Saved) -> Adaptation:
    weights: dict[str, Tensor] = {}
    for name in targets(saved.config, saved.facts.layers):
        inputs, outputs = saved.facts.layers[name]
        places = saved.tensors[f"{PREFIX}{name}{PLACES}"].long()
        limits = torch.tensor([[outputs], [inputs]])
        if bool(((places < 0) | (places >= limits)).any()):
            raise Refused(f"its places lie outside of {name}")
        weights[f"{name}.weight"] = torch.sparse_coo_tensor(
            places,
            saved.tensors[f"{PREFIX}{name}.shira_weight"],
            (outputs, inputs),
            check_invariants=True,
        ).coalesce()
    return Adaptation(saved.key, weights=weights)


SHIRA = Reader(
    known=frozenset({"r", "target_modules", "mask_type", "random_seed", "init_weights"}),
    shapes=_shapes,
    adapt=_adapt,
    whole=PLACES,
)
