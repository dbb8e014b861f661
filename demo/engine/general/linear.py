"""Linear layers whose products do not depend on who else is in the batch.

A matrix product over several rows adds in another order for every number of rows. While answers
are decoded each row is therefore multiplied on its own; prompts are read one at a time anyway.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel


@dataclass(eq=False)
class Phase:
    """What the pass under way is: one object that all layers of a model read."""

    decoding: bool = False
    """The newest tokens of answers, and not pieces of prompts."""


class RowLinear(nn.Linear):
    """`nn.Linear` over another one's tensors, with a product per row while decoding."""

    def __init__(self, weight: nn.Parameter, bias: nn.Parameter | None, phase: Phase) -> None:
        super().__init__(weight.shape[1], weight.shape[0], bias is not None, device="meta")
        self.weight = weight
        self.register_parameter("bias", bias)
        self.phase = phase

    def forward(self, x: Tensor) -> Tensor:
        """[rows, length, in] to [rows, length, out]."""
        if not self.phase.decoding or len(x) == 1:
            return functional.linear(x, self.weight, self.bias)
        if x.dtype is torch.bfloat16:
            # Its batched product has no fast kernel on CPUs.
            return torch.cat(
                [functional.linear(row, self.weight, self.bias) for row in torch.split(x, 1)]
            )
        out = torch.bmm(x, self.weight.t().expand(len(x), -1, -1))
        return out if self.bias is None else out + self.bias


def use_row_products(model: PreTrainedModel, phase: Phase) -> None:
    """Replace every linear layer in place. Layers in 4 bits are unpacked once, and stay so."""
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear):
            model.set_submodule(name, RowLinear(_weight(module), module.bias, phase))


def _weight(module: nn.Linear) -> nn.Parameter:
    weight: Any = module.weight
    state = getattr(weight, "quant_state", None)
    if state is None:
        return weight  # type: ignore[no-any-return]
    from bitsandbytes.functional import dequantize_4bit

    plain: Tensor = dequantize_4bit(weight.data, state)
    return nn.Parameter(plain, requires_grad=False)
