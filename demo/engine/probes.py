"""Fixed prompts whose next-token logits show whether the base model is still what it was.

Knows nothing of threads: the engine asks it on its own thread.
"""

from torch import Tensor

from demo.engine.batch import Batch
from demo.records import BaseProof

PROBES = (
    "The capital of France is",
    "Two plus two equals",
    "name[The Eagle], food[Italian], area[riverside]",
    "Once upon a time there was",
)


class Probes:
    """The logits at start, kept for comparison."""

    def __init__(self, batch: Batch) -> None:
        self.prompts = [tuple(batch.base.tokenizer.encode(text, start=True)) for text in PROBES]
        self.at_start = self._ask(batch)

    def prove(self, batch: Batch) -> BaseProof:
        """Ask again, through the same path as every answer, with no adapter chosen."""
        now = self._ask(batch)
        difference = max(
            float((a - b).abs().max()) for a, b in zip(self.at_start, now, strict=True)
        )
        return BaseProof(difference == 0.0, len(PROBES), difference)

    def _ask(self, batch: Batch) -> list[Tensor]:
        return [batch.next_logits(prompt) for prompt in self.prompts]
