"""The other engines that the lab's own is measured against: llama.cpp in process, and plain transformers.

Both read the same embedded model, greedily, with the end of text ignored.
"""

import importlib.util
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from demo.engine.model.catalogue import embedded


class LlamaCpp:
    """One server of llama.cpp inside this process, with a number of slots.

    Args:
        slots: answers at once.
        threads: for prompts and for decoding.
        context: tokens of each slot.
    """

    def __init__(self, slots: int, threads: int, context: int) -> None:
        import xllamacpp

        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(_gguf())
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
        parameters.n_parallel, parameters.n_ctx = slots, slots * context
        parameters.cont_batching, parameters.warmup, parameters.verbosity = True, True, 0
        self._server = xllamacpp.Server(parameters)

    def answer(self, prompt: Sequence[int], tokens: int) -> dict[str, Any]:
        """The timings of one greedy answer of exactly so many tokens."""
        request = {
            "prompt": list(prompt),
            "n_predict": tokens,
            "ignore_eos": True,
            "temperature": 0.0,
            "cache_prompt": False,
            "stream": False,
        }
        found: dict[str, Any] = self._server.handle_completions(request)["timings"]
        assert found["predicted_n"] == tokens, found
        return found

    def answer_all(self, prompts: Sequence[Sequence[int]], tokens: int) -> float:
        """Seconds until the last of several answers that were asked for at once."""
        threads = [
            threading.Thread(target=self.answer, args=(prompt, tokens)) for prompt in prompts
        ]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - begun


@torch.inference_mode()
def generate(model: Any, prompt: Sequence[int], tokens: int) -> float:
    """Seconds per token of `generate` after its first, the end of text ignored."""
    ids = torch.tensor([list(prompt)])
    options = {"attention_mask": torch.ones_like(ids), "do_sample": False, "pad_token_id": 0}
    seconds = []
    for count in (1, tokens):
        begun = time.perf_counter()
        model.generate(ids, min_new_tokens=count, max_new_tokens=count, **options)
        seconds.append(time.perf_counter() - begun)
    return (seconds[1] - seconds[0]) / (tokens - 1)


def _gguf() -> Path:
    assert importlib.util.find_spec("xllamacpp"), "run `make setup` first"
    spec = embedded()
    assert spec is not None
    assert spec.gguf
    return Path(spec.source) / spec.gguf
