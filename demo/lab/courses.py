"""Experiments under way in threads of their own: a page that is reloaded finds its own again.

Whoever follows one may leave and come back; one that nobody follows for a minute is ended. Knows
neither what an experiment does nor who may make one.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

SoFar = TypeVar("SoFar")
ALONE_SECONDS = 60.0
"""A page that is reloaded is back sooner."""
KEPT_SECONDS = 3600.0
MOST_KEPT = 64
"""Results that wait for their page; the oldest go first."""


class Course(Generic[SoFar]):
    """One experiment: how far it has come, and how it ended.

    Args:
        kind: tells the experiments of one visitor apart.
        steps: what is found, step by step; read in the course's own thread.
        stop: asks for an early end.
    """

    def __init__(self, kind: str, steps: Iterator[SoFar], stop: Callable[[], object]) -> None:
        self.kind = kind
        self.ended = False
        self.told = time.monotonic()
        """When it was last told anything, or followed by anybody."""
        self._steps = steps
        self._stop = stop
        self._latest: list[SoFar] = []
        self._count = 0
        self._error: Exception | None = None
        self._followers = 0
        self._news = threading.Condition()
        threading.Thread(target=self._run, name=f"experiment {kind}", daemon=True).start()

    def follow(self) -> Iterator[SoFar]:
        """Each newer finding until the end; leaving the iterator leaves the experiment alone.

        Raises:
            Exception: whatever ended it.
        """
        seen = 0
        self._follow(1)
        try:
            while True:
                with self._news:
                    while self._count == seen and not self.ended:
                        self._news.wait()
                    latest, count, ended = self._latest[-1:], self._count, self.ended
                if count > seen:
                    seen = count
                    yield latest[0]
                elif ended:
                    if self._error is not None:
                        raise self._error
                    return
        finally:
            self._follow(-1)

    def _run(self) -> None:
        try:
            for so_far in self._steps:
                self._tell(so_far)
                if not self._followers and time.monotonic() - self.told > ALONE_SECONDS:
                    self._stop()
        except Exception as error:
            self._error = error
        finally:
            with self._news:
                self.ended = True
                self._news.notify_all()

    def _tell(self, so_far: SoFar) -> None:
        with self._news:
            self._latest, self._count = [so_far], self._count + 1
            self._news.notify_all()

    def _follow(self, change: int) -> None:
        with self._news:
            self._followers += change
            self.told = time.monotonic()


class Courses:
    """The last experiment of every visitor."""

    def __init__(self) -> None:
        self._last: dict[str, Course[object]] = {}
        self._lock = threading.Lock()

    def begin(self, visitor: str, begin: Callable[[], Course[SoFar]]) -> Course[SoFar] | None:
        """A new one in place of the last; None while that is still under way."""
        with self._lock:
            self._drop_old()
            before = self._last.get(visitor)
            if before is not None and not before.ended:
                return None
            course = begin()
            self._last[visitor] = course  # type: ignore[assignment]
            return course

    def of(self, visitor: str, kind: str) -> Course[object] | None:
        """A visitor's last experiment, under way or ended, where it is of this kind."""
        with self._lock:
            course = self._last.get(visitor)
        return course if course is not None and course.kind == kind else None

    def drop(self, visitor: str) -> None:
        """Forget a visitor's experiment; who follows it still sees its end."""
        with self._lock:
            self._last.pop(visitor, None)

    def _drop_old(self) -> None:
        now = time.monotonic()
        ended = sorted((c.told, v) for v, c in self._last.items() if c.ended)
        for place, (told, visitor) in enumerate(reversed(ended)):
            if now - told > KEPT_SECONDS or place >= MOST_KEPT:
                del self._last[visitor]
