"""Keys and values that were computed already, found again by the tokens that a new prompt begins with.

Knows blends by their key alone: nothing is ever shared across adapters, strengths or contents. Used
by the engine's thread only.
"""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from demo.engine.forward import RowCache

MOST_BYTES = 256_000_000
"""About 5,500 tokens of the embedded model in fp32."""
MOST_ENTRIES = 64
FEWEST = 8
"""A shorter prefix is read anew: copying costs more than it saves."""


@dataclass(eq=False)
class Prefix:
    """Tokens at the start of a row, and a cache that holds at least these."""

    key: str
    tokens: tuple[int, ...]
    cache: RowCache
    """It may still grow with its row; what stands before the end of `tokens` never changes."""


@dataclass(frozen=True)
class Found:
    """What a new row can begin with."""

    cache: RowCache
    length: int


class PrefixStore:
    """The prefixes used last, by the blend that made them.

    Args:
        step: only multiples of it are found.
        most_bytes: what the remembered caches may take.
        most_entries: how many are remembered.
    """

    def __init__(
        self, step: int = 1, most_bytes: int = MOST_BYTES, most_entries: int = MOST_ENTRIES
    ) -> None:
        self.step = step
        self.most_bytes = most_bytes
        self.most_entries = most_entries
        self.entries: list[Prefix] = []
        """The least recently used first."""

    def find(self, key: str, prompt: Sequence[int]) -> Found | None:
        """A copy of the longest common prefix; the last token of a prompt is always read anew."""
        tokens = tuple(prompt[:-1])
        best, length = self._longest(key, tokens)
        if best is None or length < FEWEST:
            return None
        self._used(best)
        return Found(best.cache.copy(length), length)

    def common(self, key: str, prompt: Sequence[int]) -> int:
        """How many tokens `find` would spare."""
        return self._longest(key, tuple(prompt[:-1]))[1]

    def put(self, key: str, tokens: Sequence[int], cache: RowCache) -> None:
        """Remember that a cache holds these tokens, in place of what was known of it before."""
        entry = Prefix(key, tuple(tokens), cache)
        self.entries = [e for e in self.entries if e.cache is not cache and not _within(e, entry)]
        self.entries.append(entry)
        self._forget_oldest()

    def clear(self) -> None:
        """Give all memory back."""
        self.entries = []

    @property
    def bytes(self) -> int:
        """What the remembered caches take."""
        return sum(entry.cache.bytes for entry in self.entries)

    def _longest(self, key: str, tokens: tuple[int, ...]) -> tuple[Prefix | None, int]:
        found = [
            (common_length(e.tokens, tokens), n) for n, e in enumerate(self.entries) if e.key == key
        ]
        length, number = max(found, default=(0, 0))
        length -= length % self.step
        return (self.entries[number], length) if length else (None, 0)

    def _used(self, entry: Prefix) -> None:
        self.entries.remove(entry)
        self.entries.append(entry)

    def _forget_oldest(self) -> None:
        sizes = [entry.cache.bytes for entry in self.entries]
        total, gone = sum(sizes), 0
        while gone < len(sizes) and (
            total > self.most_bytes or len(sizes) - gone > self.most_entries
        ):
            total -= sizes[gone]
            gone += 1
        self.entries = self.entries[gone:]


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences begin with alike."""
    most = min(len(one), len(other))
    # The first length at which they differ; slices are compared far faster than a loop would.
    return bisect.bisect_left(range(1, most + 1), True, key=lambda n: one[:n] != other[:n])


def _within(entry: Prefix, other: Prefix) -> bool:
    """Whether `other` holds everything that `entry` does."""
    return entry.key == other.key and other.tokens[: len(entry.tokens)] == entry.tokens
