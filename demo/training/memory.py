"""How much memory a run takes at its peak: foretold from shapes, and measured by the process itself.

Does not load anything.
"""

import resource
import sys
from collections.abc import Sequence as ListOf
from math import prod

import torch

from demo.methods.facts import BaseFacts
from demo.methods.method import Method
from demo.text.template import Sequence

PROCESS_BYTES = 600_000_000
"""Python, torch and transformers before any weight is read (measured)."""
NUMBER_BYTES = 4
NF4_BYTES = 0.53
"""Of a weight in 4-bit NormalFloat with its block's constants."""
COPIES = 6
"""Of a trained weight: itself, its gradient, two moments, the last finite and the best one."""
ACTIVATIONS = 1.3
"""Numbers kept for the backward pass, for each number that goes into or out of a linear layer (measured)."""
LOGITS = 3
"""Logits, their softmax and its gradient."""


def estimate(
    base: BaseFacts, method: Method, trainable: int, sequences: ListOf[Sequence], batch_size: int
) -> int:
    """Bytes of a training process at its peak.

    Args:
        base: the base model.
        method: what is trained.
        trainable: weights of it.
        sequences: rows to learn; the longest ones decide.
        batch_size: rows of one step.
    """
    weights = base.count * NUMBER_BYTES
    if method.base_precision == "nf4":
        linear = sum(prod(shape) for shape in base.layers.values())
        weights = round(weights - linear * (NUMBER_BYTES - NF4_BYTES))
    # Full tuning trains the very weights that are loaded.
    copies = COPIES - 1 if method.name == "full" else COPIES
    learned = trainable * NUMBER_BYTES * copies
    return PROCESS_BYTES + weights + learned + _activations(base, method, sequences, batch_size)


def _activations(
    base: BaseFacts, method: Method, sequences: ListOf[Sequence], batch_size: int
) -> int:
    batch = sorted(sequences, key=lambda s: len(s.ids), reverse=True)[:batch_size]
    tokens = len(batch) * len(batch[0].ids) if batch else 0
    passed = sum(inputs + outputs for inputs, outputs in base.layers.values())
    if method.objective == "labels":  # The frozen model keeps nothing for a backward pass.
        return tokens * base.width * base.depth * NUMBER_BYTES
    predicted = sum(sum(sequence.trained) for sequence in batch)
    numbers = tokens * passed * ACTIVATIONS + predicted * base.vocabulary * LOGITS
    return round(numbers * NUMBER_BYTES)


def peak_bytes(device: str) -> int:
    """The most memory that this process, or the GPU for it, has held so far."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
