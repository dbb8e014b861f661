"""Sequences grouped into batches of similar length, and padded into tensors.

Does not know what the tokens mean or how a loss is computed from them.
"""

import random
from collections.abc import Sequence as ListOf
from dataclasses import dataclass
from itertools import takewhile

import torch

from demo.text.template import Sequence

WINDOW_BATCHES = 8
"""Sequences are sorted by length within this many batches: little padding, still shuffled."""


@dataclass(frozen=True)
class Batch:
    """Padded sequences. What stands after a row's last trained token is cut: nothing learns from it."""

    ids: torch.Tensor
    """Token ids, rows by positions, padded on the right."""
    mask: torch.Tensor
    """1 where a token is, 0 where padding is."""
    trained: torch.Tensor
    """True where the token is learned."""
    shared: int
    """Leading tokens that all rows have in common, and from which no trained token is predicted."""
    tokens: int
    """Non-padding tokens."""


def order(lengths: ListOf[int], batch_size: int, seed: int) -> list[list[int]]:
    """The batches of one epoch as indices: each index once, in an order that the seed gives."""
    drawn = random.Random(seed)
    indices = list(range(len(lengths)))
    drawn.shuffle(indices)
    window = batch_size * WINDOW_BATCHES
    batches = []
    for start in range(0, len(indices), window):
        by_length = sorted(indices[start : start + window], key=lambda index: lengths[index])
        batches += [by_length[i : i + batch_size] for i in range(0, len(by_length), batch_size)]
    drawn.shuffle(batches)
    return batches


def whole_order(
    lengths: ListOf[int], batch_size: int, seed: int, epochs: int, steps: int
) -> list[list[int]]:
    """The batches of a whole run as indices, one for each step; every epoch has a seed of its own."""
    drawn: list[list[int]] = []
    for epoch in range(epochs):
        if len(drawn) < steps:
            drawn += order(lengths, batch_size, seed + epoch)
    return drawn[:steps]


def collate(sequences: ListOf[Sequence], device: str) -> Batch:
    """Pad sequences into one batch on a device."""
    ends = [_last_trained(sequence) + 1 for sequence in sequences]
    shape = (len(sequences), max(ends))
    ids = torch.zeros(shape, dtype=torch.long)
    mask = torch.zeros(shape, dtype=torch.long)
    trained = torch.zeros(shape, dtype=torch.bool)
    for row, (sequence, end) in enumerate(zip(sequences, ends, strict=True)):
        ids[row, :end] = torch.tensor(sequence.ids[:end])
        mask[row, :end] = 1
        trained[row, :end] = torch.tensor(sequence.trained[:end])
    trained[:, 0] = False  # Nothing stands before the first token to predict it from.
    tokens = sum(len(sequence.ids) for sequence in sequences)
    return Batch(ids.to(device), mask.to(device), trained.to(device), _shared(sequences), tokens)


def _last_trained(sequence: Sequence) -> int:
    return len(sequence.trained) - 1 - sequence.trained[::-1].index(True)


def _shared(sequences: ListOf[Sequence]) -> int:
    columns = zip(*(sequence.ids for sequence in sequences), strict=False)
    common = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
    first_predicting = min(sequence.trained.index(True) - 1 for sequence in sequences)
    return max(0, min(common, first_predicting))
