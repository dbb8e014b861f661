"""Which layers of a base model an adapter may touch: every linear layer but the head.

Does not know what a method does with them.
"""

from dataclasses import dataclass

from torch import nn
from transformers import PreTrainedModel


@dataclass(frozen=True)
class LinearLayer:
    """One linear layer by its full name, e.g. `model.layers.0.mlp.up_proj`."""

    name: str
    inputs: int
    outputs: int

    @property
    def suffix(self) -> str:
        """The last part of the name: what adapters call a target."""
        return self.name.rsplit(".", 1)[-1]


def linear_layers(model: PreTrainedModel) -> tuple[LinearLayer, ...]:
    """Every linear layer but the head, in the model's own order."""
    head = model.get_output_embeddings()
    return tuple(
        LinearLayer(name, module.in_features, module.out_features)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module is not head
    )
