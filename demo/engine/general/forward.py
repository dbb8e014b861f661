"""The general forward: any causal model that transformers loads, on any device, at any precision.

On a CPU a row's numbers do not depend on its neighbours: a known family decodes all rows in one
pass of row-wise kernels, any other model one row at a time. Elsewhere rows are padded and stacked.
Knows nothing of queues, prompts or text.
"""

from collections.abc import Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from demo.engine.forward import Part, RowCache
from demo.engine.general.adapted import AdaptedRows
from demo.engine.general.attention import eager, use_rows
from demo.engine.general.linear import Phase, use_row_products
from demo.engine.general.row_cache import RowsView, TorchRowCache
from demo.engine.general.virtual import prefix, soft_prompt
from demo.methods.adaptation import PLAIN, Blend


class GeneralForward:
    """A transformers model behind the seam `Forward`."""

    name = "general"
    exact_reuse = False

    def __init__(self, model: PreTrainedModel, phase: Phase | None = None) -> None:
        """Take over a loaded model.

        Args:
            model: ready to answer; nobody else may run it afterwards.
            phase: what its quantized layers read, where it has some.
        """
        self.model = model.train(False).requires_grad_(False)
        self.device: torch.device = model.device
        self._phase = phase or Phase()
        self._cpu = self.device.type == "cpu"
        self._by_row = self._cpu and use_rows(model)
        if self._by_row:
            use_row_products(model, self._phase)
        self._adapted = AdaptedRows(model)
        self._heard: list[Tensor] = []
        """What the head has just read: [rows, wanted, width]."""
        head: Any = model.get_output_embeddings()
        if head is not None:
            head.register_forward_pre_hook(lambda _, inputs: self._heard.append(inputs[0]))
        self._takes_positions = "position_ids" in signature(model.forward).parameters

    @property
    def resident_bytes(self) -> int:
        """What the weights take in memory; shared ones count once."""
        tensors = [*self.model.parameters(), *self.model.buffers()]
        sizes = {tensor.data_ptr(): tensor.numel() * tensor.element_size() for tensor in tensors}
        return sum(sizes.values())

    @torch.inference_mode()
    def new_cache(self, blend: Blend = PLAIN, room: int = 0) -> TorchRowCache:
        """An empty cache; a blend's own keys and values, or soft prompt, stand in it already."""
        cache = TorchRowCache(blend.virtual_tokens, room)
        standing = prefix(blend)
        if standing is not None:
            keys, values = (tensor.to(self.device, self._dtype) for tensor in standing)
            for layer in range(len(keys)):
                cache.write(layer, keys[layer], values[layer])
            cache.advance(keys.shape[2])
        soft = soft_prompt(blend)
        if soft is not None:
            embeddings = soft.to(self.device, self._dtype)[None]
            self._read([cache], [blend], False, "none", inputs_embeds=embeddings)
        return cache

    @torch.inference_mode()
    def run(self, parts: Sequence[Part]) -> list[Tensor]:
        """Read all parts: pieces of prompts one by one, the newest tokens of answers together."""
        answers: dict[int, Tensor] = {}
        for group in self._groups(parts):
            together = [parts[index] for index in group]
            answers.update(zip(group, self._run_group(together), strict=True))
        return [answers[index] for index in range(len(parts))]

    @torch.inference_mode()
    def attention(self, part: Part) -> Tensor:
        """How much one token draws from every place up to itself."""
        cache = _torch_cache(part.cache)
        self._phase.decoding = False
        self._adapted.use([part.blend], self.device)
        options = self._options([cache], 1, by_row=False)
        ids = torch.tensor([list(part.ids)], device=self.device)
        with eager(self.model):
            read = self.model.base_model(input_ids=ids, output_attentions=True, **options)
        cache.advance(1)
        return torch.stack([layer[0, :, -1] for layer in read.attentions]).float().cpu()

    def prepare(self, blend: Blend) -> None:
        """Nothing to make: a blend's tensors are added in passing."""

    def release(self, blend: Blend) -> None:
        """Nothing was made."""

    @property
    def _dtype(self) -> torch.dtype:
        """Of hidden states, keys and values."""
        dtype: torch.dtype = self.model.dtype
        return dtype

    def _groups(self, parts: Sequence[Part]) -> list[list[int]]:
        """Which parts share a pass."""
        decoding = [index for index, part in enumerate(parts) if part.decoding]
        alone = [[index] for index, part in enumerate(parts) if not part.decoding]
        if self._cpu and not self._by_row:
            return alone + [[index] for index in decoding]
        return [*alone, decoding] if decoding else alone

    def _run_group(self, parts: Sequence[Part]) -> list[Tensor]:
        wanted = max((part.wanted for part in parts), key=("none", "last", "all").index)
        ids = torch.tensor([list(part.ids) for part in parts], device=self.device)
        self._heard.clear()
        logits = self._read(
            [_torch_cache(part.cache) for part in parts],
            [part.blend for part in parts],
            parts[0].decoding,
            wanted,
            input_ids=ids,
        )
        if logits is None:
            empty = torch.empty(0, self.model.config.get_text_config().vocab_size)
            return [empty for _ in parts]
        read = self._heard.pop().float().cpu() if self._heard else logits
        return [
            row[:0] if part.wanted == "none" else row[-1:] if part.wanted == "last" else row
            for part, row in (
                (part, hidden if part.hidden else said)
                for part, said, hidden in zip(parts, logits, read, strict=True)
            )
        ]

    def _read(
        self,
        caches: Sequence[TorchRowCache],
        blends: Sequence[Blend],
        decoding: bool,
        wanted: str,
        **tokens: Tensor,
    ) -> Tensor | None:
        """One pass over [rows, length] tokens; logits [rows, wanted, vocabulary] in fp32 on the CPU."""
        length = next(iter(tokens.values())).shape[1]
        self._phase.decoding = decoding
        self._adapted.use(blends, self.device)
        options = self._options(caches, length, self._by_row) | tokens
        if wanted == "none":
            self.model.base_model(**options)
            logits = None
        else:
            options["logits_to_keep"] = 1 if wanted == "last" else 0
            logits = self.model(**options).logits.float().cpu()
        for cache in caches:
            cache.advance(length)
        return logits

    def _options(
        self, caches: Sequence[TorchRowCache], length: int, by_row: bool
    ) -> dict[str, Any]:
        """What a pass over `length` tokens more of every row is given beside the tokens."""
        options: dict[str, Any] = {
            "attention_mask": self._mask(caches, length),
            "past_key_values": RowsView(caches, by_row),
            "use_cache": True,
        }
        if self._takes_positions:
            options["position_ids"] = self._positions(caches, length)
        return options

    def _positions(self, caches: Sequence[TorchRowCache], length: int) -> Tensor:
        starts = torch.tensor([[cache.columns] for cache in caches], device=self.device)
        return starts + torch.arange(length, device=self.device)

    def _mask(self, caches: Sequence[TorchRowCache], length: int) -> Tensor | None:
        """Ones [rows, columns] where a row's own columns stand; None where nothing is padded."""
        if len({cache.columns for cache in caches}) == 1 or self._by_row:
            return None
        widest = max(cache.columns for cache in caches)
        starts = torch.tensor([[widest - cache.columns] for cache in caches], device=self.device)
        columns = torch.arange(widest + length, device=self.device)
        return (columns >= starts).long()


def _torch_cache(cache: RowCache) -> TorchRowCache:
    if not isinstance(cache, TorchRowCache):
        raise TypeError("A cache is only good for the forward that made it.")
    return cache
