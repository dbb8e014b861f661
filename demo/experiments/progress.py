"""How far an experiment has come, and how long the rest will take at the same pace.

Knows no experiment.
"""

import time
from dataclasses import replace
from typing import TypeVar

from demo.experiment_records import Search, Sensitivity
from demo.judging_records import Scoreboard

SoFar = TypeVar("SoFar", Sensitivity, Search, Scoreboard)


def timed(so_far: SoFar, asked: int, began: float) -> SoFar:
    """The experiment after so many of its calls.

    Args:
        so_far: knows the total.
        asked: calls that have ended.
        began: by the monotonic clock.
    """
    seconds = time.monotonic() - began
    left = seconds / asked * (so_far.total - asked) if asked else 0.0
    return replace(so_far, asked=asked, seconds=seconds, seconds_left=left)
