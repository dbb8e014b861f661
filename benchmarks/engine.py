"""The engine against llama.cpp and plain transformers, on the embedded model, in one interleaved run.

Greedy, the end of text ignored, 128 tokens, the same prompts in tokens, two threads for each engine;
medians over the rounds, with the smallest and largest beside them. `python -m benchmarks.engine [ROUNDS]`.
"""

import math
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import psutil
import torch
from transformers import AutoModelForCausalLM

from benchmarks.page import PageVisitor
from benchmarks.peers import LlamaCpp, generate
from benchmarks.runs import SAMPLES, machine, report
from demo.engine.claims import Source
from demo.engine.forward import Forward, Part
from demo.engine.model.load import BaseModel, load_base, load_general
from demo.engine.service import Engine
from demo.host import Host, detect
from demo.records import AnswerRequest, Sampling, conversation
from demo.settings import ROOT, LabSettings
from tests.running import start_app, stop_app

ROUNDS = 5
TOKENS = 128
SHORT, LONG = 64, 500
TEXTS = ("english", "hungarian")
RESTAURANTS, STEPS = ROOT / "adapters" / "restaurants", ROOT / "adapters" / "worked-steps"
SOURCES: tuple[Source, ...] = (
    None,
    RESTAURANTS,
    STEPS,
    ((RESTAURANTS, 0.5), (STEPS, 0.5)),
)
"""The base and three adapters, one of them a sum of the others."""


class Bench:
    """An engine that never sees an end of text, and prompts that were never asked before."""

    def __init__(self, settings: LabSettings) -> None:
        self.engine = Engine(settings, _endless)
        self.engine.start()
        self.engine.wait_ready(600)
        self.ids = self.engine.tokenizer.encode(_text("english"))
        self._asked = 0

    def prompt(self, tokens: int) -> AnswerRequest:
        """A new text of about so many tokens to go on with; no two share a beginning."""
        self._asked += 1
        start = 37 * self._asked % len(self.ids)
        text = self.engine.tokenizer.decode((self.ids[start:] + self.ids * 2)[: tokens - 4])
        sampling = Sampling(max_new_tokens=TOKENS)
        words = f"{self._asked}: {text}"
        return AnswerRequest(
            conversation(words), visitor=str(self._asked), sampling=sampling, completion=True
        )

    def tokens_of(self, requests: Sequence[AnswerRequest]) -> list[tuple[int, ...]]:
        """What the other engines are given."""
        return [self.engine.render(request).ids for request in requests]

    def one(self, source: Source = None, *, merged: bool = False) -> float:
        """Tokens per second of one stream after its first."""
        request = replace(self.prompt(SHORT), merged=merged)
        seen = [answer for (answer,) in self.engine.stream([request], [source]) if answer.tokens]
        return (seen[-1].tokens - seen[0].tokens) / (seen[-1].seconds - seen[0].seconds)

    def many(self, requests: Sequence[AnswerRequest], sources: Sequence[Source]) -> float:
        """Tokens per second in sum, prompts included."""
        begun = time.perf_counter()
        answers = _at_once(
            lambda n: list(self.engine.stream([requests[n]], [sources[n]]))[-1][0], len(requests)
        )
        return float(sum(answer.tokens for answer in answers) / (time.perf_counter() - begun))

    def read(self, request: AnswerRequest) -> float:
        """Tokens of a prompt per second, until the first token of the answer is there."""
        asked = replace(request, sampling=Sampling(max_new_tokens=1))
        (last,) = list(self.engine.stream([asked], [None]))[-1]
        return last.prompt_tokens / last.seconds

    def first_tokens(self, count: int) -> list[float]:
        """Seconds to the first token of several that arrive at once."""
        requests = [self.prompt(SHORT) for _ in range(count)]

        def wait(n: int) -> float:
            stream = self.engine.stream([requests[n]], [None])
            seconds = next(answer.seconds for (answer,) in stream if answer.tokens)
            stream.close()
            return seconds

        return _at_once(wait, count)


def main(rounds: int = ROUNDS) -> None:
    """Measure, print, and print the ratios as JSON."""
    settings = LabSettings.read()
    threads = detect(settings.threads).threads
    bench = Bench(settings)
    plain = AutoModelForCausalLM.from_pretrained(bench.engine.spec.source, dtype=torch.float32)
    figures = _quality(settings, plain.eval())
    peers = {slots: LlamaCpp(slots, threads, 640) for slots in (1, 8, 32)}
    found: dict[str, list[float]] = {}
    bench.one(), peers[1].answer([1, 2, 3], 8)  # warm
    for _ in range(rounds):
        for name, value in _round(bench, peers, plain).items():
            found.setdefault(name, []).append(value)
        for seconds in bench.first_tokens(8):
            found.setdefault("first_token_seconds", []).append(seconds)
    del peers, plain
    bench.engine.close()
    found |= _page(settings, rounds)
    report({**figures, **_spreads(found), **_ratios(found), "machine": machine()})


def _round(bench: Bench, peers: dict[int, LlamaCpp], plain: Any) -> dict[str, float]:
    """Every measure once, ours and theirs in turn."""
    found: dict[str, float] = {}
    (prompt,) = bench.tokens_of([bench.prompt(SHORT)])
    found["decode_1"] = bench.one()
    found["llama_cpp_decode_1"] = peers[1].answer(prompt, TOKENS)["predicted_per_second"]
    found["transformers_decode_1"] = 1 / generate(plain, prompt, TOKENS // 4)
    found["adapted_1"] = bench.one(RESTAURANTS)
    found["merged_1"] = bench.one(RESTAURANTS, merged=True)
    found["decode_1_again"] = bench.one()
    for streams in (8, 32):
        requests = [bench.prompt(SHORT) for _ in range(streams)]
        sources = [SOURCES[n % len(SOURCES)] for n in range(streams)]
        theirs = peers[streams].answer_all(bench.tokens_of(requests), TOKENS)
        found[f"decode_{streams}"] = bench.many(requests, sources)
        found[f"llama_cpp_decode_{streams}"] = streams * TOKENS / theirs
    long = bench.prompt(LONG)
    found["prompt"] = bench.read(long)
    timings = peers[1].answer(bench.tokens_of([long])[0], 1)
    found["llama_cpp_prompt"] = timings["prompt_per_second"]
    return found


def _page(settings: LabSettings, rounds: int) -> dict[str, list[float]]:
    """Eight visitors asking in the Playground, and the same eight questions to the engine alone."""
    engine = Engine(settings)
    engine.start()
    engine.wait_ready(600)
    app = start_app(settings.home)
    try:
        app.wait_until_ready()
        found = _page_rounds(engine, app.url, rounds)
        memory = psutil.Process(app.process.pid).memory_info()
        return {**found, "app_megabytes": [memory.rss / 1e6]}
    finally:
        stop_app(app)
        engine.close()


def _page_rounds(engine: Engine, url: str, rounds: int) -> dict[str, list[float]]:
    visitors = [PageVisitor(url) for _ in range(8)]
    found: dict[str, list[float]] = {"page_8": [], "engine_8": []}
    for number in range(-1, rounds):
        questions = [f"Write a long story about {number} rivers and {n} mills." for n in range(8)]

        def through_page(n: int, questions: Sequence[str] = questions) -> int:
            return visitors[n].ask(questions[n])

        def alone(n: int, questions: Sequence[str] = questions) -> int:
            request = AnswerRequest(conversation(questions[n]), visitor=str(n))
            return list(engine.stream([request], [None]))[-1][0].tokens

        begun = time.perf_counter()
        _at_once(through_page, 8)
        between = time.perf_counter()
        # Greedy answers to the same questions: both ways give the same tokens.
        tokens = sum(_at_once(alone, 8))
        ended = time.perf_counter()
        if number >= 0:  # the first is for warming up
            found["page_8"].append(tokens / (between - begun))
            found["engine_8"].append(tokens / (ended - between))
    return found


def _quality(settings: LabSettings, plain: Any) -> dict[str, Any]:
    """Perplexity and mean KL of int8 against fp32: the pass that answers here, and the general one."""
    host = detect(settings.threads)
    base = load_base(settings, host)
    passes: dict[str, Forward] = {"": base.forward}
    if base.precision.name == "int8" and base.forward.name != "general":
        passes["_general"] = load_general(base.spec, "int8", host)
    figures: dict[str, Any] = {"precision": base.precision.name, "forward": base.forward.name}
    for suffix, forward in passes.items():
        worst = 0.0
        for name in (*TEXTS, "e2e"):
            ids = base.tokenizer.encode(_text(name), start=True)[:1024]
            ratio, divergence = _compare(forward, plain, ids)
            figures[f"perplexity_{name}{suffix}"] = round(ratio, 6)
            figures[f"kl_{name}{suffix}"] = float(f"{divergence:.2e}")
            worst = max(worst, ratio)
        figures[f"perplexity_ratio{suffix}"] = round(worst, 6)
    figures["weights_megabytes"] = round(base.forward.resident_bytes / 1e6, 1)
    figures["read_gigabytes_per_second"] = _bandwidth()
    return figures


@torch.inference_mode()
def _compare(forward: Forward, plain: Any, ids: Sequence[int]) -> tuple[float, float]:
    """Ratio of perplexities, and mean KL divergence from fp32 in nats."""
    (ours,) = forward.run([Part(ids, forward.new_cache(), wanted="all")])
    wanted = plain(torch.tensor([list(ids)])).logits[0].log_softmax(-1)
    found = ours.log_softmax(-1)
    target = torch.tensor(list(ids[1:])).unsqueeze(1)
    loss, reference = (-x[:-1].gather(1, target).mean() for x in (found, wanted))
    divergence = (wanted.exp() * (wanted - found)).sum(-1).mean()
    return math.exp(float(loss - reference)), float(divergence)


def _bandwidth() -> float:
    """Bytes that all cores together read from memory per second, in gigabytes; the best of five."""
    block = torch.ones(64_000_000)
    best = math.inf
    for _ in range(5):
        begun = time.perf_counter()
        block.sum()
        best = min(best, time.perf_counter() - begun)
    return round(block.numel() * 4 / best / 1e9, 1)


def _ratios(found: dict[str, list[float]]) -> dict[str, float]:
    """Medians of the ratios within each round."""

    def ratio(ours: str, theirs: str) -> float:
        pairs = zip(found[ours], found[theirs], strict=True)
        return round(statistics.median(a / b for a, b in pairs), 3)

    return {
        "decode_1_vs_llama_cpp": ratio("decode_1", "llama_cpp_decode_1"),
        "decode_1_vs_transformers": ratio("decode_1", "transformers_decode_1"),
        "decode_8_vs_llama_cpp": ratio("decode_8", "llama_cpp_decode_8"),
        "decode_32_vs_llama_cpp": ratio("decode_32", "llama_cpp_decode_32"),
        "prompt_vs_llama_cpp": ratio("prompt", "llama_cpp_prompt"),
        "adapted_vs_base": ratio("adapted_1", "decode_1_again"),
        "merged_vs_base": ratio("merged_1", "decode_1_again"),
        "first_token_p95_seconds": round(float(np.percentile(found["first_token_seconds"], 95)), 3),
        "page_vs_engine": ratio("page_8", "engine_8"),
    }


def _spreads(found: dict[str, list[float]]) -> dict[str, str]:
    """Median, smallest and largest of every measure, as people read them."""
    return {
        name: f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"
        for name, values in found.items()
    }


def _at_once(ask: Callable[[int], Any], count: int) -> list[Any]:
    """What `ask` returns for 0 to count - 1, each in a thread of its own."""
    results: list[Any] = [None] * count

    def run(n: int) -> None:
        results[n] = ask(n)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert None not in results
    return results


def _endless(settings: LabSettings, host: Host) -> BaseModel:
    return replace(load_base(settings, host), end_ids=frozenset())


def _text(name: str) -> str:
    if name == "e2e":
        return (SAMPLES / "restaurants" / "rows.csv").read_text("utf-8")
    return (ROOT / "benchmarks" / "texts" / f"{name}.txt").read_text("utf-8")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
