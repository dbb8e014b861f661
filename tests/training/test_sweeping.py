"""Sweeps through the service layer: real folders, a real queue, real workers, and the tiny model."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo.data.encode import Encoded
from demo.engine.model.catalogue import ModelSpec
from demo.errors import BadInput, Busy, NotFound
from demo.lab import Lab
from demo.run_records import TrainSettings
from demo.settings import LabSettings
from demo.sweep_records import SweepRequest
from demo.training import readings

ROWS = "prompt,completion\n" + "".join(f"question {n},answer {n}\n" for n in range(40))
SHORT = TrainSettings(batch_size=4, eval_share=0.25, max_steps=2)


@pytest.fixture(scope="module")
def lab(tiny: ModelSpec, own_home: Path) -> Iterator[Lab]:
    """A lab over the tiny model whose queue stands still until a test starts it."""
    settings = LabSettings(home=own_home, model=tiny.source, threads=1, runs_per_workspace=1)
    lab = Lab(settings)
    lab.engine.start()
    lab.engine.wait_ready(240)
    yield lab
    lab.close()


@pytest.fixture
def visitors(lab: Lab) -> Iterator[tuple[str, str]]:
    """Two workspaces, which end with the test."""
    both = lab.new_workspace(), lab.new_workspace()
    yield both
    for workspace in both:
        lab.delete_workspace(workspace)


def request(lab: Lab, workspace: str, *values: Any, **fields: Any) -> SweepRequest:
    dataset = lab.add_dataset(workspace, "rows.csv", ROWS.encode()).id
    asked = {"settings": SHORT, "setting": "rank", "values": values} | fields
    return SweepRequest(dataset=dataset, name="Mine", **asked)


def wait_for(what: Callable[[], Any], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_sweep_takes_one_place_and_no_other_stands_beside_it(
    lab: Lab, visitors: tuple[str, str]
) -> None:
    mine, _ = visitors
    asked = request(lab, mine, 2, 4, 8)
    sweep = lab.start_sweep(mine, asked)
    assert lab.start_sweep(mine, asked) == sweep
    assert len(lab.runs_of(mine)) == 3
    with pytest.raises(Busy, match="a sweep under way"):
        lab.start_sweep(mine, request(lab, mine, 1, 2))
    with pytest.raises(Busy, match="1 runs waiting"):
        lab.start_run(mine, asked.dataset, "one more", SHORT)
    lab.stop_sweep(mine, sweep)
    state = lab.sweep(mine, sweep)
    assert [point.status for point in state.points] == ["stopped"] * 3
    assert lab.start_sweep(mine, request(lab, mine, 1, 2)) != sweep


def test_runs_of_others_take_turns_with_those_of_a_sweep(
    lab: Lab, visitors: tuple[str, str]
) -> None:
    mine, other = visitors
    lab.start_sweep(mine, request(lab, mine, 2, 4, 8))
    dataset = lab.add_dataset(other, "rows.csv", ROWS.encode()).id
    run = lab.start_run(other, dataset, "theirs", SHORT)
    assert lab.run(other, run).waiting == 1
    assert sorted(run.waiting for run in lab.runs_of(mine)) == [0, 2, 3]


def test_a_value_that_cannot_be_planned_leaves_nothing_behind(
    lab: Lab, visitors: tuple[str, str]
) -> None:
    mine, _ = visitors
    asked = request(lab, mine, 4, 31, setting="rows")
    with pytest.raises(BadInput, match="The value 31 cannot be part of this sweep: Only 30 rows"):
        lab.start_sweep(mine, asked)
    assert lab.runs_of(mine) == []


def test_rows_of_a_sweep_are_read_once_however_large(
    lab: Lab, visitors: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, _ = visitors
    asked = request(lab, mine, 1, 2, 4, 8, settings=replace(SHORT, seed=77))
    encode, read = readings.encode_for, []

    def counted(*given: Any) -> Encoded:
        read.append(encode(*given))
        return read[-1]

    monkeypatch.setattr(readings, "MOST_TOKENS", 1)
    monkeypatch.setattr(readings, "encode_for", counted)
    lab.start_sweep(mine, asked)
    assert len(read) == 2, "those to learn and those held out"


def test_all_visitors_together_cannot_queue_more_runs_of_sweeps_than_allowed(
    lab: Lab, visitors: tuple[str, str]
) -> None:
    lab.runs.settings = replace(lab.settings, runs_waiting=4)
    first, second = visitors
    lab.start_sweep(first, request(lab, first, 1, 2, 4))
    with pytest.raises(Busy, match="3 runs of all visitors"):
        lab.start_sweep(second, request(lab, second, 1, 2))
    lab.runs.settings = lab.settings
    assert lab.runs_of(second) == []


def test_a_strangers_sweep_is_not_found(lab: Lab, visitors: tuple[str, str]) -> None:
    mine, stranger = visitors
    sweep = lab.start_sweep(mine, request(lab, mine, 2, 4))
    for action in (lab.sweep, lab.stop_sweep, lab.delete_sweep):
        for name in (sweep, "", "0" * 16):
            with pytest.raises(NotFound):
                action(stranger, name)


def test_two_ranks_train_as_many_steps_and_are_told_by_their_loss(
    lab: Lab, visitors: tuple[str, str]
) -> None:
    mine, _ = visitors
    sweep = lab.start_sweep(mine, request(lab, mine, 2, 4))
    assert [run.name for run in reversed(lab.runs_of(mine))] == ["Mine · rank 2", "Mine · rank 4"]
    lab.runs.start()
    wait_for(lambda: not lab.sweep(mine, sweep).live)
    state = lab.sweep(mine, sweep)
    assert [(p.value, p.status, p.step) for p in state.points] == [
        (2, "finished", 2),
        (4, "finished", 2),
    ]
    assert all(point.loss is not None for point in state.points)
    assert 2 * state.points[0].trainable == state.points[1].trainable
    assert state.base_loss is not None
    assert state.held_out == 10
    assert [found.id for found in lab.sweeps_of(mine)] == [sweep]
    lab.delete_sweep(mine, sweep)
    assert lab.runs_of(mine) == []
