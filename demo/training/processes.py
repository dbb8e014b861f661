"""Whether a process is still the one that was started: its number and when it began.

A process number alone is given again to others, so a restarted lab could take a stranger for a
worker. Knows nothing of runs.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path


def began(pid: int) -> str:
    """When a process began, in the kernel's clock ticks; empty where the system does not tell."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return after_name[19]


def is_alive(pid: int, when: str) -> bool:
    """Whether the process `pid` that began at `when` still runs; a zombie does not."""
    if not pid:
        return False
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _answers_signals(pid) if not Path("/proc/self/stat").exists() else False
    return fields[0] != "Z" and (not when or fields[19] == when)


def end(pid: int, when: str, seconds: float = 5.0) -> None:
    """Kill a process and wait until it is gone."""
    if not is_alive(pid, when):
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + seconds
    while is_alive(pid, when) and time.monotonic() < deadline:
        time.sleep(0.02)


def _answers_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
