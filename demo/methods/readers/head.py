"""Reads classifier heads: a linear layer over the last hidden state. The format is the lab's own.

`adapter_config.json` says `{"peft_type": "HEAD", "labels": [texts], "label_ids": [[tokens]]}`; the file
holds `head.weight` and `head.bias`. Does not know training.
"""

from typing import Any

from demo.methods.adaptation import Adaptation, LabelHead
from demo.methods.facts import BaseFacts
from demo.methods.readers.saved import Config, Reader, Refused, Saved, Shapes

FEWEST_LABELS, MOST_LABELS = 2, 32
LONGEST_LABEL = 32
"""Tokens, the end included."""
WEIGHT, BIAS = "head.weight", "head.bias"


def _label_ids(config: Config, vocabulary: int) -> tuple[tuple[int, ...], ...]:
    found: Any = config.get("label_ids")
    if not isinstance(found, list) or not FEWEST_LABELS <= len(found) <= MOST_LABELS:
        raise Refused(f"its label_ids must be {FEWEST_LABELS} to {MOST_LABELS} lists of tokens")
    for ids in found:
        if not isinstance(ids, list) or not 1 <= len(ids) <= LONGEST_LABEL:
            raise Refused(f"a label must have 1 to {LONGEST_LABEL} tokens")
        if not all(type(token) is int and 0 <= token < vocabulary for token in ids):
            raise Refused("a label has a token that this base model does not know")
    labels = tuple(tuple(ids) for ids in found)
    if any(a == b[: len(a)] for a in labels for b in labels if a is not b):
        raise Refused("one of its labels is the beginning of another")
    return labels


def _shapes(config: Config, facts: BaseFacts) -> Shapes:
    labels = _label_ids(config, facts.vocabulary)
    texts: Any = config.get("labels")
    if not isinstance(texts, list) or len(texts) != len(labels):
        raise Refused("its labels must be as many as its label_ids")
    return {WEIGHT: (len(labels), facts.width), BIAS: (len(labels),)}


def _adapt(saved: Saved) -> Adaptation:
    labels = _label_ids(saved.config, saved.facts.vocabulary)
    return Adaptation(saved.key, head=LabelHead(saved.tensors[WEIGHT], saved.tensors[BIAS], labels))


HEAD = Reader(known=frozenset({"labels", "label_ids"}), shapes=_shapes, adapt=_adapt)
