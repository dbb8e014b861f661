"""Attention that reads each row of a batch on its own, so that an answer never depends on its neighbours.

The usual kernels take another order of additions for every width and padding; the last digit then
differs, and a tie falls the other way. Here each row attends over its own keys alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

NAME = "lab_rows"
FAMILIES = frozenset({"llama", "mistral", "qwen2", "qwen3"})
"""Whose attention is this and nothing more: no soft cap, no sinks, no bias by distance."""


def attend_by_row(
    _module: Any,
    query: Tensor,
    keys: Sequence[Tensor],
    values: Sequence[Tensor],
    _mask: Tensor | None,
    *,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Causal attention of a piece of one row's prompt, or of one new token per row.

    Args:
        _module: the attention layer, not looked at.
        query: [rows, heads, length, width]; one row where length is above 1.
        keys: of each row [key heads, columns, width]; its last `length` columns are the query's.
        values: like `keys`.
        _mask: not looked at; the rows hold nothing but their own columns.
        scaling: of the scores before the softmax.

    Returns:
        [rows, length, heads, width], and no weights.
    """
    rows, heads, length, width = query.shape
    if length > 1:
        return _attend_piece(query, keys[0][None], values[0][None], scaling), None
    # One query per head: heads that share keys become the queries of one head.
    packed = query.reshape(rows, keys[0].shape[0], -1, width)
    answers = [
        scaled_dot_product_attention(packed[row : row + 1], key[None], value[None], scale=scaling)
        for row, (key, value) in enumerate(zip(keys, values, strict=True))
    ]
    return torch.cat(answers).reshape(rows, 1, heads, width), None


def _attend_piece(query: Tensor, key: Tensor, value: Tensor, scaling: float | None) -> Tensor:
    length, columns = query.shape[2], key.shape[2]
    first = columns == length
    mask = None
    if not first:
        mask = torch.ones(length, columns, dtype=torch.bool, device=query.device)
        mask = mask.tril(columns - length)
    out = scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        is_causal=first,
        scale=scaling,
        enable_gqa=key.shape[1] != query.shape[1],
    )
    return out.transpose(1, 2).contiguous()


def use_rows(model: PreTrainedModel) -> bool:
    """Switch a model to attention by row where that is the same mathematics.

    Returns:
        Whether it was switched. A layer that sees only a window needs its mask, and is left alone.
    """
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    windowed = kinds != {"full_attention"} or getattr(config, "sliding_window", None)
    if config.model_type not in FAMILIES or windowed:
        return False
    model.set_attn_implementation(NAME)
    return True


@contextmanager
def eager(model: PreTrainedModel) -> Iterator[None]:
    """Let a model's attention tell its weights, which no fast kernel keeps."""
    usual = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(usual)


AttentionInterface.register(NAME, attend_by_row)
