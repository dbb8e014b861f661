"""A taste: a few seconds of LoRA on one's own rows, for visitors who would wait long for a full run.

Says what it learns and how long; knows neither the queue nor who may have one.
"""

from collections.abc import Callable
from dataclasses import replace

from demo.methods import good_settings
from demo.run_records import RunPlan, TrainSettings
from demo.training.plan import START_SECONDS

SECONDS = 20.0
"""Of training, evaluations included."""
PASSES = 3
"""Fewer rows than it has time for are not learned by heart."""
BATCH = 4
"""Rows of a step at most: in so little time, smaller steps learn more than fewer ones."""
HELD_OUT = 4
"""Rows; measuring more would take the time to learn any."""
GUESSES = 4
"""At the steps there is time for. Seconds grow with them almost evenly; each guess plans the rows anew."""
SHARED = ("max_length", "seed", "rows", "template", "train_end")
"""What another method's settings say to LoRA too."""
Plan = Callable[[TrainSettings], RunPlan]


def fitted(settings: TrainSettings, rows: int, plan: Plan) -> TrainSettings:
    """A visitor's settings as a taste has time for them.

    Args:
        settings: of the full run.
        rows: of the dataset.
        plan: what a run would do and cost. It raises `BadInput` for one that cannot learn.
    """
    share = min(settings.eval_share, HELD_OUT / max(rows, 1))
    batch = min(settings.batch_size, BATCH)
    lora = replace(_as_lora(settings), batch_size=batch, eval_share=share)
    whole = replace(lora, epochs=PASSES, max_steps=0, patience=0)
    return replace(whole, max_steps=_steps(whole, plan))


def _as_lora(settings: TrainSettings) -> TrainSettings:
    if settings.method == "lora":
        return settings
    return good_settings("lora", **{name: getattr(settings, name) for name in SHARED})


def _steps(whole: TrainSettings, plan: Plan) -> int:
    """The most steps that there is time for, as nearly as a few guesses tell; at least one."""

    def beyond(steps: int) -> float:
        taken = plan(replace(whole, max_steps=steps)).seconds
        return taken - START_SECONDS - SECONDS

    low, high = 1, int(min(plan(whole).steps, TrainSettings.RANGES["max_steps"][1]))
    left, excess = -beyond(low), beyond(high)
    if excess <= 0:
        return high
    for _ in range(GUESSES):
        if left <= 0 or high - low < 2:
            break
        guess = low + int(left / (left + excess) * (high - low))
        guess = min(max(guess, low + 1), high - 1)
        # Half the weight for the end that stays, or it would stay for ever where seconds bend.
        if (more := beyond(guess)) <= 0:
            low, left, excess = guess, -more, excess / 2
        else:
            high, left, excess = guess, left / 2, more
    return low
