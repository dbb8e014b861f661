"""The loss on the trained tokens of a batch, without computing what the loss does not need.

Three savings over `model(ids).logits`, none of which changes the result: the head is computed only
where a trained token is predicted (it is a fifth of this model's arithmetic), the tokens that all
rows begin with (the template's system line) are read once instead of once per row, and nothing is
read behind a row's last trained token. Does not know optimizers or adapters' insides.
"""

from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel
from torch.nn import functional
from transformers import DynamicCache

from demo.training.batches import Batch

PLAIN_HEAD = frozenset({"llama", "mistral", "qwen2", "qwen3", "smollm3"})
"""Model types whose logits are head(body(ids)) and nothing more: no scaling, no soft cap."""
WORTH_SHARING = 8
"""Shared tokens below which a second pass through the body costs more than it saves."""


@dataclass(frozen=True)
class TokenLosses:
    """Cross entropies of a batch's trained tokens, in fp32."""

    losses: torch.Tensor

    @property
    def mean(self) -> torch.Tensor:
        """What training minimizes."""
        return self.losses.mean()


class CompletionLoss:
    """Measures an adapted model on batches."""

    def __init__(self, model: PeftModel, *, share_prefix: bool = True) -> None:
        """Choose the fast way where it gives the same result.

        Args:
            model: the base model with an adapter.
            share_prefix: False where rows must not share what was drawn for one of them (dropout).
        """
        self.model = model
        self.share_prefix = share_prefix
        plain = model.config.model_type in PLAIN_HEAD
        self.fast = plain and not model.active_peft_config.is_prompt_learning

    def __call__(self, batch: Batch) -> TokenLosses:
        """The loss of each trained token."""
        predicting = batch.trained[:, 1:]
        targets = batch.ids[:, 1:][predicting]
        logits = self._fast(batch) if self.fast else self._general(batch)[predicting]
        return TokenLosses(functional.cross_entropy(logits.float(), targets, reduction="none"))

    def _general(self, batch: Batch) -> torch.Tensor:
        output = self.model(input_ids=batch.ids[:, :-1], attention_mask=batch.mask[:, :-1])
        logits: torch.Tensor = output.logits
        return logits

    def _fast(self, batch: Batch) -> torch.Tensor:
        causal: Any = self.model.get_base_model()
        shared = batch.shared if self._worth_sharing(batch) else 0
        cache = self._read_once(causal, batch, shared) if shared else None
        hidden = causal.get_decoder()(
            input_ids=batch.ids[:, shared:-1],
            attention_mask=batch.mask[:, :-1],
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state
        logits: torch.Tensor = causal.get_output_embeddings()(
            hidden[batch.trained[:, shared + 1 :]]
        )
        return logits

    def _worth_sharing(self, batch: Batch) -> bool:
        return self.share_prefix and len(batch.ids) > 1 and batch.shared >= WORTH_SHARING

    @staticmethod
    def _read_once(causal: Any, batch: Batch, shared: int) -> DynamicCache:
        """Keys and values of the shared tokens for every row; gradients flow back through them."""
        cache = DynamicCache(config=causal.config)
        causal.get_decoder()(
            input_ids=batch.ids[:1, :shared], past_key_values=cache, use_cache=True
        )
        cache.batch_repeat_interleave(len(batch.ids))
        return cache
