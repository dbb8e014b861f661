"""The next token's distribution made small: the likeliest tokens one by one, the others in narrow bins.

Knows logits and tokenizers; not where the logits come from.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from demo.look_records import Candidate, NextToken
from demo.text.tokenizer import LabTokenizer

TOLD = 300
"""Tokens told one by one; beside them only those of the prompt."""
BIN = 0.05
"""Nats. A bin told by its middle shifts the others' share by less than one part in a thousand."""


def next_token_of(tokenizer: LabTokenizer, logits: Tensor, prompt: Sequence[int]) -> NextToken:
    """The distribution after a prompt.

    Args:
        tokenizer: names the tokens.
        logits: [vocabulary], fp32; the prompt's last.
        prompt: its token ids.
    """
    said = set(prompt)
    told = dict.fromkeys([*logits.topk(min(TOLD, len(logits))).indices.tolist(), *sorted(said)])
    ids = sorted(told, key=lambda token: -float(logits[token]))
    candidates = tuple(
        Candidate(i, tokenizer.decode([i], control=True), float(logits[i]), i in said) for i in ids
    )
    rest = torch.ones(len(logits), dtype=torch.bool)
    rest[torch.tensor(ids)] = False
    return NextToken(candidates, _binned(logits[rest]), len(prompt))


def _binned(logits: Tensor) -> tuple[tuple[float, int], ...]:
    """Logits as (middle of a bin, tokens in it), the highest first."""
    if not len(logits):
        return ()
    bins, counts = np.unique((logits / BIN).floor().numpy(), return_counts=True)
    pairs = zip(((bins + 0.5) * BIN).tolist(), counts.tolist(), strict=True)
    return tuple(sorted(pairs, reverse=True))
