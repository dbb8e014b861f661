"""The arithmetic of a run that both its plan and its loop need: steps, rates, evaluations.

Pure numbers: no tensors, no files.
"""

import math

from demo.run_records import TrainSettings

WARM_UP_SHARE = 0.05
EVALUATED_ROWS = 64
"""Held-out rows that are measured; more would cost more than they tell."""
EVALUATION_SHARE = 0.15
"""Interim evaluations may cost this part of the training, so short runs are measured less often."""
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


def evaluation_interval(steps: int, train_tokens: int, eval_tokens: int) -> int:
    """Steps between interim evaluations: a tenth of the run, or more where that would cost too much."""
    affordable = EVALUATION_SHARE * train_tokens / max(1.0, eval_tokens * FORWARD_SHARE)
    return max(1, math.ceil(steps / max(1.0, min(10.0, affordable))))
