"""Starts the process that trains one run, and tells later whether it still lives.

Does not know which run's turn it is.
"""

import os
import subprocess
import sys
import threading
from dataclasses import dataclass

from demo.host import detect
from demo.settings import ROOT
from demo.training import processes
from demo.training.run_folder import RunFolder, StoredState
from demo.training.worker import train


@dataclass(frozen=True)
class Worker:
    """A worker process and the run it was started for."""

    process: subprocess.Popen[bytes]
    run: RunFolder


class Launcher:
    """Starts, collects and ends worker processes."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._workers: list[Worker] = []

    def start(self, run: RunFolder) -> None:
        """Start training a run and write down who does it."""
        if detect(self.threads).kind == "zerogpu":
            self._start_here(run)
            return
        with run.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "demo.training.worker", str(run.path)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the lab's terminal does not end the training.
            )
        self._workers.append(Worker(process, run))
        _write_process(run, process.pid)

    def collect(self) -> list[RunFolder]:
        """The runs whose workers have ended since the last call."""
        ended = [worker for worker in self._workers if worker.process.poll() is not None]
        self._workers = [worker for worker in self._workers if worker not in ended]
        return [worker.run for worker in ended]

    def is_alive(self, state: StoredState) -> bool:
        """Whether the worker that a state names still runs, whoever started it."""
        return processes.is_alive(state.pid, state.pid_started)

    def end(self, state: StoredState) -> None:
        """Kill the worker of a run whose folder is about to go."""
        if state.pid != os.getpid():
            processes.end(state.pid, state.pid_started)

    def _start_here(self, run: RunFolder) -> None:
        """ZeroGPU lends its GPU to calls of this very process, so the run is a thread here."""
        _write_process(run, os.getpid())
        threading.Thread(
            target=train, args=(run,), name=f"run {run.path.name}", daemon=True
        ).start()


def _write_process(run: RunFolder, pid: int) -> None:
    run.change_state(status="running", pid=pid, pid_started=processes.began(pid))
