"""Turns one setting and several values into runs that share a budget of time and are compared fairly.

Runs that differ in rank, rows or learning rate take the same number of steps; runs of different methods
take the same training seconds, each with its method's own good settings. Queues nothing.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from demo.checks import bounded
from demo.data.split import split
from demo.errors import BadInput, LabError
from demo.methods import METHODS, method_of, own_settings
from demo.run_records import RunPlan, TrainSettings
from demo.sweep_records import FULL, SweepRequest
from demo.training.ordering import Wanted
from demo.training.plan import START_SECONDS
from demo.workspace import new_id

MOST_PASSES = 8
"""Beyond so many readings of the same rows a run learns them by heart."""
LONGEST_NAME = 60
ROUNDED = 0.1
"""The part by which a rounded alpha may miss the scale that all runs share."""
Plan = Callable[[TrainSettings], RunPlan]


@dataclass(frozen=True)
class Pace:
    """What the steps of one run cost."""

    settings: TrainSettings
    epoch: int
    """Steps until every row was read once."""
    most: int
    """Steps beyond which it would learn its rows by heart, or may not go."""
    fixed: float
    """Training seconds that are needed whatever the number of steps."""
    step: float
    """Seconds of a step."""

    def affordable(self, seconds: float) -> int:
        """Steps for so many seconds."""
        return min(self.most, math.floor((seconds - self.fixed) / self.step))

    def with_steps(self, steps: int) -> TrainSettings:
        """The settings of a run of so many steps."""
        return replace(self.settings, epochs=math.ceil(steps / self.epoch), max_steps=steps)


def runs_of(request: SweepRequest, wanted: Wanted, plan: Plan) -> list[Wanted]:
    """The runs of a sweep, in the order of their values.

    Args:
        request: what is varied, and for how long.
        wanted: what all runs share.
        plan: what a run over these rows would do and cost.

    Raises:
        BadInput: values that are too few, equal or out of range, a setting without effect, rows that
            are not there or of which none is held out, or too little time.
    """
    varied = [_varied(request, value) for value in request.values]
    values = [value_of(request.setting, settings) for settings in varied]
    if len(set(values)) < len(values):
        raise BadInput("sweep_values", low=request.FEWEST, high=request.MOST, got=len(set(values)))
    if request.setting != "method":
        varied.sort(key=lambda settings: _place(value_of(request.setting, settings)))
    sweep = new_id()
    return [
        replace(
            wanted,
            name=_name(request, settings),
            settings=settings,
            sweep=sweep,
            varied=request.setting,
        )
        for settings in _timed(request, [_pace(request, s, wanted, plan) for s in varied])
    ]


def value_of(setting: str, settings: TrainSettings) -> float | str:
    """The value of the setting that a sweep varied, in one of its runs."""
    if setting == "rank" and settings.method == FULL:
        return FULL
    value: float | str = getattr(settings, setting)
    return value


def _place(value: float | str) -> float:
    return math.inf if isinstance(value, str) else value


def _varied(request: SweepRequest, value: Any) -> TrainSettings:
    """The settings of one value. Raises `BadInput` that names it."""
    try:
        return _VARY[request.setting](replace(request.settings, patience=0), value)
    except LabError as error:
        raise BadInput("sweep_value", value=str(value)[:40], problem=error) from None


def _rank(settings: TrainSettings, value: Any) -> TrainSettings:
    if value == FULL:
        return _method(settings, FULL)
    method = method_of(settings.method)
    if "rank" not in method.settings:
        raise BadInput("sweep_without", method=method.title)
    rank = bounded("rank", value, *TrainSettings.RANGES["rank"])
    alpha = _scaled_alike(settings, rank) if "alpha" in method.settings else 16
    return replace(settings, rank=rank, alpha=alpha)


def _scaled_alike(settings: TrainSettings, rank: int) -> int:
    """The alpha that scales a rank's update as the settings do: by alpha / rank, or alpha / √rank of rsLoRA.

    Raises `BadInput` where no alpha does, because it is too low, too high or far from a whole number.
    """
    share = rank / settings.rank
    exact = settings.alpha * (math.sqrt(share) if settings.method == "rslora" else share)
    bounded("alpha", exact, *TrainSettings.RANGES["alpha"][:2])
    if abs(round(exact) - exact) > ROUNDED * exact:
        raise BadInput("not_whole", field="alpha", got=round(exact, 2))
    return round(exact)


def _rows(settings: TrainSettings, value: Any) -> TrainSettings:
    high = TrainSettings.RANGES["rows"][1]
    return replace(settings, rows=bounded("rows", value, 1, high, int))


def _learning_rate(settings: TrainSettings, value: Any) -> TrainSettings:
    return replace(settings, learning_rate=value)


def _method(settings: TrainSettings, value: Any) -> TrainSettings:
    method = method_of(value)
    if method.objective != "tokens":
        raise BadInput("sweep_objective", method=method.title)
    return replace(settings, **own_settings(method))


_VARY: dict[str, Callable[[TrainSettings, Any], TrainSettings]] = {
    "rank": _rank,
    "rows": _rows,
    "learning_rate": _learning_rate,
    "method": _method,
}


def _pace(request: SweepRequest, settings: TrainSettings, wanted: Wanted, plan: Plan) -> Pace:
    """What a run's steps cost. Raises `BadInput` that names its value."""
    try:
        _require_rows(settings, wanted)
        once = plan(replace(settings, epochs=1, max_steps=0))
    except LabError as error:
        value = str(value_of(request.setting, settings))
        raise BadInput("sweep_value", value=value, problem=error) from None
    if not once.eval_rows:
        raise BadInput("sweep_no_held_out")
    passes = TrainSettings.RANGES["epochs"][1] if request.setting == "rows" else MOST_PASSES
    most = min(int(once.steps * passes), settings.max_steps or 5_000, 5_000)
    start = Pace(settings, once.steps, most, 0.0, 1.0)
    first = plan(start.with_steps(1)).seconds - START_SECONDS
    last = plan(start.with_steps(most)).seconds - START_SECONDS
    step = (last - first) / (most - 1) if most > 1 else first
    return replace(start, fixed=max(0.0, first - step), step=max(step, 1e-6))


def _require_rows(settings: TrainSettings, wanted: Wanted) -> None:
    if settings.rows:
        learned, _ = split(wanted.rows, settings.eval_share, settings.seed, settings.rows)
        if len(learned) < settings.rows:
            raise BadInput("sweep_rows", got=settings.rows, high=len(learned))


def _timed(request: SweepRequest, paces: Sequence[Pace]) -> list[TrainSettings]:
    """Every run's settings with its steps. Raises `BadInput` for too little time."""
    seconds = request.seconds
    if request.setting == "method":
        steps = [pace.affordable(seconds / len(paces)) for pace in paces]
    else:
        together = sum(pace.step for pace in paces)
        common = math.floor((seconds - sum(pace.fixed for pace in paces)) / together)
        largest = max(pace.epoch for pace in paces) * MOST_PASSES
        steps = [min(common, largest, *(pace.most for pace in paces))] * len(paces)
    if min(steps) < 1:
        needed = max(pace.fixed + pace.step for pace in paces) * len(paces)
        raise _too_short(seconds, math.ceil(needed))
    return [pace.with_steps(count) for pace, count in zip(paces, steps, strict=True)]


def _too_short(seconds: int, needed: int) -> BadInput:
    """What to do about too little time: more of it, unless there is no more."""
    most = int(SweepRequest.RANGES["seconds"][1])
    if needed > most:
        return BadInput("sweep_too_short", high=most, low=needed)
    return BadInput("sweep_short", got=seconds, low=needed)


def _name(request: SweepRequest, settings: TrainSettings) -> str:
    """What a run is called: the sweep's name and the run's value."""
    value = value_of(request.setting, settings)
    if isinstance(value, str):
        said = METHODS[value].title
    else:
        said = f"{request.word or request.setting.replace('_', ' ')} {value:g}"
    return f"{request.name[: LONGEST_NAME - len(said) - 3]} · {said}"
