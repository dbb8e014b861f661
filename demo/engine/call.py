"""A batch of requests as one plain function call, for hosts that lend a device per call.

Arguments and result are picklable: the call may run in a forked process, where nothing that it
changes in memory is seen by the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from demo.engine.adapters import AdapterCache
from demo.engine.batch import Batch, BatchRow
from demo.engine.load import load_base
from demo.host import detect
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

    The model is loaded once per process.
    """
    batch, cache = _resident(settings)
    waiting = [
        BatchRow(row.prompt, row.sampling, cache.get(Path(row.adapter)) if row.adapter else None)
        for row in rows
    ]
    batch.join(waiting)
    while batch.rows:
        batch.leave([row for row in batch.rows if row.reason])
        batch.step()
    return [tuple(row.generated) for row in waiting]


@lru_cache(maxsize=1)
def _resident(settings: LabSettings) -> tuple[Batch, AdapterCache]:
    host = detect(settings.threads)
    base = load_base(settings, host)
    batch = Batch(base)
    return batch, AdapterCache(batch.low_rank.layers, base.fingerprint, batch.device)
