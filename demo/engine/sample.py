"""The next token of one row: greedy, or drawn by the row's own seed.

Penalty, temperature, top-k and top-p are applied in this order, by the processors of transformers.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from demo.records import Sampling


class Sampler:
    """Draws the tokens of one answer. Who else is in the batch does not matter to it."""

    def __init__(self, sampling: Sampling, prompt: Sequence[int]) -> None:
        self.greedy = sampling.temperature == 0
        self.processors = LogitsProcessorList()
        if sampling.repetition_penalty != 1:
            self.processors.append(RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
        if not self.greedy:
            self.processors.append(TemperatureLogitsWarper(sampling.temperature))
            if sampling.top_k:
                self.processors.append(TopKLogitsWarper(sampling.top_k))
            if sampling.top_p < 1:
                self.processors.append(TopPLogitsWarper(sampling.top_p))
        self.generator = torch.Generator().manual_seed(sampling.seed)
        self.ids = list(prompt)

    def draw(self, logits: Tensor) -> int:
        """The next token.

        Args:
            logits: [vocabulary], fp32 on the CPU.
        """
        scores = self.processors(torch.LongTensor([self.ids]), logits.unsqueeze(0))[0]
        if self.greedy:
            token = int(scores.argmax())
        else:
            probabilities = scores.softmax(-1)
            token = int(torch.multinomial(probabilities, 1, generator=self.generator))
        self.ids.append(token)
        return token
