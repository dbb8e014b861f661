"""The arithmetic of a run that both its plan and its loop need: steps, rates, evaluations.

Pure numbers: no tensors, no files.
"""

import math

from demo.run_records import TrainSettings

WARM_UP_SHARE = 0.05
EVALUATED_ROWS = 64
"""Held-out rows that are measured; more would cost more than they tell."""
EVALUATION_SHARE = 0.15
"""Interim evaluations may cost this part of the training: enough for eight where rows are read thrice,
and rows that are read once cannot be learned by heart."""
SMALL_COST = 2_000
"""Or so many tokens' learning in all, about ten seconds: a run over few rows is measured as often."""
MOST_EVALUATIONS = 10
FORWARD_SHARE = 0.45
"""What reading a token costs beside learning from it (measured)."""


def total_steps(sequences: int, settings: TrainSettings) -> int:
    """Optimizer steps of a run over so many sequences."""
    steps = math.ceil(sequences / settings.batch_size) * settings.epochs
    return min(steps, settings.max_steps) if settings.max_steps else steps


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over the first steps, then linear decay; `step` counts from 1."""
    warm = max(1, round(steps * WARM_UP_SHARE))
    if step <= warm:
        return peak * step / warm
    return peak * (steps - step + 1) / (steps - warm + 1)


def evaluations(train_tokens: int, eval_tokens: int) -> int:
    """How many interim evaluations a run has time for, at least one.

    Args:
        train_tokens: read to learn, in all epochs.
        eval_tokens: read by one evaluation.
    """
    allowed = max(EVALUATION_SHARE * train_tokens, SMALL_COST)
    return max(1, min(MOST_EVALUATIONS, int(allowed / max(1.0, eval_tokens * FORWARD_SHARE))))


def evaluation_interval(steps: int, train_tokens: int, eval_tokens: int) -> int:
    """Steps between interim evaluations."""
    return max(1, math.ceil(steps / evaluations(train_tokens, eval_tokens)))
