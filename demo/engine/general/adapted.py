"""Adapters applied row by row to any transformers model: rows of many kinds share one forward pass.

Works beside every precision, because it sees only what goes into a layer and what comes out. The
base's weights are never written. Knows nothing of caches: virtual tokens and own weights are
applied elsewhere.
"""

import copy
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from demo.engine.general.int8 import Int8Linear
from demo.methods.adaptation import Adaptation, Blend, Bottleneck
from demo.methods.facts import is_norm


@dataclass(eq=False)
class _Placed:
    """One adapter's tensors on the model's device in its dtype: made once, kept while it lives."""

    low_rank: dict[str, tuple[Tensor, Tensor]]
    """name -> (A transposed [in, r], B transposed [r, out])."""
    row_scale: dict[str, Tensor]
    input_scale: dict[str, Tensor]
    norms: dict[str, Tensor]
    bottlenecks: dict[str, Bottleneck]
    """With both matrices transposed."""


@dataclass
class _Group:
    """The rows of a batch that have the same blend."""

    rows: Tensor | None
    """Their indices; None where all rows are of this group."""
    terms: list[tuple[_Placed, float]]
    inputs: dict[str, Tensor] = field(default_factory=dict)
    """Layer -> its rows as they came, where an input scale changed them."""

    def of(self, batch: Tensor) -> Tensor:
        """This group's rows of [rows, ...]."""
        return batch if self.rows is None else batch[self.rows]

    def add(self, batch: Tensor, update: Tensor) -> None:
        """Add to this group's rows in place."""
        update = update.to(batch.dtype)
        if self.rows is None:
            batch.add_(update)
        else:
            batch.index_add_(0, self.rows, update)

    def put(self, batch: Tensor, rows: Tensor) -> Tensor:
        """The batch with this group's rows exchanged; the given one stays as it is."""
        rows = rows.to(batch.dtype)
        return rows if self.rows is None else batch.index_copy(0, self.rows, rows)


class AdaptedRows:
    """Hooks on a model's linear layers and norms; `use` says which blend each row of a pass has."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._dtype: torch.dtype = model.dtype
        self._blends: tuple[Blend, ...] = ()
        self._placed: weakref.WeakKeyDictionary[Adaptation, _Placed] = weakref.WeakKeyDictionary()
        self._by_layer: dict[str, list[_Group]] = {}
        self._by_input: dict[str, list[_Group]] = {}
        head = model.get_output_embeddings()
        for name, module in model.named_modules():
            # bitsandbytes' layers are linear layers of torch's, too.
            if isinstance(module, (nn.Linear, Int8Linear)) and module is not head:
                module.register_forward_pre_hook(self._scale_inputs(name))
                module.register_forward_hook(self._add_to_output(name))
            elif is_norm(module):
                module.register_forward_hook(self._exchange_norm(name))

    def use(self, blends: Sequence[Blend], device: Any) -> None:
        """Set the blend of each row of the passes that follow."""
        if tuple(blends) == self._blends:
            return
        self._blends = tuple(blends)
        self._by_layer, self._by_input = {}, {}
        members: dict[Blend, list[int]] = {}
        for row, blend in enumerate(blends):
            members.setdefault(blend, []).append(row)
        for blend, rows in members.items():
            terms = [(self._place(one, device), by) for one, by in blend.terms if by]
            index = None if len(members) == 1 else torch.tensor(rows, device=device)
            self._enter(_Group(index, terms))

    def _enter(self, group: _Group) -> None:
        for placed, _ in group.terms:
            kinds = (placed.low_rank, placed.row_scale, placed.norms, placed.bottlenecks)
            for name in {name for kind in kinds for name in kind}:
                _once(self._by_layer.setdefault(name, []), group)
            for name in placed.input_scale:
                _once(self._by_input.setdefault(name, []), group)
                _once(self._by_layer.setdefault(name, []), group)

    def _place(self, adapter: Adaptation, device: Any) -> _Placed:
        if adapter not in self._placed:
            to = {"device": device, "dtype": self._dtype}
            self._placed[adapter] = _Placed(
                {
                    name: (down.t().contiguous().to(**to), up.t().contiguous().to(**to))
                    for name, (down, up) in adapter.low_rank.items()
                },
                {name: scale.to(**to) for name, scale in adapter.row_scale.items()},
                {name: scale.to(**to) for name, scale in adapter.input_scale.items()},
                {name: change.to(**to) for name, change in adapter.norms.items()},
                {
                    name: Bottleneck(
                        one.down.t().contiguous().to(**to),
                        one.down_bias.to(**to),
                        one.up.t().contiguous().to(**to),
                        one.up_bias.to(**to),
                    )
                    for name, one in adapter.bottlenecks.items()
                },
            )
        return self._placed[adapter]

    def _scale_inputs(self, name: str) -> Callable[..., Any]:
        def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            groups = self._by_input.get(name)
            if groups is None:
                return None
            x = inputs[0]
            for group in groups:
                group.inputs[name] = group.of(inputs[0])
                x = group.put(x, group.inputs[name] * (1 + _sum(group, "input_scale", name)))
            return (x, *inputs[1:])

        return before

    def _add_to_output(self, name: str) -> Callable[..., Any]:
        def after(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            for group in self._by_layer.get(name, ()):
                scaled = group.inputs.pop(name, None)
                x = group.of(inputs[0]) if scaled is None else scaled
                # What the layer itself gave to the rows as they came: bias and all other updates
                # are no part of what a row scale multiplies.
                plain = group.of(output) if scaled is None else None
                update = _rows_update(group, name, module, x, plain)
                if update is not None:
                    group.add(output, update)
                narrow = _squeezed(group, name, group.of(output))
                if narrow is not None:
                    group.add(output, narrow)
            return output

        return after

    def _exchange_norm(self, name: str) -> Callable[..., Any]:
        def after(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            for group in self._by_layer.get(name, ()):
                weight = module.weight + _sum(group, "norms", name)
                output = group.put(output, _with_weight(module, weight)(group.of(inputs[0])))
            return output

        return after


def _once(groups: list[_Group], group: _Group) -> None:
    if not any(other is group for other in groups):
        groups.append(group)


def _sum(group: _Group, kind: str, name: str) -> Any:
    """The vectors of one kind for one layer, each times its strength; 0 where there is none."""
    vectors = ((getattr(placed, kind).get(name), strength) for placed, strength in group.terms)
    return sum(vector * strength for vector, strength in vectors if vector is not None)


def _rows_update(
    group: _Group, name: str, module: Any, x: Tensor, plain: Tensor | None
) -> Tensor | None:
    """What low rank and row scales add to the output of rows whose input was `x`."""
    update: Tensor | None = None
    rows = _sum(group, "row_scale", name)
    if isinstance(rows, Tensor):
        product, bias = module.forward(x) if plain is None else plain, module.bias
        update = rows * (product if bias is None else product - bias)
    for placed, strength in group.terms:
        pair = placed.low_rank.get(name)
        if pair is None:
            continue
        added = _product(_product(x.to(pair[0].dtype), pair[0]), pair[1])
        added = added if strength == 1 else added * strength
        update = added if update is None else update + added
    return update


def _squeezed(group: _Group, name: str, y: Tensor) -> Tensor | None:
    """What bottlenecks add to outputs `y`; all terms look at the same ones."""
    update: Tensor | None = None
    for placed, strength in group.terms:
        one = placed.bottlenecks.get(name)
        if one is None:
            continue
        middle = torch.relu(_product(y.to(one.down.dtype), one.down) + one.down_bias)
        added = strength * (_product(middle, one.up) + one.up_bias)
        update = added if update is None else update + added
    return update


def _product(x: Tensor, matrix: Tensor) -> Tensor:
    """Rows x [rows, length, in] times matrix [in, out], one product per row.

    A product over all rows at once would round differently for every number of rows.
    """
    return torch.bmm(x, matrix.expand(len(x), -1, -1))


def _with_weight(norm: nn.Module, weight: Tensor) -> Callable[[Tensor], Tensor]:
    """The same norm with another weight, without its hooks."""
    twin = copy.copy(norm)
    twin._parameters = {**norm._parameters, "weight": weight}  # type: ignore[dict-item]
    forward: Callable[[Tensor], Tensor] = twin.forward
    return forward
