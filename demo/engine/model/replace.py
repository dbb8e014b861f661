"""Another value for a parameter of a loaded model, in the numbers that its layer keeps.

Knows nothing of adapters: whoever has own weights says which values they are.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel


@torch.no_grad()
def replace_parameter(model: PreTrainedModel, name: str, value: Tensor) -> None:
    """Replace it in place; a quantized layer of bitsandbytes quantizes the new value.

    Args:
        model: as `from_pretrained` left it.
        name: of a parameter, as in `named_parameters`. A tied one changes wherever it is used.
        value: of the same shape as in the file, in any floating type.
    """
    owner, _, last = name.rpartition(".")
    module = model.get_submodule(owner)
    old: Any = getattr(module, last)
    if isinstance(module, nn.Linear) and not old.is_floating_point():
        setattr(module, last, _quantized_like(old, value))
        return
    old.copy_(value)


def _quantized_like(old: Any, value: Tensor) -> nn.Parameter:
    """In the format of a parameter of bitsandbytes, which quantizes when it is moved."""
    device = old.device
    if hasattr(old, "quant_state"):
        state = old.quant_state
        new = type(old)(
            value.to("cpu", state.dtype),
            requires_grad=False,
            blocksize=state.blocksize,
            compress_statistics=state.nested,
            quant_type=state.quant_type,
        )
    else:
        new = type(old)(value.to("cpu", torch.float16), requires_grad=False, has_fp16_weights=False)
    moved: nn.Parameter = new.to(device)
    return moved
