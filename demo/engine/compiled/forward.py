"""The compiled forward pass of Llama-like models on a CPU: int8 weights, one call per token.

Weights are int8 in blocks of 32 inputs with a scale each, activations int16 in the same blocks;
see forward.cpp. Everything else about a model (loading, tokens, sampling) is somebody else's.
"""

import ctypes
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from demo.engine.compiled.adapter import PackedAdapter
from demo.engine.compiled.cache import CompiledCache
from demo.engine.compiled.library import MOST_TERMS, Row, Shape
from demo.engine.compiled.scope import HEAD, KINDS, NORMS, TABLE
from demo.engine.forward import Part
from demo.methods.adaptation import PLAIN, Adaptation, Blend

MOST_TOKENS = 512
"""Tokens of one call; more are read in several."""


class _Told(NamedTuple):
    """Where one call of the library writes."""

    logits: Tensor
    hidden: Tensor | None = None
    attention: Tensor | None = None


class CompiledForward:
    """A Llama-like model packed for the compiled pass. The model it was made from is not kept."""

    name = "compiled"
    exact_reuse = True

    def __init__(self, model: PreTrainedModel, library: Any, threads: int) -> None:
        self._library = library
        self._arrays: list[np.ndarray] = []
        config = model.config
        self._width = int(
            getattr(config, "head_dim", 0) or config.hidden_size // config.num_attention_heads
        )
        self._layers, self._heads = config.num_hidden_layers, config.num_key_value_heads
        self._query_heads = config.num_attention_heads
        self._hidden, self._vocabulary = config.hidden_size, config.vocab_size
        inner: Any = model.get_decoder()
        turns = inner.rotary_emb
        shape = Shape(
            layers=self._layers,
            hidden=self._hidden,
            heads=self._query_heads,
            key_heads=self._heads,
            width=self._width,
            inner=config.intermediate_size,
            epsilon=config.rms_norm_eps,
            rotation_scale=float(turns.attention_scaling),
            attention_scale=self._width**-0.5,
        )
        frequencies = self._own(turns.inv_freq)
        self._model = library.model_new(ctypes.byref(shape), threads, MOST_TOKENS, frequencies)
        if not self._model:
            raise MemoryError
        self._pack(model, inner)
        self._adapters: dict[str, PackedAdapter] = {}
        self._users: dict[str, int] = {}
        self._lock = threading.Lock()

    def __del__(self) -> None:
        if getattr(self, "_model", None):
            self._library.model_delete(self._model)

    @property
    def resident_bytes(self) -> int:
        """Packed weights and norms."""
        return sum(array.nbytes for array in self._arrays)

    def new_cache(self, blend: Blend = PLAIN, room: int = 0) -> CompiledCache:
        """An empty cache, or one that starts with a prefix or a soft prompt."""
        cache = CompiledCache(
            self._layers,
            self._heads,
            self._width,
            self._library.lanes(),
            room + blend.virtual_tokens,
        )
        for adapter, _ in blend.terms:
            if adapter.keys_values is not None:
                cache.start_with(*adapter.keys_values)
            if adapter.embeddings is not None:
                self._read_soft(cache, adapter.embeddings)
        return cache

    def run(self, parts: Sequence[Part]) -> list[Tensor]:
        """Read all parts, in one call where they are short. Raises `MemoryError`."""
        results: list[list[Tensor]] = [[] for _ in parts]
        pieces = [
            (index, start, min(start + MOST_TOKENS, len(part.ids)))
            for index, part in enumerate(parts)
            for start in range(0, len(part.ids), MOST_TOKENS)
        ]
        while pieces:
            now, tokens = [], 0
            while pieces and tokens + pieces[0][2] - pieces[0][1] <= MOST_TOKENS:
                piece = pieces.pop(0)
                now.append(piece)
                tokens += piece[2] - piece[1]
            for (index, _, _), logits in zip(now, self._call(parts, now), strict=True):
                results[index].append(logits)
        return [torch.cat(found) if len(found) > 1 else found[0] for found in results]

    def attention(self, part: Part) -> Tensor:
        """How much one token draws from every place up to itself. Raises `MemoryError`."""
        rows = (Row * 1)()
        cache = cast(CompiledCache, part.cache)
        self._fill(rows[0], part.blend, cache, 1)
        weights = torch.empty(self._layers, self._query_heads, cache.places + 1)
        self._run(rows, self._ids(part.ids), None, [], _Told(weights[:0], attention=weights))
        cache.places += 1
        return weights

    def prepare(self, blend: Blend) -> None:
        """Lay out the tensors of a blend's adapters as the compiled pass reads them."""
        for adapter, _ in blend.terms:
            self._packed(adapter)
            with self._lock:
                self._users[adapter.key] = self._users.get(adapter.key, 0) + 1

    def release(self, blend: Blend) -> None:
        """Drop them with their last user."""
        with self._lock:
            for adapter, _ in blend.terms:
                self._users[adapter.key] -= 1
                if not self._users[adapter.key]:
                    del self._users[adapter.key]
                    self._adapters.pop(adapter.key, None)

    # one call
    def _call(self, parts: Sequence[Part], pieces: Sequence[tuple[int, int, int]]) -> list[Tensor]:
        rows = (Row * len(pieces))()
        ids: list[int] = []
        which: list[int] = []
        counts = []
        for row, (index, start, end) in zip(rows, pieces, strict=True):
            part = parts[index]
            self._fill(row, part.blend, cast(CompiledCache, part.cache), end - start)
            wanted = _wanted(part, len(ids), start, end)
            counts.append(len(wanted))
            which += wanted
            ids += part.ids[start:end]
        logits = torch.empty(len(which), self._vocabulary)
        looking = any(parts[index].hidden for index, _, _ in pieces)
        hidden = torch.empty(len(which), self._hidden) if looking else None
        self._run(rows, self._ids(ids), None, which, _Told(logits, hidden))
        for index, start, end in pieces:
            cast(CompiledCache, parts[index].cache).places += end - start
        found = torch.split(logits, counts)
        if hidden is None:
            return list(found)
        read = torch.split(hidden, counts)
        return [
            read[n] if parts[index].hidden else found[n] for n, (index, _, _) in enumerate(pieces)
        ]

    def _ids(self, ids: Sequence[int]) -> np.ndarray:
        numbers = np.array(ids, np.int32)
        if numbers.min() < 0 or numbers.max() >= self._vocabulary:
            raise IndexError("a token id outside the vocabulary")
        return numbers

    def _read_soft(self, cache: CompiledCache, embeddings: Tensor) -> None:
        for piece in torch.split(embeddings.float().contiguous(), MOST_TOKENS):
            rows = (Row * 1)()
            self._fill(rows[0], PLAIN, cache, len(piece))
            self._run(rows, None, piece.numpy(), [], _Told(torch.empty(0)))
            cache.places += len(piece)
            cache.virtual += len(piece)

    def _fill(self, row: Row, blend: Blend, cache: CompiledCache, tokens: int) -> None:
        if len(blend.terms) > MOST_TERMS:
            raise ValueError(f"a blend has at most {MOST_TERMS} terms")
        cache.make_room(tokens)
        row.keys, row.values = cache.keys.ctypes.data, cache.values.ctypes.data
        row.capacity, row.start, row.tokens = cache.capacity, cache.places, tokens
        row.terms = len(blend.terms)
        for k, (adapter, strength) in enumerate(blend.terms):
            row.adapters[k] = self._packed(adapter).handle
            row.strengths[k] = strength

    def _run(
        self,
        rows: Any,
        ids: np.ndarray | None,
        soft: np.ndarray | None,
        which: Sequence[int],
        told: _Told,
    ) -> None:
        wanted = np.array(which, np.int32)
        failed = self._library.model_run(
            self._model,
            rows,
            len(rows),
            None if ids is None else ids.ctypes.data,
            None if soft is None else soft.ctypes.data,
            len(which),
            wanted.ctypes.data,
            *(None if tensor is None else tensor.data_ptr() for tensor in told),
        )
        if failed:
            raise MemoryError

    # packing
    def _pack(self, model: PreTrainedModel, inner: Any) -> None:
        for layer, block in enumerate(inner.layers):
            for kind, name in enumerate(KINDS):
                module = block.get_submodule(name)
                self._linear(layer * len(KINDS) + kind, module.weight, module.bias)
            for norm, name in enumerate(NORMS):
                owner, _, last = name.rpartition(".")
                module = getattr(block.get_submodule(owner), last, None)
                if module is not None:
                    self._norm(layer * len(NORMS) + norm, module.weight)
        self._norm(self._layers * len(NORMS), inner.norm.weight)
        head: Any = model.get_output_embeddings()
        table: Any = model.get_input_embeddings()
        packed = self._linear(HEAD, head.weight, head.bias)
        if head.weight is table.weight:
            out, width = table.weight.shape
            self._library.model_linear(self._model, TABLE, width, out, packed, None)
        else:
            self._linear(TABLE, table.weight, None)

    def _linear(self, index: int, weight: Tensor, bias: Tensor | None) -> int:
        out, width = weight.shape
        plain = weight.detach().float().contiguous()
        packed = np.empty(self._library.packed_bytes(out, width), np.int8)
        self._arrays.append(packed)
        self._library.pack_weights(plain.data_ptr(), out, width, packed.ctypes.data)
        place = packed.ctypes.data
        own_bias = None if bias is None else self._own(bias)
        self._library.model_linear(self._model, index, width, out, place, own_bias)
        return place

    def _norm(self, index: int, weight: Tensor) -> None:
        self._library.model_norm(self._model, index, self._own(weight))

    def _own(self, tensor: Tensor) -> int:
        """An fp32 copy that lives as long as this model; its address."""
        self._arrays.append(np.array(tensor.detach().float().numpy(), np.float32, order="C"))
        return self._arrays[-1].ctypes.data

    def _packed(self, adapter: Adaptation) -> PackedAdapter:
        with self._lock:
            if adapter.key not in self._adapters:
                self._adapters[adapter.key] = PackedAdapter(
                    self._library, self._model, adapter, self._layers
                )
            return self._adapters[adapter.key]


def _wanted(part: Part, offset: int, start: int, end: int) -> list[int]:
    """Which tokens of a call, by their place in it, give logits."""
    if part.wanted == "all":
        return list(range(offset, offset + end - start))
    last = part.wanted == "last" and end == len(part.ids)
    return [offset + end - start - 1] if last else []
