"""A taste: a few seconds of LoRA on one's own rows, for visitors who would wait long for a full run.

Says what it learns and how long; knows neither the queue nor who may have one.
"""

from collections.abc import Callable
from dataclasses import replace
from math import floor

from demo.methods import good_settings
from demo.run_records import RunPlan, TrainSettings
from demo.training.plan import START_SECONDS

SECONDS = 20.0
"""Of training, evaluations included."""
PASSES = 3
"""Fewer rows than it has time for are not learned by heart."""
BATCH = 4
"""Rows of a step at most: in so little time, smaller steps learn more than fewer ones."""
HELD_OUT = 8
"""Rows; measuring more would take the time to learn any."""
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
    return replace(whole, max_steps=_steps(plan(replace(whole, max_steps=1)), plan(whole)))


def _as_lora(settings: TrainSettings) -> TrainSettings:
    if settings.method == "lora":
        return settings
    return good_settings("lora", **{name: getattr(settings, name) for name in SHARED})


def _steps(one: RunPlan, whole: RunPlan) -> int:
    """Steps that there is time for: beyond what any run takes, each takes as long as the next."""
    each = (whole.seconds - one.seconds) / max(whole.steps - 1, 1)
    left = SECONDS + START_SECONDS - one.seconds
    return max(1, min(whole.steps, 1 + floor(left / max(each, 1e-6))))
