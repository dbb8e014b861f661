"""Attention that reads each row of a batch on its own, so that an answer never depends on its neighbours.

The usual kernels take another order of additions for every width and padding; the last digit then
differs, and a tie falls the other way. Here each row attends over its own keys alone.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

NAME = "lab_rows"


def attend_by_row(
    _module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _mask: Tensor | None,
    *,
    row_lengths: Sequence[int],
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Causal attention of a chunk of one row's prompt, or of one new token per row.

    Args:
        _module: the attention layer, not looked at.
        query: [rows, heads, length, width].
        key: [rows, key heads, columns, width], left-padded.
        value: like `key`.
        _mask: not looked at; `row_lengths` says the same.
        row_lengths: how many of a row's last columns are its own.
        scaling: of the scores before the softmax.

    Returns:
        [rows, length, heads, width], and no weights.
    """
    rows, heads, length, width = query.shape
    if length > 1:
        columns = key.shape[2]
        before = torch.ones(length, columns, dtype=torch.bool).tril(columns - length)
        out = scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=None if columns == length else before,
            is_causal=columns == length,
            scale=scaling,
            enable_gqa=key.shape[1] != heads,
        )
        return out.transpose(1, 2).contiguous(), None
    # One query per head: heads that share keys become the queries of one head.
    packed = query.reshape(rows, key.shape[1], -1, width)
    answers = [
        scaled_dot_product_attention(
            packed[row : row + 1],
            key[row : row + 1, :, -columns:],
            value[row : row + 1, :, -columns:],
            scale=scaling,
        )
        for row, columns in enumerate(row_lengths)
    ]
    return torch.cat(answers).reshape(rows, 1, heads, width), None


def use_rows(model: PreTrainedModel) -> bool:
    """Switch a model to attention by row where that is the same mathematics.

    Returns:
        Whether it was switched. A layer that sees only a window needs its mask, and is left alone.
    """
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"} or getattr(config, "sliding_window", None):
        return False
    model.set_attn_implementation(NAME)
    return True


AttentionInterface.register(NAME, attend_by_row)
