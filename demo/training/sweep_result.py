"""What a sweep has come to, read from the states of its runs; and what that says in words.

Pure: reads no folder and queues nothing.
"""

import math
from collections.abc import Sequence
from typing import Any

from demo.methods import METHODS
from demo.run_records import RunState
from demo.sweep_records import FULL, SweepPoint, SweepState, SweepVerdict
from demo.training.sweep import value_of

NEAR = 0.05
"""A value does almost as well if it misses so little of what the best one gains over the base."""


def sweeps_in(runs: Sequence[RunState]) -> list[SweepState]:
    """Every sweep among a workspace's runs, newest first."""
    ids = dict.fromkeys(run.sweep for run in runs if run.sweep)
    found = [sweep_of(runs, sweep) for sweep in ids]
    return sorted(found, key=lambda sweep: sweep.created, reverse=True)


def sweep_of(runs: Sequence[RunState], sweep: str) -> SweepState:
    """One sweep of a workspace.

    Args:
        runs: all runs of the workspace.
        sweep: its id; at least one of the runs belongs to it.
    """
    own = sorted((run for run in runs if run.sweep == sweep), key=lambda run: run.created)
    first, setting = own[0], own[0].varied
    points = [_point(setting, run) for run in own]
    if setting != "method":
        points.sort(
            key=lambda point: point.value if isinstance(point.value, float | int) else math.inf
        )
    scores = [score for run in own if (score := _score(run)) and not _quantized(run)]
    scores += [score for run in own if (score := _score(run)) and _quantized(run)]
    return SweepState(
        id=sweep,
        name=first.name.rpartition(" · ")[0] or first.name,
        dataset=first.dataset,
        setting=setting,
        created=first.created,
        points=tuple(points),
        base_loss=scores[0]["base"] if scores else None,
        held_out=scores[0]["n"] if scores else 0,
        full=_full_beside(runs, own) if setting == "rank" else None,
    )


def verdict(sweep: SweepState) -> SweepVerdict | None:
    """What the losses say; None where fewer than two runs have one after all of their steps."""
    if len(sweep.whole) < 2:
        return None
    best = min(sweep.whole, key=_loss)
    if sweep.base_loss is not None and _loss(best) >= sweep.base_loss:
        return SweepVerdict("none", best)
    if (cheaper := _cheaper(sweep, best)) is not None:
        share = _cost(sweep, cheaper) / _cost(sweep, best)
        return SweepVerdict("near", best, cheaper, _loss(cheaper) - _loss(best), share)
    numbers = sweep.setting == "learning_rate" and not any(p.live for p in sweep.points)
    edge = numbers and best in (sweep.points[0], sweep.points[-1])
    return SweepVerdict("edge" if edge else "best", best)


def _cheaper(sweep: SweepState, best: SweepPoint) -> SweepPoint | None:
    """The cheapest value that does almost as well as the best one."""
    if sweep.setting == "learning_rate" or sweep.base_loss is None:
        return None
    margin = NEAR * (sweep.base_loss - _loss(best))
    near = [
        point
        for point in sweep.whole
        if _loss(point) <= _loss(best) + margin and _cost(sweep, point) < _cost(sweep, best)
    ]
    return min(near, key=lambda point: _cost(sweep, point)) if near else None


def _loss(point: SweepPoint) -> float:
    return math.inf if point.loss is None else point.loss


def _cost(sweep: SweepState, point: SweepPoint) -> float:
    return float(point.value) if sweep.setting == "rows" else float(point.trainable)


def _point(setting: str, run: RunState) -> SweepPoint:
    score = _score(run)
    return SweepPoint(
        run=run.id,
        value=value_of(setting, run.settings),
        status=run.status,
        step=run.step,
        steps=run.steps or run.settings.max_steps,
        loss=score["adapted"] if score else None,
        trainable=run.taken.trainable,
        seconds=run.taken.seconds,
        eta_seconds=run.eta_seconds,
    )


def _score(run: RunState) -> dict[str, Any] | None:
    """Eval loss of base and adapted, once the run has ended."""
    ended = run.status not in ("queued", "running")
    score: dict[str, Any] | None = run.scores.get("eval_loss") if ended else None
    return score


def _quantized(run: RunState) -> bool:
    """Whether its base was coarser than the others', and so its base loss another."""
    return METHODS[run.settings.method].base_precision != "fp32"


def _full_beside(runs: Sequence[RunState], own: Sequence[RunState]) -> SweepPoint | None:
    """The newest run of full tuning, outside the sweep, that learned the same rows to its end.

    Neither one that a stop, an error or a budget cut short, nor one that is worse than the base, as a
    run broken on purpose is, shows where the ranks are heading.
    """
    if any(run.settings.method == FULL for run in own):
        return None
    wanted = _rows(own[0])
    alike = [run for run in runs if _is_full(run) and _rows(run) == wanted]
    newest = max(alike, key=lambda run: run.created, default=None)
    return _point("rank", newest) if newest else None


def _is_full(run: RunState) -> bool:
    score, ended = _score(run), run.status == "finished" and not run.spent
    better = score is not None and score["adapted"] < score["base"]
    return run.settings.method == FULL and ended and better


def _rows(run: RunState) -> tuple[Any, ...]:
    settings = run.settings
    which = settings.rows, settings.eval_share, settings.seed, settings.max_length
    return run.dataset_id, settings.template, settings.train_end, *which
