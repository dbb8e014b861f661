"""What a blend puts before every prompt: its own keys and values, or embeddings in place of tokens.

Knows no model; several terms stand one after the other, each times its strength.
"""

import torch
from torch import Tensor

from demo.methods.adaptation import Blend


def prefix(blend: Blend) -> tuple[Tensor, Tensor] | None:
    """Keys and values [layers, key heads, n, head width] of all its terms."""
    pairs = [
        (adapter.keys_values[0] * strength, adapter.keys_values[1] * strength)
        for adapter, strength in blend.terms
        if adapter.keys_values is not None
    ]
    if not pairs:
        return None
    return torch.cat([keys for keys, _ in pairs], 2), torch.cat([values for _, values in pairs], 2)


def soft_prompt(blend: Blend) -> Tensor | None:
    """Embeddings [n, width] of all its terms."""
    parts = [
        adapter.embeddings * strength
        for adapter, strength in blend.terms
        if adapter.embeddings is not None
    ]
    return torch.cat(parts) if parts else None
