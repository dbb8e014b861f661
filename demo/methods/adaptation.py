"""What an adapter does to its base, as plain tensors: every method is brought to these few kinds.

All of them are differences to the base, so a strength multiplies them and two adapters add up.
Knows no file format and no model; how they are applied is the engine's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Bottleneck:
    """What is added to an output y of a layer: `up relu(down y + down_bias) + up_bias`."""

    down: Tensor
    """[narrow, out]"""
    down_bias: Tensor
    """[narrow]"""
    up: Tensor
    """[out, narrow]"""
    up_bias: Tensor
    """[out]"""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All four."""
        return self.down, self.down_bias, self.up, self.up_bias


@dataclass(frozen=True, eq=False)
class LabelHead:
    """A classifier on the last hidden state of a prompt: `weight h + bias`, a number for each label."""

    weight: Tensor
    """[labels, width]"""
    bias: Tensor
    """[labels]"""
    labels: tuple[tuple[int, ...], ...]
    """Each label's tokens, the end of the answer included."""


@dataclass(frozen=True, eq=False)
class Adaptation:
    """One adapter's tensors in fp32 on the CPU. Names are those of the base model's modules.

    For a linear layer W with input x the adapted output at strength s is
    `y = W (x + s input_scale x) + s (row_scale W x + B A x)`, and `y + s bottleneck(y)` where there is one.
    """

    key: str
    """SHA-256 of the adapter's files: equal keys are the same adapter."""
    low_rank: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    """Linear layer -> (A [r, in], B [out, r], with every scaling folded into B)."""
    row_scale: Mapping[str, Tensor] = field(default_factory=dict)
    """Linear layer -> [out], what each output is multiplied by, minus 1 (DoRA, IA3)."""
    input_scale: Mapping[str, Tensor] = field(default_factory=dict)
    """Linear layer -> [in], what each input is multiplied by, minus 1 (IA3 before `down_proj`)."""
    norms: Mapping[str, Tensor] = field(default_factory=dict)
    """Norm -> [width], trained weight minus the base's (LayerNorm tuning)."""
    keys_values: tuple[Tensor, Tensor] | None = None
    """Keys and values [layers, key heads, n, head width] that stand before every prompt (prefix)."""
    embeddings: Tensor | None = None
    """[n, width], read before every prompt in place of tokens (prompt tuning, P-tuning)."""
    bottlenecks: Mapping[str, Bottleneck] = field(default_factory=dict)
    """Linear layer -> what is added to its output (Houlsby's adapters)."""
    head: LabelHead | None = None
    """Answers in place of the model's own head."""
    weights: Mapping[str, Tensor] = field(default_factory=dict)
    """Parameter -> difference to the base's own [same shape], a sparse tensor where few places
    differ (sparse and full tuning)."""

    @property
    def virtual_tokens(self) -> int:
        """Places of the context that stand before the prompt."""
        if self.keys_values is not None:
            return self.keys_values[0].shape[2]
        return 0 if self.embeddings is None else self.embeddings.shape[0]

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        tensors = [t for pair in self.low_rank.values() for t in pair]
        for group in (self.row_scale, self.input_scale, self.norms, self.weights):
            tensors += group.values()
        tensors += [t for one in self.bottlenecks.values() for t in one.tensors]
        tensors += self.keys_values or ()
        tensors += [self.head.weight, self.head.bias] if self.head else []
        tensors += [] if self.embeddings is None else [self.embeddings]
        return sum(map(_bytes, tensors))


def _bytes(tensor: Tensor) -> int:
    if tensor.is_sparse:
        return _bytes(tensor.values()) + _bytes(tensor.indices())
    return tensor.numel() * tensor.element_size()


@dataclass(frozen=True)
class Blend:
    """What one row is answered with: nothing (the base), an adapter at a strength, or a sum of two."""

    terms: tuple[tuple[Adaptation, float], ...] = ()
    merged: bool = False
    """Low rank and scales are folded into weights of its own instead of being added in passing."""

    @property
    def key(self) -> str:
        """Equal keys give equal answers; empty for the base."""
        terms = "+".join(f"{adapter.key}*{float(strength)}" for adapter, strength in self.terms)
        return f"merged:{terms}" if self.merged else terms

    @property
    def own_weights(self) -> bool:
        """Whether it needs a copy of the base's weights for itself."""
        return self.merged or any(adapter.weights for adapter, _ in self.terms)

    @property
    def head(self) -> LabelHead | None:
        """The classifier that answers, if one does."""
        return next((adapter.head for adapter, _ in self.terms if adapter.head), None)

    @property
    def virtual_tokens(self) -> int:
        """Places of the context that stand before the prompt."""
        return sum(adapter.virtual_tokens for adapter, _ in self.terms)


PLAIN = Blend()
"""The base model as it is."""
