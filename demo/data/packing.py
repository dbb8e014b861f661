"""Packs plain texts into sequences of full length, every token of which is learned.

Knows nothing of rows, templates or batches.
"""

from collections.abc import Iterable

from demo.text.template import Sequence
from demo.text.tokenizer import LabTokenizer


def packed(tokenizer: LabTokenizer, texts: Iterable[str], max_length: int) -> list[Sequence]:
    """Texts one after another, each with an end, cut into sequences of `max_length` tokens.

    As in pretraining (Raffel et al. 2020, section 3.1.3): no padding, and a text goes on in the next
    sequence. A text is read with its neighbours before it, which the end token tells apart.
    """
    end = tokenizer.inner.eos_token_id
    ids = [token for text in texts for token in (*tokenizer.encode(text, start=True), end)]
    pieces = [ids[start : start + max_length] for start in range(0, len(ids), max_length)]
    if len(pieces) > 1 and len(pieces[-1]) < 2:
        pieces.pop()  # A token alone is predicted from nothing: it would be a sequence without a loss.
    return [Sequence(tuple(piece), (True,) * len(piece)) for piece in pieces]
