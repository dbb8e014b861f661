"""Fixed prompts whose next-token logits show whether the base model is still what it was.

Knows nothing of threads: the engine asks it on its own thread.
"""

from torch import Tensor

from demo.engine.forward import Forward, Part
from demo.engine.model.load import BaseModel
from demo.records import BaseProof

PROBES = (
    "The capital of France is",
    "Two plus two equals",
    "name[The Eagle], food[Italian], area[riverside]",
    "Once upon a time there was",
)


class Probes:
    """The logits at start, kept for comparison."""

    def __init__(self, base: BaseModel) -> None:
        self.prompts = [tuple(base.tokenizer.encode(text, start=True)) for text in PROBES]
        self.at_start = self._ask(base.forward)

    def prove(self, forward: Forward) -> BaseProof:
        """Ask again, through the same path as every answer, with no adapter chosen."""
        now = self._ask(forward)
        difference = max(
            float((a - b).abs().max()) for a, b in zip(self.at_start, now, strict=True)
        )
        return BaseProof(difference == 0.0, len(PROBES), difference)

    def _ask(self, forward: Forward) -> list[Tensor]:
        return forward.run([Part(prompt, forward.new_cache()) for prompt in self.prompts])
