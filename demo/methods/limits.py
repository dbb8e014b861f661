"""Which sums of adapters make sense, and at which strengths.

Does not know how they are applied.
"""

from collections.abc import Sequence

from demo.checks import bounded
from demo.errors import BadInput
from demo.methods.adaptation import Adaptation

WEAKEST, STRONGEST = -0.5, 1.5
"""Beyond these, adapters of every method tried here say nothing but noise."""
MOST_TERMS = 2


def check_blend(terms: Sequence[tuple[Adaptation, float]], merged: bool = False) -> None:
    """Refuse a blend that has no meaning, before it reaches the queue.

    Virtual tokens are no difference to the base: half of a key is another key, not half of its
    effect, and two prefixes cannot stand at the same places. So they come alone and whole, and no
    weights could be changed to merge them. A classifier head answers in place of the model's own, so
    it comes alone and whole too.

    Raises:
        BadInput: too many adapters, a strength out of range, or virtual tokens or a classifier head
            in a sum, at another strength than 1 or merged.
    """
    if len(terms) > MOST_TERMS:
        raise BadInput("too_many_adapters", got=len(terms), high=MOST_TERMS)
    for _, strength in terms:
        bounded("strength", strength, WEAKEST, STRONGEST)
    if any(adapter.head for adapter, _ in terms):
        _check_head(terms, merged)
    elif any(adapter.virtual_tokens for adapter, _ in terms):
        _check_virtual_tokens(terms, merged)


def _check_head(terms: Sequence[tuple[Adaptation, float]], merged: bool) -> None:
    if len(terms) > 1 or terms[0][1] != 1 or merged:
        raise BadInput("head_alone")


def _check_virtual_tokens(terms: Sequence[tuple[Adaptation, float]], merged: bool) -> None:
    if len(terms) > 1:
        raise BadInput("virtual_tokens_alone")
    if terms[0][1] != 1:
        raise BadInput("virtual_tokens_whole", got=terms[0][1])
    if merged:
        raise BadInput("virtual_tokens_merged")
