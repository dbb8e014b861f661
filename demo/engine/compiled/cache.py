"""Keys and values of one row, laid out as the compiled forward pass reads them.

Keys stand in blocks of as many places as a vector has lanes, so that one product scores them all.
"""

from typing import Self

import numpy as np
from torch import Tensor

GROW = 128
"""Places added at least when a row outgrows its cache."""


class CompiledCache:
    """Half-precision keys and values; `virtual` places of a prefix or a soft prompt come first."""

    def __init__(self, layers: int, heads: int, width: int, lanes: int, room: int = 0) -> None:
        self.shape = (layers, heads, width, lanes)
        self.virtual = 0
        self.places = 0
        """Filled, virtual ones included."""
        self._allocate(max(room, 1))

    @property
    def length(self) -> int:
        """Tokens in it."""
        return self.places - self.virtual

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return self.keys.nbytes + self.values.nbytes

    def keep(self, length: int) -> None:
        """Forget every token after the first `length`."""
        self.places = min(self.places, self.virtual + length)

    def copy(self, length: int) -> Self:
        """A cache of its own that holds the first `length` tokens."""
        layers, heads, width, lanes = self.shape
        places = self.virtual + min(length, self.length)
        other = type(self)(layers, heads, width, lanes, places + GROW)
        other._take(self, places)
        other.virtual = self.virtual
        return other

    def make_room(self, tokens: int) -> None:
        """Room for as many more tokens."""
        if self.places + tokens > self.capacity:
            old = type(self).__new__(type(self))
            old.keys, old.values, old.shape = self.keys, self.values, self.shape
            self._allocate(max(self.places + tokens, self.capacity + max(GROW, self.capacity // 2)))
            self._take(old, self.places)

    def start_with(self, keys: Tensor, values: Tensor) -> None:
        """Fill an empty cache with keys and values [layers, heads, n, width] of a prefix."""
        layers, heads, width, lanes = self.shape
        count = keys.shape[2]
        self.make_room(count)
        blocks = -(-count // lanes)
        padded = np.zeros((layers, heads, blocks * lanes, width), np.float16)
        padded[:, :, :count] = keys.numpy()
        blocked = padded.reshape(layers, heads, blocks, lanes, width).swapaxes(3, 4)
        self.keys[:, :, :blocks] = blocked
        self.values[:, :, :count, :width] = values.numpy()
        self.places = self.virtual = count

    def _allocate(self, places: int) -> None:
        layers, heads, width, lanes = self.shape
        blocks = -(-places // lanes)
        self.capacity = blocks * lanes
        self.keys = np.empty((layers, heads, blocks, width, lanes), np.float16)
        self.values = np.zeros(
            (layers, heads, self.capacity, -(-width // lanes) * lanes), np.float16
        )

    def _take(self, other: "CompiledCache", places: int) -> None:
        blocks = -(-places // self.shape[3])
        self.keys[:, :, :blocks] = other.keys[:, :, :blocks]
        self.values[:, :, :places] = other.values[:, :, :places]
        self.places = places
