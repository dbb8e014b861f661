"""Whether an answer depends on who else is answered: 200 greedy texts alone, and in a crowd that shares prefixes.

`python -m benchmarks.same_text [PRECISION …]`, all four by default. Alone, a row has a batch and its
caches to itself; in the crowd 32 rows with the base, two adapters and a sum of both come and go, and
beginnings that were read before are reused. A text that differs after a tie (two likeliest tokens
within 1e-4) is counted apart.
"""

import csv
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.engine import SOURCES
from benchmarks.runs import SAMPLES, machine, report
from demo.engine.model.adapters import AdapterCache
from demo.engine.model.load import BaseModel, load_base
from demo.engine.turns.batch import Batch, BatchRow
from demo.host import detect
from demo.methods.adaptation import Blend
from demo.methods.facts import base_facts
from demo.records import Message, Sampling
from demo.settings import LabSettings

PROMPTS, TOKENS, CROWD = 200, 24, 32
TIE = 1e-4


def main(precisions: Sequence[str]) -> None:
    """Count equal texts at every precision."""
    figures: dict[str, Any] = {}
    for precision in precisions or ("int8", "fp32", "bf16", "nf4"):
        settings = replace(LabSettings.read(), precision=precision)
        base = load_base(settings, detect(settings.threads))
        begun = time.perf_counter()
        alone = _rows(base)
        for row in alone:
            _answer(Batch(base.forward, frozenset()), [row])
        seconds = time.perf_counter() - begun
        crowd = _rows(base)
        _answer(Batch(base.forward, frozenset()), crowd)
        figures |= {f"{precision}_{name}": n for name, n in _count(alone, crowd).items()}
        figures[f"{precision}_reused_tokens"] = sum(row.reused for row in crowd)
        figures[f"{precision}_alone_vs_crowd_seconds"] = [
            round(seconds, 1),
            round(time.perf_counter() - begun - seconds, 1),
        ]
    report({**figures, "prompts": PROMPTS, "tokens": TOKENS, "machine": machine()})


def _rows(base: BaseModel) -> list[BatchRow]:
    facts = base_facts(base.spec.source, base.spec.revision)
    adapters = AdapterCache(facts, base.fingerprint)
    blends = []
    for source in SOURCES:
        terms = [(source, 1.0)] if isinstance(source, Path) else source or ()
        blends.append(Blend(tuple((adapters.get(folder), share) for folder, share in terms)))
    for blend in blends:
        base.forward.prepare(blend)
    return [
        BatchRow(
            tuple(base.tokenizer.chat([Message("user", question)], answer=True)),
            Sampling(max_new_tokens=TOKENS),
            blends[number % len(blends)],
            alternatives=2,
            judging=True,
        )
        for number, question in enumerate(_questions())
    ]


def _questions() -> list[str]:
    with (SAMPLES / "restaurants" / "rows.csv").open(encoding="utf-8") as file:
        facts = [next(iter(row.values())) for row in csv.DictReader(file)]
    lines = (SAMPLES / "word-problems" / "rows.jsonl").read_text("utf-8").splitlines()
    problems = [str(next(iter(json.loads(line).values()))) for line in lines]
    pairs = zip(facts, problems, strict=False)
    return [question for pair in pairs for question in pair][:PROMPTS]


def _answer(batch: Batch, rows: Sequence[BatchRow]) -> None:
    """All rows to their ends; a new one sits down as soon as another has left."""
    waiting, seated = list(rows), list[BatchRow]()
    while waiting or seated:
        while waiting and len(seated) < CROWD:
            seated.append(waiting.pop(0))
        batch.read([row for row in seated if row.unread])
        batch.step([row for row in seated if row.generated and not row.reason])
        for row in [row for row in seated if row.reason]:
            assert row.problem is None, row.problem
            batch.finish(row)
            seated.remove(row)


def _count(alone: Sequence[BatchRow], crowd: Sequence[BatchRow]) -> dict[str, int]:
    counts = {"equal": 0, "ties": 0, "different": 0}
    for one, other in zip(alone, crowd, strict=True):
        if one.generated == other.generated:
            counts["equal"] += 1
            continue
        pairs = zip(one.generated, other.generated, strict=True)
        at = next(n for n, (a, b) in enumerate(pairs) if a != b)
        (_, first), (_, second) = one.choices[at].likeliest
        counts["ties" if first - second < TIE else "different"] += 1
    return counts


if __name__ == "__main__":
    main(sys.argv[1:])
