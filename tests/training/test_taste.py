"""Tastes: how long they learn, when they come, and who may have one."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from demo.errors import BadInput, Busy
from demo.lab import Lab
from demo.lab.tastes import CROWDED
from demo.methods import good_settings
from demo.run_records import RunPlan, TrainSettings
from demo.settings import LabSettings
from demo.training import taste
from demo.training.places import require_place, require_room_in_line
from demo.training.plan import START_SECONDS
from demo.training.run_folder import RunFolder, RunOrder, StoredState, new_order
from demo.training.turns import Turn, in_turn

SETTINGS = TrainSettings(rank=4, learning_rate=5e-3, batch_size=2)


def order(**values: Any) -> RunOrder:
    dataset = dict.fromkeys(("id", "name", "sha256", "source", "licence"), "")
    given = {"name": "a", "dataset": dataset, "settings": SETTINGS, "model": {}, "fingerprint": {}}
    return new_order(**given, **values)


def planner(fixed: float, each: float, all_steps: int) -> Callable[[TrainSettings], RunPlan]:
    """A machine on which a run takes so long, and each of its steps so much longer."""

    def plan(settings: TrainSettings) -> RunPlan:
        steps = min(settings.max_steps or all_steps, all_steps)
        return RunPlan(10, 1, 0, steps, 0, 0, START_SECONDS + fixed + steps * each, 0, 1, 0)

    return plan


@pytest.mark.parametrize(
    ("fixed", "each", "all_steps", "steps"),
    [
        *((4.0, 2.0, 100, 8), (0.0, 1.0, 5, 5), (30.0, 2.0, 100, 1), (0.0, 60.0, 9, 1)),
        *((1.0, 1.0, 1, 1), (0.0, 2**-7, 20_000, 2_560), (0.0, 2**-9, 20_000, 5_000)),
    ],
)
def test_taste_takes_the_steps_that_twenty_seconds_have_room_for(
    fixed: float, each: float, all_steps: int, steps: int
) -> None:
    assert taste.fitted(SETTINGS, 100, planner(fixed, each, all_steps)).max_steps == steps


def test_taste_is_planned_a_few_times_even_where_the_first_steps_cost_more() -> None:
    planned = []

    def plan(settings: TrainSettings) -> RunPlan:
        steps = min(settings.max_steps or 4_000, 4_000)
        planned.append(steps)
        seconds = START_SECONDS + min(steps, 10) + steps / 100
        return RunPlan(10, 1, 0, steps, 0, 0, seconds, 0, 1, 0)

    steps = taste.fitted(SETTINGS, 100, plan).max_steps
    assert len(planned) <= 3 + taste.GUESSES
    assert 900 <= steps <= 1000


def test_taste_is_lora_in_the_visitors_settings_and_holds_out_few_rows() -> None:
    plan = planner(0.0, 1.0, 100)
    own = taste.fitted(replace(SETTINGS, patience=3, template="instruction"), 1000, plan)
    assert (own.method, own.rank, own.learning_rate, own.batch_size) == ("lora", 4, 5e-3, 2)
    assert (own.template, own.patience, own.eval_share) == ("instruction", 0, 0.004)
    other = taste.fitted(good_settings("prompt", seed=7, eval_share=0.0), 1000, plan)
    good = good_settings("lora")
    assert (other.method, other.learning_rate, other.seed) == ("lora", good.learning_rate, 7)
    assert other.batch_size == taste.BATCH


def names(turns: list[Turn]) -> str:
    return " ".join(turn.run for turn in turns)


def test_tastes_and_full_runs_take_turns_so_that_neither_starves() -> None:
    waiting = [Turn(f"f{n}", n) for n in range(1, 5)]
    waiting += [Turn(f"t{n}", 10 + n, taste=True) for n in range(1, 3)]
    waiting += [Turn(f"t{n}", 10 + n, taste=True) for n in range(3, 6)]
    assert names(in_turn(waiting, {})) == "t1 t2 t3 f1 t4 t5 f2 f3 f4"
    assert names(in_turn(waiting, {}, tastes=1)) == "t1 t2 f1 t3 t4 t5 f2 f3 f4"
    assert names(in_turn(waiting, {}, tastes=7)) == "f1 t1 t2 t3 f2 t4 t5 f3 f4"
    assert names(in_turn(waiting[4:], {}, tastes=3)) == "t1 t2 t3 t4 t5"


def test_taste_takes_no_place_of_a_visitors_runs_and_is_one_at_a_time(tmp_path: Path) -> None:
    settings = LabSettings(runs_per_workspace=1)
    full, first, second = order(), order(taste=True), order(taste=True)
    require_place(tmp_path, [full], [first], settings)
    require_place(tmp_path, [first], [full], settings)
    with pytest.raises(Busy, match="taste"):
        require_place(tmp_path, [full, first], [second], settings)
    with pytest.raises(Busy, match="1 runs"):
        require_place(tmp_path, [full, first], [order()], settings)


def test_full_line_has_room_for_tastes_and_these_for_as_many() -> None:
    settings = LabSettings(runs_waiting=3)
    full, tastes = [order() for _ in range(3)], [order(taste=True) for _ in range(3)]
    require_room_in_line([*full, *tastes[:2]], tastes[2:], settings)
    require_room_in_line([*full[:2], *tastes], full[2:], settings)
    with pytest.raises(Busy, match="3 runs of all visitors"):
        require_room_in_line([*full[:1], *tastes], [order(taste=True)], settings)
    with pytest.raises(Busy, match="3 runs of all visitors"):
        require_room_in_line(full, [order()], settings)


@pytest.fixture(scope="module")
def lab(own_home: Path) -> Iterator[Lab]:
    """A lab whose queue is not worked off."""
    lab = Lab(LabSettings(home=own_home))
    lab.engine.start()
    try:
        lab.engine.wait_ready(600)
        yield lab
    finally:
        lab.engine.close()


def others_wait(lab: Lab, count: int) -> None:
    """So many full runs of other visitors wait."""
    for _ in range(count):
        folder = lab.workspaces.open(lab.new_workspace())
        RunFolder.create(folder / "runs", order(), [], [])


def test_taste_is_refused_until_six_wait_and_then_goes_first(lab: Lab) -> None:
    workspace, data = lab.new_workspace(), "sample:restaurants"
    others_wait(lab, CROWDED - 2)
    full = lab.start_run(workspace, data, "Mine", good_settings("lora"))
    assert not lab.is_crowded()
    with pytest.raises(BadInput, match=f"once {CROWDED} runs wait, and now {CROWDED - 1} do"):
        lab.start_taste(workspace, data, "", good_settings("lora"))
    others_wait(lab, 1)
    assert lab.is_crowded()
    run = lab.start_taste(workspace, data, "", good_settings("lora", rank=4))
    state = lab.run(workspace, run)
    assert state.taste
    assert (state.name, state.waiting) == ("Restaurant sentences · taste", 0)
    assert lab.run(workspace, full).waiting > 0
    folder = RunFolder(lab.workspaces.open(workspace) / "runs" / run)
    kept = folder.order()
    assert kept.settings.rank == 4
    assert 0 < kept.cpu_budget <= taste.SECONDS * 256
    assert kept.seconds <= START_SECONDS + taste.SECONDS + 1
    assert len(folder.eval_rows()) <= taste.HELD_OUT + 1
    with pytest.raises(Busy, match="Your taste"):
        lab.start_taste(workspace, data, "Another", good_settings("lora"))
    other = lab.new_workspace()
    run = lab.start_taste(other, data, "x" * 60, good_settings("lora"), "kóstoló")
    assert lab.run(other, run).name == "x" * 50 + " · kóstoló"


def test_after_three_tastes_a_full_run_is_next(lab: Lab) -> None:
    others_wait(lab, CROWDED)
    folder = lab.workspaces.open(lab.new_workspace())
    *had, last = [RunFolder.create(folder / "runs", order(taste=True), [], []) for _ in range(4)]
    for run in had:
        run.write_state(StoredState(status="finished", begun=time.time() + 60))
    line = lab.runs.register.state(folder, last.path.name)
    assert line.waiting >= 1
    stored = asdict(last.order())
    assert RunOrder.from_json(stored).taste
