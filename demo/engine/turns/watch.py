"""A thread that is watched by a second one, and started again when it dies before its time.

Knows nothing of what the thread does.
"""

import logging
import threading
import time
from collections.abc import Callable

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 0.2
SLOW_SECONDS = 20.0
"""A turn that takes longer is written to the log, once."""
MENTIONED_SECONDS = 600
"""How long a restart is told of."""


class WatchedThread:
    """Runs `live` until it returns; when it raises, `mend` is called and it is run again.

    Args:
        live: what the thread does; returns when nothing more is to be done.
        mend: puts in order what a dead thread left; called by the watching thread.
    """

    def __init__(self, live: Callable[[], None], mend: Callable[[BaseException], None]) -> None:
        self._live = live
        self._mend = mend
        self._death: BaseException | None = None
        self._turn_began: float | None = None
        self._restarted: float | None = None
        self.restarts = 0
        self._thread = self._new_thread()
        self._watcher = threading.Thread(target=self._watch, name="engine-watch", daemon=True)

    def start(self) -> None:
        """Start both threads."""
        self._thread.start()
        self._watcher.start()

    def join(self, seconds: float) -> None:
        """Wait until the work has ended."""
        if self._watcher.is_alive():
            self._watcher.join(seconds)

    def turn_begins(self) -> None:
        """Called by the thread itself, so that a turn without an end is seen."""
        self._turn_began = time.monotonic()

    def turn_ends(self) -> None:
        """Called by the thread itself."""
        self._turn_began = None

    @property
    def seconds_since_turn(self) -> float:
        """How long the turn under way takes already; 0 between turns."""
        began = self._turn_began
        return 0.0 if began is None else time.monotonic() - began

    @property
    def slow(self) -> bool:
        """Whether the turn under way takes unusually long."""
        return self.seconds_since_turn > SLOW_SECONDS

    @property
    def lately_restarted(self) -> bool:
        """Whether the thread died within the last minutes."""
        since = self._restarted
        return since is not None and time.monotonic() - since < MENTIONED_SECONDS

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name="engine", daemon=True)

    def _run(self) -> None:
        self._death = None
        try:
            self._live()
        # Whatever ends this thread must not end the answers of everybody for good.
        except BaseException as error:
            LOG.critical("the engine's thread died", exc_info=error)
            self._death = error

    def _watch(self) -> None:
        told = False
        while True:
            self._thread.join(LOOK_SECONDS)
            if self._thread.is_alive():
                if self.slow and not told:
                    LOG.error("a turn takes more than %.0f s", SLOW_SECONDS)
                told = self.slow
                continue
            if self._death is None:
                return
            self._restart(self._death)

    def _restart(self, death: BaseException) -> None:
        self._turn_began = None
        try:
            self._mend(death)
        except Exception:  # A thread that answers the next question is worth more than order.
            LOG.critical("what the engine's thread left could not be mended", exc_info=True)
        self.restarts += 1
        self._restarted = time.monotonic()
        self._thread = self._new_thread()
        self._thread.start()
