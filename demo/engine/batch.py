"""The running batch: rows join after their prompt is read, decode together, and leave one by one.

Knows token ids and caches only; not threads, text or visitors. Left-padded: every row ends at the
same column, and a mask hides what lies before its start.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from demo.engine.load import BaseModel
from demo.engine.lora import LowRank, LowRankRows
from demo.engine.sample import Sampler
from demo.records import Sampling

CHUNK = 256
"""Tokens of a prompt read at once: about a third of a second on two cores."""


@dataclass(eq=False)
class BatchRow:
    """One answer in the making."""

    prompt: tuple[int, ...]
    sampling: Sampling
    adapter: LowRank | None = None
    generated: list[int] = field(default_factory=list)
    cache: Any = None
    """Keys and values of the part of the prompt that was read, until the row joins."""
    read: int = 0
    """Tokens of the prompt that were read."""
    reason: str = ""
    """Why it ended: `end` or `length`; empty while it goes on."""
    sampler: Sampler = field(init=False)

    def __post_init__(self) -> None:
        self.sampler = Sampler(self.sampling, self.prompt)

    @property
    def length(self) -> int:
        """Tokens in its cache: all but the newest one, which the next step reads."""
        return len(self.prompt) + len(self.generated) - 1


class Batch:
    """The rows that are decoded together, with their keys and values."""

    def __init__(self, base: BaseModel) -> None:
        self.base = base
        self.low_rank = LowRankRows(base.model)
        self.rows: list[BatchRow] = []
        self._cache: Any = DynamicCache()
        self._mask = torch.zeros(0, 0, dtype=torch.long)

    @property
    def device(self) -> torch.device:
        """Where the base model lies."""
        device: torch.device = self.base.model.device
        return device

    def join(self, rows: Sequence[BatchRow]) -> None:
        """Read the prompts of new rows, one by one, and draw their first tokens."""
        for row in rows:
            while not self.read(row):
                pass

    def read(self, row: BatchRow) -> bool:
        """Read the next chunk of a new row's prompt; True once the row has its first token.

        Chunks keep a long prompt from holding up those who decode. Matrix products of another
        height differ in the last digit, so no prompt is read together with another one.
        """
        row.cache = row.cache or DynamicCache()
        left = len(row.prompt) - row.read
        # A single token left over would be read by the kernels of decoding.
        end = row.read + (left if left <= CHUNK + 1 else CHUNK)
        logits = self._forward([row], *self._part(row.prompt, row.read, end), row.cache)
        row.read = end
        if end < len(row.prompt):
            return False
        self._append(row, row.cache)
        row.cache = None
        self._draw([row], logits)
        return True

    def step(self) -> None:
        """Decode one token for every row."""
        if not self.rows:
            return
        ids = torch.tensor([[row.generated[-1]] for row in self.rows], device=self.device)
        ones = torch.ones(len(self.rows), 1, dtype=torch.long, device=self.device)
        self._mask = torch.cat([self._mask, ones], dim=1)
        positions = torch.tensor([[row.length] for row in self.rows], device=self.device)
        logits = self._forward(self.rows, ids, self._mask, positions, self._cache)
        self._draw(self.rows, logits)

    def leave(self, rows: Sequence[BatchRow]) -> None:
        """Drop rows, and the columns that only they filled."""
        gone = set(map(id, rows))
        keep = [index for index, row in enumerate(self.rows) if id(row) not in gone]
        if len(keep) == len(self.rows):
            return
        self.rows = [self.rows[index] for index in keep]
        if not self.rows:
            self.clear()
            return
        columns = max(row.length for row in self.rows)
        index = torch.tensor(keep, device=self.device)
        self._mask = self._mask[index][:, -columns:]
        for layer in self._cache.layers:
            layer.keys = layer.keys[index][:, :, -columns:].contiguous()
            layer.values = layer.values[index][:, :, -columns:].contiguous()

    def clear(self) -> None:
        """Forget every row."""
        self.rows = []
        self._cache = DynamicCache()
        self._mask = torch.zeros(0, 0, dtype=torch.long, device=self.device)

    def next_logits(self, prompt: tuple[int, ...]) -> Tensor:
        """Next-token logits of the base [vocabulary] after a prompt, outside the running batch."""
        row = BatchRow(prompt, Sampling())
        return self._forward([row], *self._part(prompt, 0, len(prompt)), DynamicCache())[0]

    def _part(self, prompt: tuple[int, ...], start: int, end: int) -> tuple[Tensor, Tensor, Tensor]:
        """Ids and positions [1, end - start] of a part of a prompt, and the mask [1, end] so far."""
        ids = torch.tensor([prompt[start:end]], device=self.device)
        mask = torch.ones(1, end, dtype=torch.long, device=self.device)
        return ids, mask, torch.arange(start, end, device=self.device)[None]

    @torch.inference_mode()
    def _forward(
        self, rows: Sequence[BatchRow], ids: Tensor, mask: Tensor, positions: Tensor, cache: Any
    ) -> Tensor:
        """Logits of the last column [rows, vocabulary], fp32 on the CPU; the cache grows by `ids`."""
        self.low_rank.use([row.adapter for row in rows], self.device)
        out = self.base.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
            row_lengths=(positions[:, -1] + 1).tolist(),
        )
        logits: Tensor = out.logits[:, -1].float().cpu()
        return logits

    def _draw(self, rows: Sequence[BatchRow], logits: Tensor) -> None:
        for row, scores in zip(rows, logits, strict=True):
            token = row.sampler.draw(scores)
            row.generated.append(token)
            if token in self.base.end_ids:
                row.reason = "end"
            elif len(row.generated) >= row.sampling.max_new_tokens:
                row.reason = "length"

    @torch.inference_mode()
    def _append(self, row: BatchRow, cache: Any) -> None:
        """Put a newly read row under the running ones, padding the shorter side on the left."""
        ones = torch.ones(1, len(row.prompt), dtype=torch.long, device=self.device)
        self.rows = [*self.rows, row]
        if len(self.rows) == 1:
            self._cache, self._mask = cache, ones
            return
        width = max(len(row.prompt), self._mask.shape[1])
        self._mask = torch.cat([_widen(self._mask, width, 1), _widen(ones, width, 1)])
        for mine, new in zip(self._cache.layers, cache.layers, strict=True):
            mine.keys = torch.cat([_widen(mine.keys, width, 2), _widen(new.keys, width, 2)])
            mine.values = torch.cat([_widen(mine.values, width, 2), _widen(new.values, width, 2)])


def _widen(tensor: Tensor, width: int, dimension: int) -> Tensor:
    """Zeros on the left of `dimension` until it is `width` wide."""
    missing = width - tensor.shape[dimension]
    if missing <= 0:
        return tensor
    shape = list(tensor.shape)
    shape[dimension] = missing
    return torch.cat([tensor.new_zeros(shape), tensor], dim=dimension)
