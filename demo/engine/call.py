"""A batch of requests as one plain function call, for hosts that lend a device per call.

Arguments and result are picklable: the call may run in a forked process, where nothing that it
changes in memory is seen by the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from demo.engine.model.adapters import AdapterCache
from demo.engine.model.load import load_base
from demo.engine.turns.batch import Batch, BatchRow
from demo.host import detect
from demo.methods.adaptation import PLAIN, Blend
from demo.methods.facts import base_facts
from demo.records import Sampling
from demo.settings import LabSettings


@dataclass(frozen=True)
class CallRow:
    """One prompt of the batch, in tokens."""

    prompt: tuple[int, ...]
    sampling: Sampling
    adapter: str = ""
    """The adapter's folder; empty for the base."""


def answer_batch(settings: LabSettings, rows: Sequence[CallRow]) -> list[tuple[int, ...]]:
    """Answer all rows to their ends; returns the generated ids of each.

    The model is loaded once per process. A row that fails raises what it failed by.
    """
    batch, adapters = _resident(settings)
    waiting = [BatchRow(row.prompt, row.sampling, _blend(adapters, row.adapter)) for row in rows]
    for blend in (row.blend for row in waiting):
        batch.forward.prepare(blend)
    try:
        _to_the_end(batch, waiting)
    finally:
        for row in waiting:
            batch.finish(row)
            batch.forward.release(row.blend)
    return [tuple(row.generated) for row in waiting]


def _to_the_end(batch: Batch, rows: Sequence[BatchRow]) -> None:
    while any(row.unread for row in rows):
        batch.read([row for row in rows if row.unread])
    while going := [row for row in rows if not row.reason]:
        batch.step(going)
    for problem in (row.problem for row in rows):
        if problem is not None:
            raise problem


def _blend(adapters: AdapterCache, folder: str) -> Blend:
    return Blend(((adapters.get(Path(folder)), 1.0),)) if folder else PLAIN


@lru_cache(maxsize=1)
def _resident(settings: LabSettings) -> tuple[Batch, AdapterCache]:
    base = load_base(settings, detect(settings.threads))
    facts = base_facts(base.spec.source, base.spec.revision)
    return Batch(base.forward, base.end_ids), AdapterCache(facts, base.fingerprint)
