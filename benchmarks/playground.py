"""What the Playground's windows cost: the token lens, a live redraw, and twenty samples beside one.

Every pair is asked in one round, in turns, on the embedded model; medians of the ratios within the
rounds. `python -m benchmarks.playground [ROUNDS]`.
"""

import statistics
import sys
import time
from dataclasses import replace
from typing import Any

from benchmarks.engine import SHORT, Bench
from benchmarks.runs import machine, report
from demo.records import AnswerRequest, Sampling
from demo.settings import LabSettings
from demo.ui.glass.lens import ALTERNATIVES
from demo.ui.glass.next_token import packed, picture_of
from demo.ui.language import Texts

ROUNDS = 7
SAMPLES, PROMPT = 20, 300
REDRAWS = 50
STREAMS = (1, 8)


def main(rounds: int = ROUNDS) -> None:
    """Measure, print, and print the same as JSON."""
    bench = Bench(LabSettings.read())
    try:
        figures = lens_vs_plain(bench, rounds)
        figures |= redraw_ms(bench)
        figures |= samples_20_seconds_vs_1(bench, rounds)
    finally:
        bench.engine.close()
    report({**figures, "machine": machine()})


def lens_vs_plain(bench: Bench, rounds: int) -> dict[str, Any]:
    """Tokens per second with every token's alternatives, against without, for one stream and for many."""
    figures: dict[str, Any] = {}
    ratios: list[float] = []
    for streams in STREAMS:
        found: dict[int, list[float]] = {0: [], ALTERNATIVES: []}
        for number in range(-1, rounds):
            # Whoever comes second finds a warmer machine: they take turns in that.
            order = sorted(found, reverse=number % 2 == 0)
            speeds = {told: _speed(bench, streams, told) for told in order}
            for told, speed in speeds.items():
                found[told] += [speed] if number >= 0 else []  # the first is for warming up
        plain, lens = found[0], found[ALTERNATIVES]
        ratios.append(statistics.median(a / b for a, b in zip(lens, plain, strict=True)))
        figures[f"plain_{streams}"] = _spread(plain)
        figures[f"lens_{streams}"] = _spread(lens)
        figures[f"lens_vs_plain_{streams}"] = round(ratios[-1], 3)
    return {**figures, "lens_vs_plain": round(min(ratios), 3)}


def _speed(bench: Bench, streams: int, alternatives: int) -> float:
    """Tokens per second in sum, prompts included."""
    requests = [replace(bench.prompt(SHORT), alternatives=alternatives) for _ in range(streams)]
    return bench.many(requests, [None] * streams)


def redraw_ms(bench: Bench) -> dict[str, Any]:
    """A redraw of the next token as the page does it: what a browser kept in, finished HTML out."""
    texts, kept = Texts.load(), packed(bench.engine.next_token(bench.prompt(PROMPT), None))
    found = []
    for number in range(REDRAWS):
        moved = Sampling(temperature=0.1 + number / 50, top_k=number, top_p=0.95, min_p=0.01)
        begun = time.perf_counter()
        picture_of(texts, "en", kept, moved)
        found.append(1000 * (time.perf_counter() - begun))
    return {"redraw": _spread(found), "redraw_ms": round(statistics.median(found), 2)}


def samples_20_seconds_vs_1(bench: Bench, rounds: int) -> dict[str, Any]:
    """Twenty samples of a prompt as one batch against one sample of another as long, both unread."""
    found: dict[int, list[float]] = {1: [], SAMPLES: []}
    read: list[int] = []
    for number in range(-1, rounds):
        order = sorted(found, reverse=number % 2 == 0)
        taken = {count: _drawn(bench, count) for count in order}
        for count, (seconds, _) in taken.items():
            found[count] += [seconds] if number >= 0 else []  # the first is for warming up
        read.append(taken[SAMPLES][1])
    pairs = zip(found[SAMPLES], found[1], strict=True)
    return {
        "sample_1_seconds": _spread(found[1]),
        "samples_20_seconds": _spread(found[SAMPLES]),
        "prompt_tokens_read_again": max(read),
        "samples_20_seconds_vs_1": round(statistics.median(a / b for a, b in pairs), 3),
    }


def _drawn(bench: Bench, count: int) -> tuple[float, int]:
    """Seconds until all samples stand, and what was read beyond one reading of the prompt."""
    request = bench.prompt(PROMPT)
    requests: list[AnswerRequest] = [
        replace(request, sampling=replace(request.sampling, temperature=0.8, seed=seed))
        for seed in range(count)
    ]
    begun = time.perf_counter()
    last = list(bench.engine.stream(requests, [None] * count))[-1]
    seconds = time.perf_counter() - begun
    read = sum(answer.prompt_tokens - answer.reused for answer in last)
    return seconds, read - last[0].prompt_tokens


def _spread(values: list[float]) -> str:
    """Median, smallest and largest, as people read them."""
    return f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
