"""Reads IA3 (Liu et al. 2022): a trained factor for each output of a layer, or for each of its inputs.

Inputs are scaled before the layers that the config calls feed-forward. Does not know training.
"""

from torch import Tensor

from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts
from demo.methods.readers.saved import PREFIX, Config, Reader, Saved, Shapes, names, targets


def _scales_inputs(config: Config, layer: str) -> bool:
    """By the last characters of the name, as PEFT decides it."""
    return layer.endswith(names(config, "feedforward_modules") or ("\0",))


def _shapes(config: Config, facts: BaseFacts) -> Shapes:
    shapes: Shapes = {}
    for name in targets(config, facts.layers):
        inputs, outputs = facts.layers[name]
        shapes[f"{PREFIX}{name}.ia3_l"] = (
            (1, inputs) if _scales_inputs(config, name) else (outputs, 1)
        )
    return shapes


def _adapt(saved: Saved) -> Adaptation:
    rows: dict[str, Tensor] = {}
    columns: dict[str, Tensor] = {}
    biases: dict[str, Tensor] = {}
    for name in targets(saved.config, saved.facts.layers):
        change = saved.tensors[f"{PREFIX}{name}.ia3_l"].flatten() - 1
        if _scales_inputs(saved.config, name):
            columns[name] = change
            continue
        rows[name] = change
        if f"{name}.bias" in saved.facts.parameters:
            # A row scale leaves the bias alone, and IA3 does not.
            biases[f"{name}.bias"] = change * saved.facts.weight(f"{name}.bias")
    return Adaptation(saved.key, row_scale=rows, input_scale=columns, weights=biases)


IA3 = Reader(
    known=frozenset({"target_modules", "feedforward_modules", "init_ia3_weights"}),
    shapes=_shapes,
    adapt=_adapt,
)
