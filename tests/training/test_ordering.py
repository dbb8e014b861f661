"""What is written down of a run that its budget will end before its last step."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from demo.engine.model.catalogue import ModelSpec
from demo.engine.model.load import fingerprint
from demo.host import Host
from demo.run_records import DatasetInfo, TrainSettings
from demo.settings import LabSettings
from demo.text.tokenizer import LabTokenizer
from demo.training import ordering
from demo.training.ordering import Ordering, Wanted
from demo.training.plan import START_SECONDS

INFO = DatasetInfo("d", "rows.csv", "0" * 64, "messages", (), "", "", 12, ())
LONG = TrainSettings(rank=2, epochs=20)
CPU = Host("cpu", "cpu", "2 CPU cores", 2, bf16=False)
ZERO_GPU = Host("zerogpu", "cpu", "2 CPU cores", 2, bf16=False)


@pytest.fixture
def ordered(tiny: ModelSpec, tokenizer: LabTokenizer, tmp_path: Path) -> Any:
    """Makes orderings on a slow machine."""
    base = SimpleNamespace(fingerprint=fingerprint(tiny, tokenizer))
    engine: Any = SimpleNamespace(spec=tiny, tokenizer=tokenizer, require_ready=lambda: base)

    def make(cpu_seconds: int) -> Ordering:
        made = Ordering(LabSettings(home=tmp_path, run_cpu_seconds=cpu_seconds), engine)
        made.speeds.learn(tiny.lineage, 1.0)
        return made

    return make


@pytest.mark.parametrize(("host", "seconds"), [(CPU, 30.0), (ZERO_GPU, 60.0)])
def test_run_is_planned_and_waited_for_only_as_long_as_its_budget_lasts(
    ordered: Any,
    make_rows: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: Host,
    seconds: float,
) -> None:
    monkeypatch.setattr(ordering, "detect", lambda _threads: host)
    made, rows = ordered(60), make_rows(12)
    plan = made.plan(rows, INFO, LONG)
    assert plan.seconds > START_SECONDS + seconds
    assert plan.cut_after == seconds
    order = made.order(tmp_path, Wanted("a", INFO, rows, LONG)).order
    assert (order.cpu_budget, order.lasts, order.seconds) == (60, seconds, START_SECONDS + seconds)


@pytest.mark.parametrize("cpu_seconds", [0, 1_000_000])
def test_run_within_its_budget_is_not_warned_of(
    ordered: Any, make_rows: Any, tmp_path: Path, cpu_seconds: int
) -> None:
    made, rows = ordered(cpu_seconds), make_rows(12)
    plan = made.plan(rows, INFO, LONG)
    assert plan.cut_after == 0
    assert made.order(tmp_path, Wanted("a", INFO, rows, LONG)).order.seconds == plan.seconds
