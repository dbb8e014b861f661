"""Keys and values of one row as torch tensors, and what a transformers model sees of many rows.

A row owns its memory: no padding, nothing shared with its neighbours. Knows nothing of blends,
tokens or kernels.
"""

from collections.abc import Sequence
from typing import Self

from torch import Tensor
from transformers import Cache

GROWTH = 128
"""Columns added at once when a row outgrows what was foreseen."""

Stores = dict[int, list[Tensor]]
"""Layer -> keys and values [heads, columns, width]."""


class TorchRowCache:
    """Keys and values of one row on the model's own device.

    A layer that sees only a window keeps all columns too: its mask hides what it must not see,
    and a row can still be cut back.
    """

    def __init__(self, virtual_tokens: int = 0, room: int = 0) -> None:
        self.virtual_tokens = virtual_tokens
        """Columns that come before the first token; set before they are filled."""
        self.columns = 0
        """Filled columns, virtual ones included."""
        self._room = virtual_tokens + room
        self._stores: Stores = {}

    @property
    def length(self) -> int:
        """Tokens in it; virtual ones are not counted."""
        return self.columns - self.virtual_tokens

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        tensors = [tensor for pair in self._stores.values() for tensor in pair]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def keep(self, length: int) -> None:
        """Forget every token after the first `length`."""
        self.columns = min(self.columns, self.virtual_tokens + length)

    def copy(self, length: int) -> Self:
        """A cache of its own that holds the first `length` tokens."""
        other = type(self)(self.virtual_tokens)
        other.columns = min(self.columns, self.virtual_tokens + length)
        other._stores = {
            layer: [tensor[:, : other.columns].clone() for tensor in pair]
            for layer, pair in self._stores.items()
        }
        return other

    def write(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Put new columns [heads, n, width] behind the filled ones; views of all of them.

        They count as filled only after `advance`, so that a pass that fails leaves nothing behind.
        """
        pair = self._stores.setdefault(layer, [])
        if not pair:
            pair += [new.new_empty(new.shape[0], 0, new.shape[2]) for new in (keys, values)]
        end = self.columns + keys.shape[1]
        for index, new in enumerate((keys, values)):
            pair[index] = self._grown(pair[index], end)
            pair[index][:, self.columns : end] = new
        return pair[0][:, :end], pair[1][:, :end]

    def advance(self, columns: int) -> None:
        """Count what was written to every layer as filled."""
        self.columns += columns

    def _grown(self, store: Tensor, columns: int) -> Tensor:
        if columns <= store.shape[1]:
            return store
        size = max(self._room, columns if not self.columns else columns + GROWTH)
        wider = store.new_empty(store.shape[0], size, store.shape[2])
        wider[:, : self.columns] = store[:, : self.columns]
        return wider


class RowsView(Cache):
    """The rows of one call as one transformers cache.

    `by_row` hands attention each row's own keys and values, as lists; otherwise they are stacked,
    padded on the left, for kernels that know rectangles only.
    """

    def __init__(self, rows: Sequence[TorchRowCache], by_row: bool) -> None:
        super().__init__(layers=[])
        self._rows = rows
        self._by_row = by_row
        self._before = max(row.columns for row in rows)

    def update(  # type: ignore[override]
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor] | tuple[list[Tensor], list[Tensor]]:
        """Write each row's new columns [rows, heads, n, width]; what attention reads."""
        written = [
            row.write(layer_idx, keys, values)
            for row, keys, values in zip(self._rows, key_states, value_states, strict=True)
        ]
        keys, values = [pair[0] for pair in written], [pair[1] for pair in written]
        return (keys, values) if self._by_row else (_stacked(keys), _stacked(values))

    def get_seq_length(self, layer_idx: int = 0) -> int:  # noqa: ARG002
        """Columns of the longest row before this pass."""
        return self._before

    def get_mask_sizes(self, query_length: int, layer_idx: int) -> tuple[int, int]:  # noqa: ARG002
        """Columns that attention sees, and where the first one stands."""
        return self._before + query_length, 0


def _stacked(rows: Sequence[Tensor]) -> Tensor:
    """[heads, columns, width] each, to [rows, heads, columns, width] with zeros on the left."""
    if len(rows) == 1:
        return rows[0][None]
    first = rows[0]
    columns = max(row.shape[1] for row in rows)
    stack = first.new_zeros(len(rows), first.shape[0], columns, first.shape[2])
    for place, row in zip(stack, rows, strict=True):
        place[:, columns - row.shape[1] :] = row
    return stack
