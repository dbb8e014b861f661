"""Reads LayerNorm tuning (Zhao et al. 2023): only the norms' own weights were trained.

Does not know training.
"""

from torch import Tensor

from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts
from demo.methods.readers.saved import PREFIX, Config, Reader, Saved, Shapes, targets


def _parts(name: str, facts: BaseFacts) -> list[str]:
    return [part for part in ("weight", "bias") if f"{name}.{part}" in facts.parameters]


def _shapes(config: Config, facts: BaseFacts) -> Shapes:
    return {
        f"{PREFIX}{name}.ln_tuning_layers.{part}": (facts.norms[name],)
        for name in targets(config, facts.norms)
        for part in _parts(name, facts)
    }


def _adapt(saved: Saved) -> Adaptation:
    norms: dict[str, Tensor] = {}
    biases: dict[str, Tensor] = {}
    for name in targets(saved.config, saved.facts.norms):
        for part in _parts(name, saved.facts):
            trained = saved.tensors[f"{PREFIX}{name}.ln_tuning_layers.{part}"]
            change = trained - saved.facts.weight(f"{name}.{part}")
            if part == "weight":
                norms[name] = change
            else:
                biases[f"{name}.bias"] = change
    return Adaptation(saved.key, norms=norms, weights=biases)


LAYER_NORM = Reader(known=frozenset({"target_modules"}), shapes=_shapes, adapt=_adapt)
