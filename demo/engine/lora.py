"""Low-rank updates added row by row to any linear layer: base and adapters share one forward pass.

Works beside every base precision, because it only sees a layer's input and output. The base
weights are never written. LoRA: Hu et al. 2021, h = W x + (alpha / r) B A x.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from demo.engine.int8 import Int8Linear


@dataclass(frozen=True)
class LowRank:
    """One adapter's tensors, by the name of the linear layer they belong to."""

    pairs: dict[str, tuple[Tensor, Tensor]]
    """name -> (A transposed [in, r], B transposed and scaled by alpha / r [r, out])."""
    key: str
    """SHA-256 of the adapter's file: equal keys are the same adapter."""


class LowRankRows:
    """Hooks on a model's linear layers; `use` says which adapter each row of the next pass has."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._groups: list[tuple[LowRank, Tensor]] = []
        self.layers: dict[str, tuple[int, int]] = {}
        """name -> (in, out) of every layer that an adapter may touch: all but the head."""
        head = model.get_output_embeddings()
        for name, module in model.named_modules():
            if isinstance(module, (nn.Linear, Int8Linear)) and module is not head:
                self.layers[name] = (module.in_features, module.out_features)
                module.register_forward_hook(self._hook(name))

    def use(self, rows: Sequence[LowRank | None], device: Any) -> None:
        """Set the adapter of each row of the batch; None is the base."""
        members: dict[str, list[int]] = {}
        adapters = {adapter.key: adapter for adapter in rows if adapter is not None}
        for row, adapter in enumerate(rows):
            if adapter is not None:
                members.setdefault(adapter.key, []).append(row)
        self._groups = [
            (adapters[key], torch.tensor(index, device=device)) for key, index in members.items()
        ]

    def _hook(self, name: str) -> Any:
        def add(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            for adapter, rows in self._groups:
                pair = adapter.pairs.get(name)
                if pair is not None:
                    x = inputs[0][rows].to(pair[0].dtype)
                    output.index_add_(
                        0, rows, _product(_product(x, pair[0]), pair[1]).to(output.dtype)
                    )
            return output

        return add


def _product(x: Tensor, matrix: Tensor) -> Tensor:
    """Rows x [rows, length, in] times matrix [in, out], one product per row.

    A product over all rows at once would round differently for every number of rows.
    """
    return torch.bmm(x, matrix.expand(len(x), -1, -1))
