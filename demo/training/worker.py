"""The worker process of one run: `python -m demo.training.worker RUN_DIR`.

Does not know the queue: it is given a folder and leaves its outcome there.
"""

import os
import sys
from pathlib import Path

from demo.host import detect
from demo.training.processes import began
from demo.training.run_folder import RunFolder

NICENESS = 1
"""Beside a busy chat the kernel gives nice 1 about 44 % of a core; at nice 19 it would be 1 %."""


def main(run_dir: str) -> None:
    """Train one run, out of the way of those who chat."""
    folder = RunFolder(Path(run_dir))
    folder.change_state(status="running", pid=os.getpid(), pid_started=began(os.getpid()))
    os.nice(NICENESS)
    # Threads that wait for each other must sleep: spinning ones lose two thirds of the speed as
    # soon as anybody chats (measured 69 and 215 tokens a second). Read when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    train(folder)


def train(folder: RunFolder) -> None:
    """Train on this host's device, or on one that it borrows."""
    # Imported late: the seconds that torch takes must not delay the process number above.
    from demo.training.loop import train_run

    order = folder.order()
    detect(order.threads).lend_gpu(train_run, order.seconds)(str(folder.path))


if __name__ == "__main__":
    main(sys.argv[1])
