"""An adapter's tensors in memory as the compiled pass points to them.

Knows neither rows nor strengths.
"""

import ctypes
from typing import Any

import numpy as np
import torch
from torch import Tensor

from demo.engine.compiled.library import Change
from demo.engine.compiled.scope import KINDS, NORMS
from demo.methods.adaptation import Adaptation


class PackedAdapter:
    """`Adapter` of forward.cpp, with the arrays that it points to."""

    def __init__(self, library: Any, model: int, adapter: Adaptation, layers: int) -> None:
        self._library = library
        self._arrays: list[np.ndarray] = []
        self.handle = library.adapter_new(model)
        lanes = library.lanes()
        for index, name in enumerate(
            f"model.layers.{layer}.{kind}" for layer in range(layers) for kind in KINDS
        ):
            change = self._change(adapter, name, lanes)
            if change is not None:
                library.adapter_linear(self.handle, index, ctypes.byref(change))
        names = [f"model.layers.{layer}.{norm}" for layer in range(layers) for norm in NORMS]
        for index, name in enumerate([*names, "model.norm"]):
            if name in adapter.norms:
                library.adapter_norm(self.handle, index, self._own(adapter.norms[name]))

    def __del__(self) -> None:
        self._library.adapter_delete(self.handle)

    def _change(self, adapter: Adaptation, name: str, lanes: int) -> Change | None:
        pair = adapter.low_rank.get(name)
        row, column = adapter.row_scale.get(name), adapter.input_scale.get(name)
        narrow = adapter.bottlenecks.get(name)
        if pair is None and row is None and column is None and narrow is None:
            return None
        change = Change()
        if narrow is not None:
            change.narrow = len(narrow.down)
            change.narrow_down, change.narrow_bias = (
                self._own(narrow.down),
                self._own(narrow.down_bias),
            )
            change.narrow_up, change.widen_bias = (
                self._own(narrow.up.t()),
                self._own(narrow.up_bias),
            )
        if pair is not None:
            change.rank = len(pair[0])
            change.down = self._own(pair[0])
            change.up = self._own(_pad(pair[1].t(), lanes))
            change.width = -(-len(pair[1]) // lanes) * lanes
        if row is not None:
            change.row_scale = self._own(_pad(row, lanes))
        if column is not None:
            change.input_scale = self._own(column)
        return change

    def _own(self, tensor: Tensor) -> int:
        self._arrays.append(np.array(tensor.detach().float().numpy(), np.float32, order="C"))
        return self._arrays[-1].ctypes.data


def _pad(tensor: Tensor, lanes: int) -> Tensor:
    """Zeros at the end of the last dimension up to whole vectors."""
    return torch.nn.functional.pad(tensor, (0, -tensor.shape[-1] % lanes))
