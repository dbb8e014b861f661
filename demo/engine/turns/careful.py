"""A forward call that loses no row but the one that fails, and goes on in smaller calls when memory ends.

Knows parts and lengths only; what a failed row means to anybody is decided above.
"""

import logging
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from demo.engine.forward import Forward, Part

LOG = logging.getLogger(__name__)
CALM = 64
"""Calls without trouble after which twice as many parts are tried again."""


class Careful:
    """Runs parts through a forward.

    Args:
        forward: what computes.
        short_of_memory: gives back memory that can be spared.
    """

    def __init__(self, forward: Forward, short_of_memory: Callable[[], None]) -> None:
        self.forward = forward
        self.most = 0
        """Parts per call while memory is short; 0 while it is not."""
        self._short_of_memory = short_of_memory
        self._calm = 0

    def run(self, parts: Sequence[Part]) -> list[Tensor | Exception]:
        """The logits of every part, or what went wrong with it; a failed part's cache is as before."""
        most = self.most or len(parts)
        results: list[Tensor | Exception] = []
        for start in range(0, len(parts), max(most, 1)):
            results += self._halving(parts[start : start + most])
        self._recover()
        return results

    def _halving(self, parts: Sequence[Part]) -> list[Tensor | Exception]:
        lengths = [part.cache.length for part in parts]
        try:
            return list(self.forward.run(parts))
        except Exception as error:
            for part, length in zip(parts, lengths, strict=True):
                part.cache.keep(length)
            problem = error
        if out_of_memory(problem):
            self._shrink(len(parts), problem)
        if len(parts) == 1:
            LOG.error("one row failed", exc_info=problem)
            return [problem]
        middle = len(parts) // 2
        return self._halving(parts[:middle]) + self._halving(parts[middle:])

    def _shrink(self, parts: int, problem: Exception) -> None:
        self._short_of_memory()
        self.most, self._calm = max(1, parts // 2), 0
        LOG.warning("out of memory with %d rows, going on with %d: %s", parts, self.most, problem)

    def _recover(self) -> None:
        self._calm += 1
        if self.most and self._calm >= CALM:
            self.most, self._calm = 2 * self.most, 0


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out; torch says so on a CPU in a plain RuntimeError."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in words or "can't allocate memory" in words or "alloc_cpu" in words
    )
