"""The loss on the trained tokens of a batch, without computing what the loss does not need.

Three savings over `model(ids).logits`, none of which changes the result: the head is computed only
where a trained token is predicted (it is a fifth of this model's arithmetic), what all rows begin
with (virtual tokens, the template's system line) is read once instead of once per row, and nothing
is read behind a row's last trained token. Does not know optimizers or adapters' insides.
"""

from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from peft import PeftModel
from torch import Tensor
from torch.nn import functional
from transformers import Cache, DynamicCache

from demo.training.batches import Batch

PLAIN_HEAD = frozenset({"llama", "mistral", "qwen2", "qwen3", "smollm3"})
"""Model types whose logits are head(body(ids)) and nothing more: no scaling, no soft cap."""
WORTH_SHARING = 8
"""Shared tokens below which a second pass through the body costs more than it saves."""


@dataclass(frozen=True)
class TokenLosses:
    """Cross entropies of a batch's trained tokens, in fp32."""

    losses: Tensor

    @property
    def mean(self) -> Tensor:
        """What training minimizes."""
        return self.losses.mean()


class Loss(Protocol):
    """Measures a model on batches."""

    def __call__(self, batch: Batch) -> TokenLosses:
        """The loss of each trained token."""

    def of_base(self) -> "Loss":
        """The same of the base model alone."""


class CompletionLoss:
    """Measures an adapted model on batches."""

    def __init__(self, model: Any, *, share_prefix: bool = True) -> None:
        """Choose the fast way where it gives the same result.

        Args:
            model: the base model with an adapter: a `PeftModel`, or the base itself.
            share_prefix: False where rows must not share what was drawn for one of them (dropout).
        """
        self.model = model
        self.share_prefix = share_prefix
        self.causal: Any = model.get_base_model() if isinstance(model, PeftModel) else model
        self.virtual_tokens = virtual_tokens(model)
        """Trained places that stand before every row; 0 to measure without them."""
        self.fast = model.config.model_type in PLAIN_HEAD

    def __call__(self, batch: Batch) -> TokenLosses:
        """The loss of each trained token."""
        predicting = batch.trained[:, 1:]
        targets = batch.ids[:, 1:][predicting]
        logits = self._fast(batch) if self.fast else self._general(batch)[predicting]
        return TokenLosses(functional.cross_entropy(logits.float(), targets, reduction="none"))

    def of_base(self) -> "CompletionLoss":
        """What the base model alone loses; true until the first step, where weights are changed."""
        base = copy(self)
        base.virtual_tokens = 0
        return base

    def _general(self, batch: Batch) -> Tensor:
        """Logits of all positions but the last; those of virtual tokens, if there are any, cut off."""
        asked = self.model if self.virtual_tokens else self.causal
        output = asked(input_ids=batch.ids[:, :-1], attention_mask=batch.mask[:, :-1])
        logits: Tensor = output.logits[:, 1 - batch.ids.shape[1] :]
        return logits

    def _fast(self, batch: Batch) -> Tensor:
        shared = batch.shared if self._worth_sharing(batch) else 0
        cache = self._read_once(batch, shared) if shared or self.virtual_tokens else None
        before = batch.mask.new_ones(len(batch.mask), self.virtual_tokens)
        hidden = self.causal.get_decoder()(
            input_ids=batch.ids[:, shared:-1],
            attention_mask=torch.cat((before, batch.mask[:, :-1]), dim=1),
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state
        logits: Tensor = self.causal.get_output_embeddings()(hidden[batch.trained[:, shared + 1 :]])
        return logits

    def _worth_sharing(self, batch: Batch) -> bool:
        return self.share_prefix and len(batch.ids) > 1 and batch.shared >= WORTH_SHARING

    def _read_once(self, batch: Batch, shared: int) -> Cache:
        """Keys and values of what every row begins with; gradients flow back through them."""
        embed = self.causal.get_input_embeddings()
        first, cache = embed(batch.ids[:1, :shared]), DynamicCache(config=self.causal.config)
        if self.virtual_tokens:
            standing = self.model.get_prompt(batch_size=1)
            if isinstance(standing, Cache):
                cache = standing  # type: ignore[assignment]
            else:
                first = torch.cat((standing.to(first.dtype), first), dim=1)
        if first.shape[1]:
            self.causal.get_decoder()(inputs_embeds=first, past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(len(batch.ids))
        return cache


def virtual_tokens(model: Any) -> int:
    """Trained places that an adapter puts before every row."""
    config = model.active_peft_config if isinstance(model, PeftModel) else None
    return int(config.num_virtual_tokens) if config and config.is_prompt_learning else 0
