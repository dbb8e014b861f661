"""What a run has taken of the machine, and the budget that ends it: CPU seconds of all cores together.

A wall clock would charge a visitor for the chats of others. On a GPU, where the CPU only waits, seconds
are those of the wall clock. Knows no run and no queue.
"""

import time
from collections.abc import Callable

from demo.host import Host


class Meter:
    """Counts the seconds of this process from now on.

    Args:
        device: that trains, as torch calls it.
    """

    def __init__(self, device: str) -> None:
        # All threads of the process, those of the kernels included.
        self._clock: Callable[[], float] = (
            time.process_time if device.startswith("cpu") else time.monotonic
        )
        self._begun = self._clock()

    def read(self) -> float:
        """Seconds since it began to count."""
        return self._clock() - self._begun


def within(cap: float, wanted: float = 0.0) -> float:
    """The smaller of two budgets, where 0 means none."""
    return min((budget for budget in (cap, wanted) if budget > 0), default=0.0)


def of_seconds(seconds: float, host: Host) -> float:
    """The budget that lasts so long where nobody else computes."""
    return seconds * _cores(host)


def lasts(budget: float, host: Host) -> float:
    """Seconds that a budget lasts for where nobody else computes."""
    return budget / _cores(host)


def _cores(host: Host) -> int:
    return host.threads if host.device == "cpu" else 1


def is_spent(budget: float, taken: float) -> bool:
    """Whether a run must end here."""
    return bool(budget) and taken >= budget
