"""Whether a model can be read row by row: what it reads in pieces must be what it reads whole.

Models that keep a running state instead of keys and values, or nothing at all, cannot; they would
answer nonsense without any error. Knows the general forward only.
"""

import torch

from demo.engine.forward import Part
from demo.engine.general.forward import GeneralForward

PROBE = 12
"""Tokens, read at once and as 5, 6 and 1."""
MOST_DIFFERENCE = 0.05
"""Relative, of the logits: bf16 rounds by about a hundredth, a model that forgot is off by a half."""


def keeps_rows(forward: GeneralForward, vocabulary: int) -> bool:
    """Whether a probe read in pieces has the logits of the probe read whole."""
    ids = [(7 * number + 3) % vocabulary for number in range(PROBE)]
    try:
        (whole,) = forward.run([Part(ids, forward.new_cache())])
        cache = forward.new_cache()
        for piece in (ids[:5], ids[5:-1]):
            forward.run([Part(piece, cache, wanted="none")])
        (pieces,) = forward.run([Part(ids[-1:], cache, decoding=True)])
    # Whatever an unknown model raises says the same: it is not made for this.
    except Exception:
        return False
    miss = torch.linalg.vector_norm(whole[-1] - pieces[-1])
    return bool(miss <= MOST_DIFFERENCE * torch.linalg.vector_norm(whole[-1]))
