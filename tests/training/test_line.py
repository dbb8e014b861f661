"""The line of waiting runs: what has had its turn counts, whether its folder is still there or not."""

from pathlib import Path
from typing import Any

from demo.run_records import TrainSettings
from demo.training.line import Line
from demo.training.run_folder import RunFolder, StoredState, new_order
from demo.training.standing import Standing

BEGUN = 1_000.0


def standing(name: str, queued: float = 1.0, begun: float = 0.0, **order: Any) -> Standing:
    """A run that waits, or that began and has ended."""
    state = StoredState(status="finished" if begun else "queued", queued=queued, begun=begun)
    made = new_order(
        name=name, dataset={}, settings=TrainSettings(), model={}, fingerprint={}, **order
    )
    return Standing(RunFolder(Path(name)), made, state, begun + 60)


def names(line: list[Standing]) -> str:
    return " ".join(one.order.name for one in line)


def test_tastes_that_were_deleted_have_had_their_turn() -> None:
    line, full = Line(), standing("full")
    for number in range(3):
        taste = standing(f"t{number}", taste=True)
        assert names(line.waiting([full, taste])) == f"t{number} full"
        line.started(taste, [full, taste])
    again = standing("again", taste=True)
    assert names(line.waiting([full, again])) == "full again"
    line.started(full, [full, again])
    assert names(line.waiting([standing("next"), again])) == "again next"


def test_restarted_lab_reads_the_last_tastes_from_the_folders() -> None:
    had = [standing(f"h{n}", begun=BEGUN + n, taste=True) for n in range(3)]
    waiting = [standing("full"), standing("taste", taste=True)]
    assert names(Line().waiting([*waiting, *had])) == "full taste"
    after = standing("trained", begun=BEGUN + 9)
    assert names(Line().waiting([*waiting, *had, after])) == "taste full"


def test_sweep_whose_trained_run_was_deleted_does_not_go_first_again() -> None:
    line, trained = Line(), standing("s1", begun=BEGUN, sweep="s")
    rest = [standing("s2", sweep="s"), standing("other", queued=BEGUN + 5)]
    assert names(line.waiting([trained, *rest])) == "other s2"
    assert names(line.waiting(rest)) == "other s2"
