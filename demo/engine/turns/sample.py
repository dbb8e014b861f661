"""The next token of one row: greedy, or drawn by the row's own seed; and how likely the model found it.

Penalty, temperature, top-k, top-p and min-p are applied in this order. Knows one row's logits at a time, so
who else is in the batch does not matter.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from demo.records import Sampling

COLDEST = 1e-6
"""A lower temperature is greedy: scores divided by it would overflow."""
LIKELIEST = (256, 4096)
"""Tokens looked at for top-p before the whole vocabulary is sorted: sorting 49,152 takes 3.5 ms."""


@dataclass(frozen=True)
class Choice:
    """One token as the model judged it, before any sampling setting."""

    id: int
    logprob: float
    rank: int
    """1 for the likeliest."""
    likeliest: tuple[tuple[int, float], ...]
    """The likeliest tokens with their log-probabilities, in order."""


class Sampler:
    """Draws the tokens of one answer."""

    def __init__(self, sampling: Sampling, prompt: Sequence[int]) -> None:
        self.sampling = sampling
        self.generator = torch.Generator().manual_seed(sampling.seed)
        self.said = dict.fromkeys(prompt) if sampling.repetition_penalty != 1 else {}
        """Tokens of prompt and answer, where a penalty needs them."""

    def draw(self, logits: Tensor) -> int:
        """The next token.

        Args:
            logits: [vocabulary], fp32 on the CPU; left as they are.
        """
        penalty = self.sampling.repetition_penalty
        scores = logits if penalty == 1 else penalized(logits, list(self.said), penalty)
        greedy = self.sampling.temperature < COLDEST
        token = int(scores.argmax()) if greedy else self._drawn(scores)
        if penalty != 1:
            self.said[token] = None
        return token

    def _drawn(self, scores: Tensor) -> int:
        weights, ids = drawable(scores, self.sampling)
        index = self._pick(weights)
        return index if ids is None else int(ids[index])

    def _pick(self, weights: Tensor) -> int:
        """An index drawn by weight: one uniform number, looked up in the running sum."""
        running = weights.double().cumsum(0)
        drawn = torch.rand(1, generator=self.generator, dtype=torch.float64) * running[-1]
        index = int(torch.searchsorted(running, drawn, right=True))
        # The product may round up to the whole sum.
        return min(index, int(weights.nonzero()[-1])) if index == len(weights) else index


def drawable(scores: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor | None]:
    """The weights by which the next token is drawn, and their ids, the likeliest first.

    Args:
        scores: [vocabulary], penalty applied.
        sampling: its temperature is not 0.

    Returns:
        Weights that need not sum to 1; without ids where every token may be drawn, in their order.
    """
    scores = scores / sampling.temperature
    if sampling.top_k:
        values, ids = scores.topk(min(sampling.top_k, len(scores)))
        kept = _nucleus(values.softmax(-1), sampling.top_p)
    elif sampling.top_p < 1:
        kept, ids = _likeliest(scores, sampling.top_p)
    else:
        weights = scores.softmax(-1)
        return (weights * (weights >= sampling.min_p * weights.max())), None
    return kept[kept >= sampling.min_p * kept[0]], ids


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on this thread alone: one row's logits are too few to be worth waiting for another core.

    Measured beside a busy core: 10 ms per drawn token with two threads, 0.2 ms with one.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def judged(logits: Tensor, token: int, alternatives: int) -> Choice:
    """How likely the model found a token, and what it found likelier.

    Args:
        logits: [vocabulary] as the model gave them.
        token: the one that was drawn or given.
        alternatives: how many of the likeliest to name.
    """
    logprobs = logits.log_softmax(-1)
    values, ids = logprobs.topk(min(alternatives, len(logprobs)))
    own = float(logprobs[token])
    return Choice(
        id=token,
        logprob=own,
        # NumPy counts in a seventh of torch's time, which is paid for every token of every answer.
        rank=int(np.count_nonzero(logprobs.numpy() > own)) + 1,
        likeliest=tuple(zip(ids.tolist(), values.tolist(), strict=True)),
    )


def penalized(logits: Tensor, said: list[int], penalty: float) -> Tensor:
    """Scores of tokens that were said already divided by the penalty, or times it below 0."""
    scores = logits.clone()
    ids = torch.tensor(said, dtype=torch.long)
    given = scores[ids]
    scores[ids] = torch.where(given < 0, given * penalty, given / penalty)
    return scores


def _likeliest(scores: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Probabilities and ids of the smallest set that reaches `share`; few tokens usually do."""
    whole = scores.logsumexp(-1)
    for count in (*LIKELIEST, len(scores)):
        values, ids = scores.topk(min(count, len(scores)))
        probabilities = (values - whole).exp()
        if float(probabilities.sum()) >= share or len(ids) == len(scores):
            break
    return _nucleus(probabilities, share), ids


def _nucleus(probabilities: Tensor, share: float) -> Tensor:
    """Falling probabilities cut after the first that reaches `share` of one."""
    if share >= 1:
        return probabilities
    return probabilities[: int((probabilities.cumsum(0) < share).sum()) + 1]
