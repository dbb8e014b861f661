"""The seam between scheduling and arithmetic: token ids, caches and adapters in, logits out.

Whoever schedules knows these types alone. What lies behind may be transformers' own forward pass
on any device, or a compiled one; both keep the promises written here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from torch import Tensor

from demo.methods.adaptation import PLAIN, Blend


class RowCache(Protocol):
    """Keys and values of one row. Made by `Forward.new_cache` for one blend, and only good for it."""

    @property
    def length(self) -> int:
        """Tokens in it; virtual ones of a prefix or a soft prompt are not counted."""

    @property
    def bytes(self) -> int:
        """What it takes in memory."""

    def keep(self, length: int) -> None:
        """Forget every token after the first `length`."""

    def copy(self, length: int) -> Self:
        """A cache of its own that holds the first `length` tokens."""


@dataclass(frozen=True, eq=False)
class Part:
    """Some tokens of one row, to be read after those that its cache holds."""

    ids: Sequence[int]
    cache: RowCache
    """Grows by `ids`. No two parts of one call share a cache."""
    blend: Blend = PLAIN
    decoding: bool = False
    """The newest token of an answer (one id), not a piece of a prompt: the phase picks the kernels."""
    wanted: Literal["last", "all", "none"] = "last"
    """Whose logits are returned."""
    hidden: bool = False
    """Return what the model's head would read, [wanted tokens, width], in place of logits."""


class Forward(Protocol):
    """A base model that reads parts of many rows, each with its own blend.

    A row's logits depend on its own tokens, blend and phase alone, never on the other parts of
    the call. Where `exact_reuse` holds they do not depend on how a prompt was cut into parts, nor
    on the phase either, bit by bit.
    """

    name: str
    """`compiled` or `general`: what the page says of it."""
    exact_reuse: bool
    """Tokens that were decoded, or read in other pieces, leave the very keys and values that
    reading them in one prompt would."""

    @property
    def resident_bytes(self) -> int:
        """What the weights take in memory, copies for own weights included."""

    def new_cache(self, blend: Blend = PLAIN, room: int = 0) -> RowCache:
        """An empty cache; a blend's own keys and values, or soft prompt, stand in it already.

        Args:
            blend: whose rows it will hold.
            room: tokens to expect; it grows beyond them by itself.
        """

    def run(self, parts: Sequence[Part]) -> list[Tensor]:
        """Read all parts; logits of each [wanted tokens, vocabulary], fp32 on the CPU.

        After an exception the caches may have grown: call `keep` with the lengths from before.
        """

    def attention(self, part: Part) -> Tensor:
        """Read one token, and tell how much it draws from every place up to itself.

        Returns:
            [layers, heads, places] in fp32 on the CPU: the weights of the softmax. Places of a
            prefix or a soft prompt come first.
        """

    def prepare(self, blend: Blend) -> None:
        """Make what a blend needs (copies of weights, packed tensors). Safe from any thread.

        Called before the first part with it, so that no one else waits for the making.
        """

    def release(self, blend: Blend) -> None:
        """Undo one `prepare`: a copy of the weights leaves memory with its last user."""
