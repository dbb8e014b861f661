"""What every sampling control does to one next-token distribution: shares, cuts, entropy, step by step.

The order is the sampler's own: repetition penalty (Keskar et al. 2019), temperature, top-k (Fan et
al. 2018), top-p (Holtzman et al. 2020), min-p (Nguyen et al. 2024). Knows no model: it works on the
logits that were kept, so a control that moves costs no forward pass.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from demo.look_records import NextToken
from demo.records import Sampling

HEAD = 10
"""Likeliest tokens that are not counted as the tail."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stage:
    """The distribution after one control."""

    control: str
    """A field of `Sampling`; empty for the model's own distribution."""
    probabilities: tuple[float, ...]
    """Of every candidate, in their order; 0 once it is cut."""
    kept: int
    """Tokens that may be drawn."""
    entropy: float
    """Bits: 0 when one token is certain."""
    tail: float
    """Probability outside the ten likeliest tokens."""


@dataclass(frozen=True)
class Reshaped:
    """A distribution from the model's own to the one that the next token is drawn from."""

    stages: tuple[Stage, ...]
    """The model's own first, then one for each control."""
    cut: tuple[str, ...]
    """For every candidate the control that cut it; empty where it may be drawn."""
    greedy: int | None
    """At temperature 0 the place of the token that is taken."""

    @property
    def before(self) -> Stage:
        """The model's own distribution."""
        return self.stages[0]

    @property
    def after(self) -> Stage:
        """What the next token is drawn from."""
        return self.stages[-1]


@dataclass(frozen=True)
class _Pool:
    """Candidates one by one, then the bins of the others; equal in their scores within a bin."""

    scores: Floats
    kept: Floats
    """How many tokens of each may still be drawn."""
    said: NDArray[np.bool_]

    def shares(self) -> Floats:
        """The probability of one token of each, whether it may be drawn or not."""
        highest = self.scores[self.kept > 0].max()
        weights: Floats = np.exp(self.scores - highest)
        return weights / float((weights * self.kept).sum())


def reshape(seen: NextToken, sampling: Sampling) -> Reshaped:
    """Follow a distribution through all controls."""
    told = len(seen.candidates)
    pool = _pool(seen)
    stages = [_stage("", pool, told)]
    cut = np.full(told, "", dtype=object)
    for control, step in STEPS.items():
        pool = step(pool, sampling)
        stages.append(_stage(control, pool, told))
        cut[(pool.kept[:told] == 0) & (cut == "")] = control
    left = np.flatnonzero(pool.kept[:told]).tolist()
    greedy = left[0] if left and sampling.temperature == 0 else None
    return Reshaped(tuple(stages), tuple(cut.tolist()), greedy)


def _pool(seen: NextToken) -> _Pool:
    logits = [c.logit for c in seen.candidates] + [logit for logit, _ in seen.tail]
    counts = [1] * len(seen.candidates) + [count for _, count in seen.tail]
    said = [c.said for c in seen.candidates] + [False] * len(seen.tail)
    return _Pool(np.array(logits, float), np.array(counts, float), np.array(said, bool))


def _stage(control: str, pool: _Pool, told: int) -> Stage:
    shares = pool.shares()
    held = shares * pool.kept
    surprise = -np.log2(np.where(held > 0, shares, 1.0))
    order = np.argsort(-pool.scores, kind="stable")
    kept = pool.kept[order]
    of_head = np.clip(HEAD - (kept.cumsum() - kept), 0, kept)
    return Stage(
        control=control,
        probabilities=tuple(held[:told].tolist()),
        kept=int(pool.kept.sum()),
        entropy=max(0.0, float((held * surprise).sum())),
        tail=max(0.0, 1.0 - float((shares[order] * of_head).sum())),
    )


def _penalized(pool: _Pool, sampling: Sampling) -> _Pool:
    given, penalty = pool.scores, sampling.repetition_penalty
    lowered = np.where(given < 0, given * penalty, given / penalty)
    return replace(pool, scores=np.where(pool.said, lowered, given))


def _heated(pool: _Pool, sampling: Sampling) -> _Pool:
    """Scores divided by the temperature; at 0 only the likeliest token is left."""
    if sampling.temperature == 0:
        kept = np.zeros_like(pool.kept)
        kept[pool.scores.argmax()] = 1
        return replace(pool, kept=kept)
    return replace(pool, scores=pool.scores / sampling.temperature)


def _top_k(pool: _Pool, sampling: Sampling) -> _Pool:
    if sampling.top_k == 0:
        return pool
    order = np.argsort(-pool.scores, kind="stable")
    kept = pool.kept[order]
    return _kept_in(pool, order, np.clip(sampling.top_k - (kept.cumsum() - kept), 0, kept))


def _top_p(pool: _Pool, sampling: Sampling) -> _Pool:
    """Keep tokens until their sum reaches p: one is kept if those before it have not reached it."""
    if sampling.top_p >= 1:
        return pool
    order = np.argsort(-pool.scores, kind="stable")
    shares, kept = pool.shares()[order], pool.kept[order]
    missing = sampling.top_p - ((shares * kept).cumsum() - shares * kept)
    room = np.ceil(missing / np.maximum(shares, np.finfo(float).tiny))
    return _kept_in(pool, order, np.clip(room, 0, kept))


def _min_p(pool: _Pool, sampling: Sampling) -> _Pool:
    shares = pool.shares()
    enough = shares >= sampling.min_p * shares[pool.kept > 0].max()
    return replace(pool, kept=np.where(enough, pool.kept, 0.0))


def _kept_in(pool: _Pool, order: NDArray[np.intp], kept: Floats) -> _Pool:
    """The pool with what is kept of each, given in another order."""
    placed = np.empty_like(kept)
    placed[order] = kept
    return replace(pool, kept=placed)


STEPS: Mapping[str, Callable[[_Pool, Sampling], _Pool]] = MappingProxyType(
    {
        "repetition_penalty": _penalized,
        "temperature": _heated,
        "top_k": _top_k,
        "top_p": _top_p,
        "min_p": _min_p,
    }
)
"""The controls in the sampler's order; what each does to the pool."""
