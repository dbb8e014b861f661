"""The same text under base and adapter, token by token: how its likelihood changed, and where the two part.

Knows scores, no model.
"""

from demo.judging_records import XRay, XRayToken
from demo.records import Scored, TokenChoice

NO_FORK = -1


def xray(base: Scored, adapted: Scored) -> XRay:
    """Two scorings of one text, laid over one another.

    Args:
        base: with the likeliest tokens of every place.
        adapted: the same tokens under an adapter.
    """
    pairs = zip(base.tokens, adapted.tokens, strict=True)
    tokens = tuple(XRayToken(before, after) for before, after in pairs)
    forks = (
        n for n, token in enumerate(tokens) if _likeliest(token.base) != _likeliest(token.adapted)
    )
    return XRay(tokens, base.prompt_tokens, next(forks, NO_FORK))


def _likeliest(choice: TokenChoice) -> int:
    """The token that greedy decoding would take here."""
    return choice.alternatives[0].id if choice.alternatives else choice.id
