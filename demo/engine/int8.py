"""The lab's own quantized base for CPUs: weight-only int8, one scale per output channel.

Two kernels over the same int8 weights, chosen by phase and never by batch size, so that who else
is in a batch does not change an answer: reading a prompt multiplies in fp32 (exact, and fast for
many rows), decoding a token uses torch's int8 kernel with bf16 activations (a quarter of the bytes
of fp32 are read). Activations are never quantized: this model's first token has activations
hundreds of times larger than the rest, and one scale for all of them ruins it.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from demo.engine.linear import Phase


class Int8Linear(nn.Module):
    """`nn.Linear` with int8 weights [out, in] and a scale per output channel."""

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor | None, phase: Phase) -> None:
        super().__init__()
        self.phase = phase
        self.out_features, self.in_features = weight.shape
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)
        self.register_buffer("decode_scale", scale.to(torch.bfloat16))
        self.register_buffer("bias", bias)
        self.weight: Tensor
        self.scale: Tensor
        self.decode_scale: Tensor
        self.bias: Tensor | None

    def forward(self, x: Tensor) -> Tensor:
        """[rows, length, in] to [rows, length, out]."""
        if not self.phase.decoding:
            return functional.linear(x, self.weight * self.scale.unsqueeze(1), self.bias)
        rows = x.reshape(-1, self.in_features).to(torch.bfloat16)
        product = torch.ops.aten._weight_int8pack_mm(rows, self.weight, self.decode_scale)
        out: Tensor = product.to(x.dtype).reshape(*x.shape[:-1], self.out_features)
        return out if self.bias is None else out + self.bias


class Int8Embedding(nn.Module):
    """`nn.Embedding` over the same int8 weights as a tied head."""

    def __init__(self, weight: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = weight.shape
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)
        self.weight: Tensor
        self.scale: Tensor

    def forward(self, ids: Tensor) -> Tensor:
        """[batch, length] to [batch, length, width] in fp32."""
        return self.weight[ids] * self.scale[ids].unsqueeze(-1)


def quantize(weight: Tensor) -> tuple[Tensor, Tensor]:
    """fp32 [out, in] to int8 [out, in] and fp32 scales [out], rounding to nearest."""
    scale = weight.abs().amax(dim=1).clamp_min(1e-12) / 127
    return (weight / scale.unsqueeze(1)).round_().to(torch.int8).contiguous(), scale


def quantize_model(model: PreTrainedModel, phase: Phase) -> None:
    """Replace every linear layer and the token embedding in place; the head stays tied if it was."""
    head = model.get_output_embeddings()
    table: Any = model.get_input_embeddings()
    tied = head is not None and head.weight is table.weight
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear) and not (tied and module is head):
            weight, scale = quantize(module.weight.detach())
            bias = module.bias.detach() if module.bias is not None else None
            model.set_submodule(name, Int8Linear(weight, scale, bias, phase))
    if tied:
        weight, scale = quantize(table.weight.detach())
        model.set_input_embeddings(Int8Embedding(weight, scale))
        model.set_output_embeddings(Int8Linear(weight, scale, None, phase))
