"""Blends that need weights of their own: a changed copy beside the resident model, while it is used.

Sparse and full tuning change whole matrices, and a merged adapter is folded into them; their rows
go to a copy, all others to the resident model. Knows no model: a factory makes the copies.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from demo.engine.forward import Forward, Part, RowCache
from demo.errors import Busy
from demo.methods.adaptation import PLAIN, Adaptation, Blend

COPIES = 2
"""Changed models in memory at once; each may take as much as the base itself."""


@torch.no_grad()
def fold(blend: Blend, weight_of: Callable[[str], Tensor]) -> dict[str, Tensor]:
    """The parameters that a blend changes, with everything that it does to them folded in.

    Low rank, scales and norms are folded in whenever there is a copy at all: nobody else uses it,
    and a scale means a share of the base's own weight, which the copy has no more.

    Args:
        blend: whose virtual tokens and bottlenecks, if any, are not looked at.
        weight_of: a parameter of the base by its name, unquantized, in fp32.
    """
    changed: dict[str, Tensor] = {}
    for name in dict.fromkeys(name for adapter, _ in blend.terms for name in _touched(adapter)):
        weight = weight_of(name)
        total = weight.clone()
        for adapter, strength in blend.terms:
            for difference in _differences(adapter, name, weight):
                total.add_(difference, alpha=strength)
        changed[name] = total
    return changed


def _touched(adapter: Adaptation) -> list[str]:
    """The parameters that an adapter changes."""
    layers = adapter.low_rank.keys() | adapter.row_scale.keys() | adapter.input_scale.keys()
    modules = sorted(layers | adapter.norms.keys())
    return [*(f"{name}.weight" for name in modules), *adapter.weights]


def _differences(adapter: Adaptation, parameter: str, weight: Tensor) -> list[Tensor]:
    """What an adapter adds to one parameter of the base at strength 1."""
    module, _, last = parameter.rpartition(".")
    found: list[Tensor] = []
    if last == "weight":
        if module in adapter.low_rank:
            down, up = adapter.low_rank[module]
            found.append(up @ down)
        if module in adapter.row_scale:
            found.append(adapter.row_scale[module].unsqueeze(1) * weight)
        if module in adapter.input_scale:
            found.append(adapter.input_scale[module] * weight)
        if module in adapter.norms:
            found.append(adapter.norms[module])
    if parameter in adapter.weights:
        found.append(adapter.weights[parameter])
    return found


def _rest(blend: Blend) -> Blend:
    """What of a blend no weights can hold: bottlenecks, which are no linear function."""
    return Blend(
        tuple(
            (Adaptation(f"{one.key}:narrow", bottlenecks=one.bottlenecks), strength)
            for one, strength in blend.terms
            if one.bottlenecks
        )
    )


@dataclass(eq=False)
class _Copy:
    """A changed model, and how many prepared blends count on it."""

    rest: Blend
    """What cannot be folded in, and is added in passing."""
    users: int = 0
    forward: Future[Forward] = field(default_factory=Future)


class OwnWeights:
    """The resident forward, and beside it a copy for each blend with own weights.

    Args:
        resident: reads everybody else.
        make: a forward like the resident one with some parameters changed; it may share the rest
            with it, and its `resident_bytes` counts what it does not share. Safe from any thread.
        weight_of: a parameter of the base by its name, unquantized, in fp32.
        in_passing: which blends the resident one can read; by default all without own weights.
    """

    def __init__(
        self,
        resident: Forward,
        make: Callable[[Mapping[str, Tensor]], Forward],
        weight_of: Callable[[str], Tensor],
        in_passing: Callable[[Blend], bool] = lambda _: True,
    ) -> None:
        self.name = resident.name
        self.exact_reuse = resident.exact_reuse
        self._resident = resident
        self._make = make
        self._weight_of = weight_of
        self._in_passing = in_passing
        self._copies: dict[str, _Copy] = {}
        self._lock = threading.Lock()

    @property
    def resident_bytes(self) -> int:
        """What the weights take in memory, copies included."""
        with self._lock:
            made = [copy.forward for copy in self._copies.values()]
        copies = (one.result() for one in made if one.done() and not one.exception())
        return self._resident.resident_bytes + sum(copy.resident_bytes for copy in copies)

    def new_cache(self, blend: Blend = PLAIN, room: int = 0) -> RowCache:
        """An empty cache of the forward that reads this blend's rows."""
        if self._alone(blend):
            copy = self._copy_of(blend)
            return copy.forward.result().new_cache(copy.rest, room)
        return self._resident.new_cache(blend, room)

    def run(self, parts: Sequence[Part]) -> list[Tensor]:
        """Read all parts, each by its own forward; logits in the order of the parts."""
        groups: dict[str, list[int]] = {}
        for index, part in enumerate(parts):
            key = part.blend.key if self._alone(part.blend) else ""
            groups.setdefault(key, []).append(index)
        answers: dict[int, Tensor] = {}
        for key, indices in groups.items():
            own = [parts[index] for index in indices]
            if key:
                copy = self._copy_of(own[0].blend)
                forward = copy.forward.result()
                own = [replace(part, blend=copy.rest) for part in own]
            else:
                forward = self._resident
            answers.update(zip(indices, forward.run(own), strict=True))
        return [answers[index] for index in range(len(parts))]

    def attention(self, part: Part) -> Tensor:
        """What one token draws from, in the forward that reads its row."""
        if self._alone(part.blend):
            copy = self._copy_of(part.blend)
            return copy.forward.result().attention(replace(part, blend=copy.rest))
        return self._resident.attention(part)

    def prepare(self, blend: Blend) -> None:
        """Build a blend's copy in the caller's thread, once for all who ask for the same.

        Raises:
            Busy: as many copies as fit are in use.
        """
        if not self._alone(blend):
            self._resident.prepare(blend)
            return
        with self._lock:
            first = blend.key not in self._copies
            if first and len(self._copies) >= COPIES:
                raise Busy("copies_full", high=COPIES)
            copy = self._copies.setdefault(blend.key, _Copy(_rest(blend)))
            copy.users += 1
        if first:
            self._build(blend, copy)
        else:
            copy.forward.result()

    def release(self, blend: Blend) -> None:
        """Undo one `prepare`: a copy leaves memory with its last user."""
        if not self._alone(blend):
            self._resident.release(blend)
            return
        with self._lock:
            copy = self._copies[blend.key]
            copy.users -= 1
            if not copy.users:
                del self._copies[blend.key]

    def _alone(self, blend: Blend) -> bool:
        return blend.own_weights or not self._in_passing(blend)

    def _build(self, blend: Blend, copy: _Copy) -> None:
        try:
            made = self._make(fold(blend, self._weight_of))
            made.prepare(copy.rest)
            copy.forward.set_result(made)
        except BaseException as error:
            # Whoever waits for the same copy fails with it, and the next one tries again.
            with self._lock:
                del self._copies[blend.key]
            copy.forward.set_exception(error)
            raise

    def _copy_of(self, blend: Blend) -> _Copy:
        with self._lock:
            return self._copies[blend.key]
