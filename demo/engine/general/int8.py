"""The lab's own quantized base for CPUs: weight-only int8 with a scale per output channel.

Two kernels over the same weights, chosen by phase and never by batch size, so that who else is in
a batch does not change an answer: reading a prompt multiplies in fp32 (exact, and fast for many
rows), decoding a token uses torch's int8 kernel with bf16 activations (a quarter of the bytes of
fp32 are read). Activations are never quantized: this model's first token has activations hundreds
of times larger than the rest, and one scale for all of them ruins it.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from demo.engine.general.linear import Phase

FINE = ("v_proj", "o_proj", "up_proj", "gate_proj", "down_proj")
"""Layers whose rounding costs most: what a first int8 leaves over is kept in a second one.

With one int8 per weight the embedded model's perplexity on a Hungarian text rises by more than
0.5 %, the limit; so it does without `gate_proj` here. Queries and keys bear it.
"""
CANDIDATES = 256
"""Tokens whose logits the head computes exactly."""


class Int8Linear(nn.Module):
    """`nn.Linear` with weights of one int8, or the sum of several, each with a scale per output."""

    def __init__(self, weight: Tensor, parts: int, bias: Tensor | None, phase: Phase) -> None:
        super().__init__()
        self.phase = phase
        self.parts = parts
        self.out_features, self.in_features = weight.shape
        codes, scale = quantize(weight, parts)
        self.register_buffer("weight", codes)
        self.register_buffer("scale", scale)
        self.register_buffer("bias", bias)
        self.weight: Tensor
        self.scale: Tensor
        self.bias: Tensor | None

    def forward(self, x: Tensor) -> Tensor:
        """[rows, length, in] to [rows, length, out]."""
        if not self.phase.decoding:
            return functional.linear(x, self._plain(), self.bias)
        out = self._product(x, self.weight, self.scale)
        if self.parts > 1:
            out = out.view(*x.shape[:-1], self.parts, self.out_features).sum(-2)
        return out if self.bias is None else out + self.bias

    def _product(self, x: Tensor, codes: Tensor, scale: Tensor) -> Tensor:
        rows = x.reshape(-1, self.in_features).to(torch.bfloat16)
        product: Tensor = torch.ops.aten._weight_int8pack_mm(rows, codes, scale)
        return product.to(x.dtype).reshape(*x.shape[:-1], len(codes))

    def _plain(self) -> Tensor:
        """The weights in fp32."""
        plain = self.weight * self.scale.float().unsqueeze(1)
        if self.parts == 1:
            return plain
        return plain.view(self.parts, self.out_features, self.in_features).sum(0)


class Int8Head(Int8Linear):
    """The head: int8 finds the likely tokens, whose logits are then computed in fp32.

    The kernel rounds what it returns to bf16, steps of 0.06 and more between logits; ties would
    decide answers.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, phase: Phase) -> None:
        super().__init__(weight, 2, bias, phase)

    def forward(self, x: Tensor) -> Tensor:
        """[rows, length, in] to [rows, length, out]."""
        if not self.phase.decoding:
            return super().forward(x)
        size = self.out_features
        logits = self._product(x, self.weight[:size], self.scale[:size])
        likely = logits.topk(min(CANDIDATES, size), dim=-1, sorted=False).indices
        plain = _looked_up(self.weight, self.scale, self.parts, likely).flatten(0, 1)
        # One product per row: a batched one would round differently for every number of rows.
        rows = zip(plain, x.reshape(-1, self.in_features), strict=True)
        exact = torch.stack([torch.mv(row, hidden) for row, hidden in rows])
        logits = logits.scatter(-1, likely, exact.view(likely.shape))
        return logits if self.bias is None else logits + self.bias


class Int8Embedding(nn.Module):
    """`nn.Embedding` over the weights of a tied head."""

    def __init__(self, head: Int8Head) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = head.out_features, head.in_features
        self.parts = head.parts
        self.register_buffer("weight", head.weight)
        self.register_buffer("scale", head.scale)
        self.weight: Tensor
        self.scale: Tensor

    def forward(self, ids: Tensor) -> Tensor:
        """[rows, length] to [rows, length, width] in fp32."""
        return _looked_up(self.weight, self.scale, self.parts, ids)


def quantize(weight: Tensor, parts: int = 1) -> tuple[Tensor, Tensor]:
    """fp32 [out, in] to int8 [parts * out, in] and bf16 scales [parts * out]; each rounds the rest.

    The scales are bf16 because the kernel wants them so: rounded beforehand they cost nothing.
    """
    rest = weight
    codes: list[Tensor] = []
    scales: list[Tensor] = []
    for _ in range(parts):
        # A little more than the largest weight, so that rounding the scale down cannot clip it.
        scale = rest.abs().amax(dim=1).clamp_min(1e-12) / 127 * (1 + 2**-8)
        scales.append(scale.to(torch.bfloat16))
        wide = scales[-1].float().unsqueeze(1)
        codes.append((rest / wide).round_().to(torch.int8))
        rest = rest - codes[-1] * wide
    return torch.cat(codes), torch.cat(scales)


def _looked_up(codes: Tensor, scale: Tensor, parts: int, index: Tensor) -> Tensor:
    """Rows of the table that [...] names, in fp32 [..., width]."""
    size = len(scale) // parts
    rows = [index + part * size for part in range(parts)]
    found = [codes[row] * scale[row].float().unsqueeze(-1) for row in rows]
    return torch.stack(found).sum(0)


def quantize_model(model: PreTrainedModel, phase: Phase) -> None:
    """Replace every linear layer and a tied token embedding in place; the head stays tied."""
    head: Any = model.get_output_embeddings()
    table: Any = model.get_input_embeddings()
    tied = head is not None and head.weight is table.weight
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear) and module is not head:
            parts = 2 if name.endswith(FINE) else 1
            model.set_submodule(name, Int8Linear(module.weight, parts, module.bias, phase))
    if head is not None:
        new = Int8Head(head.weight, head.bias, phase)
        model.set_output_embeddings(new)
        if tied:
            model.set_input_embeddings(Int8Embedding(new))
