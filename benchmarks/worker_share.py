"""Which part of the machine a training worker gets, from the kernel's own count of its CPU time.

Linux only: elsewhere there is no `/proc`, and the share is None. Knows neither chats nor methods.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from demo.training.run_folder import RunFolder

BETWEEN_LOOKS = 0.2
USER, SYSTEM = 11, 12
"""Fields of `/proc/<pid>/stat` behind the process's name."""


class WorkerShare:
    """Follows the first run of a folder from its first step to its last.

    Args:
        runs: a folder in which one run will be made.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._looks: list[tuple[float, float]] = []
        self._done = threading.Event()

    @property
    def share(self) -> float | None:
        """CPU time of the worker / (time of the clock x cores), while it took its steps."""
        if len(self._looks) < 2:
            return None
        (begun, before), *_, (ended, after) = self._looks
        return (after - before) / ((ended - begun) * (os.cpu_count() or 1))

    @contextmanager
    def watching(self) -> Iterator["WorkerShare"]:
        """Look again and again while something is done."""
        watcher = threading.Thread(target=self._watch, daemon=True)
        watcher.start()
        try:
            yield self
        finally:
            self._done.set()
            watcher.join()

    def _watch(self) -> None:
        while not self._done.wait(BETWEEN_LOOKS):
            with suppress(OSError, ValueError, TypeError, StopIteration):
                self._look(RunFolder(next(self._runs.glob("[!.]*"))))

    def _look(self, run: RunFolder) -> None:
        state, events = run.state(), run.events()
        step = events[-1].step if events else 0
        if state.status == "running" and 1 <= step < state.steps:
            self._looks.append((time.monotonic(), cpu_seconds(state.pid)))


def cpu_seconds(pid: int) -> float:
    """What a process has computed so far, all of its threads together. Raises `OSError` without `/proc`."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[USER]) + int(fields[SYSTEM])) / os.sysconf("SC_CLK_TCK")
