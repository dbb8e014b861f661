"""Answers of a classifier head: the model reads the prompt, the head chooses, the label is spelled out.

What the head finds is told as a distribution over tokens: the likelihood of a token is that of all
labels that go on with it. So drawing, judging and scoring work as they do for any answer, and a label's
tokens are together as likely as the label. Knows no queue and no text.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import torch
from torch import Tensor

from demo.engine.forward import Forward, Part, RowCache
from demo.methods.adaptation import PLAIN, Blend, LabelHead

IMPOSSIBLE = -100.0
"""The logit of a token that no label goes on with: never drawn, and unlike infinity it can be drawn as a bar."""


class LabelCache:
    """A row's cache, and how far its answer is spelled."""

    def __init__(self, inner: RowCache) -> None:
        self.inner = inner
        self.found: Tensor | None = None
        """Log-probabilities of the labels, once the prompt is read."""
        self.spelled: tuple[int, ...] = ()
        """Tokens of the answer that stand in the cache."""
        self.prompt = 0
        """Tokens before the answer."""
        self.scoring = False

    @property
    def length(self) -> int:
        """Tokens in it."""
        return self.inner.length

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return self.inner.bytes

    def keep(self, length: int) -> None:
        """Forget every token after the first `length`."""
        self.inner.keep(length)
        self.spelled = self.spelled[: max(0, length - self.prompt)]
        if length < self.prompt:
            self.found = None

    def copy(self, length: int) -> Self:
        """A cache of its own that holds the first `length` tokens, all of them as a prompt."""
        return type(self)(self.inner.copy(length))


class LabelForward:
    """A forward whose rows may be answered by a classifier head."""

    def __init__(self, inner: Forward, vocabulary: int) -> None:
        self.name = inner.name
        self.exact_reuse = inner.exact_reuse
        self._inner = inner
        self._vocabulary = vocabulary

    @property
    def resident_bytes(self) -> int:
        """What the weights take in memory."""
        return self._inner.resident_bytes

    def new_cache(self, blend: Blend = PLAIN, room: int = 0) -> RowCache:
        """An empty cache."""
        if blend.head is None:
            return self._inner.new_cache(blend, room)
        return LabelCache(self._inner.new_cache(PLAIN, room))

    def run(self, parts: Sequence[Part]) -> list[Tensor]:
        """Read all parts; a head's rows are read as the base model's."""
        read = self._inner.run([_as_base(part) for part in parts])
        return [
            found if part.blend.head is None else self._told(part.blend.head, part, found)
            for part, found in zip(parts, read, strict=True)
        ]

    def attention(self, part: Part) -> Tensor:
        """What one token draws from, in the base model."""
        return self._inner.attention(_as_base(part))

    def prepare(self, blend: Blend) -> None:
        """A head needs nothing."""
        self._inner.prepare(PLAIN if blend.head else blend)

    def release(self, blend: Blend) -> None:
        """Undo one `prepare`."""
        self._inner.release(PLAIN if blend.head else blend)

    def _told(self, head: LabelHead, part: Part, hidden: Tensor) -> Tensor:
        """Logits of a part's wanted tokens; the first wanted one of a prompt is where the head looks."""
        cache = _label_cache(part.cache)
        ids = tuple(part.ids)
        if part.wanted == "none" and not part.decoding:
            cache.found, cache.spelled, cache.scoring = None, (), False
            return torch.empty(0, self._vocabulary)
        steps: list[tuple[int, ...]] = []
        if not part.decoding and not (part.wanted == "all" and cache.scoring):
            looked = hidden[0] if part.wanted == "all" else hidden[-1]
            cache.found = (head.weight @ looked + head.bias).log_softmax(-1)
            cache.scoring = part.wanted == "all"
            cache.spelled, ids = (), ids[1:] if part.wanted == "all" else ()
            steps.append(cache.spelled)
        for token in ids:
            cache.spelled = (*cache.spelled, token)
            steps.append(cache.spelled)
        cache.prompt = cache.length - len(cache.spelled)
        assert cache.found is not None
        found = cache.found
        told = [_next(head, found, spelled, self._vocabulary) for spelled in steps]
        return torch.stack(told if part.wanted == "all" else told[-1:])


def _next(head: LabelHead, found: Tensor, spelled: tuple[int, ...], vocabulary: int) -> Tensor:
    """How likely each token goes on with what is spelled already: [vocabulary], logarithms."""
    logits = torch.full((vocabulary,), IMPOSSIBLE)
    going_on: dict[int, list[int]] = {}
    for number, label in enumerate(head.labels):
        if label[: len(spelled)] == spelled and len(label) > len(spelled):
            going_on.setdefault(label[len(spelled)], []).append(number)
    for token, numbers in going_on.items():
        logits[token] = found[numbers].logsumexp(0)
    return logits


def _as_base(part: Part) -> Part:
    if part.blend.head is None:
        return part
    return replace(
        part, cache=_label_cache(part.cache).inner, blend=PLAIN, hidden=part.wanted != "none"
    )


def _label_cache(cache: RowCache) -> LabelCache:
    if not isinstance(cache, LabelCache):
        raise TypeError("A cache is only good for the blend that it was made for.")
    return cache
