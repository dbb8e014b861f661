"""What is shown of one prompt: its next token's distribution made small, and one token's attention.

Knows logits, weights and tokenizers; not where they come from.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from demo.checks import bounded
from demo.errors import BadInput
from demo.look_records import Attention, Candidate, NextToken
from demo.text.pieces import token_bytes
from demo.text.tokenizer import LabTokenizer

TOLD = 300
"""Tokens told one by one; beside them only those of the prompt."""
PART = (
    "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}{}\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
)
BIN = 0.05
"""Nats. A bin told by its middle shifts the others' share by less than one part in a thousand."""


MOST_LOOKED = 512
"""Tokens of a prompt whose attention is shown: more would neither fit a page nor be read by anyone."""


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


def looked_at(prompt: Sequence[int], position: int | None) -> int:
    """The place of the token that looks, the prompt's last by default.

    Raises:
        BadInput: the prompt has no such place, or too many tokens.
    """
    if len(prompt) > MOST_LOOKED:
        raise BadInput("attention_too_long", got=len(prompt), high=MOST_LOOKED)
    last = len(prompt) - 1
    place: int = bounded("position", last if position is None else position, 0, last, int)
    return place


def attention_of(
    tokenizer: LabTokenizer, prompt: Sequence[int], weights: Tensor, virtual: int
) -> Attention:
    """The attention of one token of a prompt.

    Args:
        tokenizer: names the tokens.
        prompt: all its token ids.
        weights: [layers, heads, places] of the token that looks, virtual places first.
        virtual: how many these are; they are told as one, because none of them has a text.
    """
    texts = [_text(data) for data in token_bytes(tokenizer, prompt)]
    seen = weights.shape[-1] - virtual
    if virtual:
        texts, seen = ["", *texts], seen + 1
        before = weights[..., :virtual].sum(-1, keepdim=True)
        weights = torch.cat([before, weights[..., virtual:]], -1)
    told = tuple(tuple(tuple(head) for head in layer) for layer in weights.tolist())
    return Attention(tuple(texts[:seen]), told, virtual, tuple(texts[seen:]))


def _text(data: bytes) -> str:
    """A token's text; what is only a part of a character is told as its bytes, in angle quotes."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return PART.format(data.hex(" "))
