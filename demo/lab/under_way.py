"""What visitors have under way in the background: one experiment each, found again after a reload.

Counts and stops; knows neither what an experiment does nor what it is made of.
"""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from demo.errors import Busy
from demo.experiment_records import Search, Sensitivity
from demo.judging_records import Scoreboard
from demo.lab.courses import Course, Courses

MOST_EXPERIMENTS = 6
"""Of all visitors at once; they share the background with each other."""

SoFar = TypeVar("SoFar", Sensitivity, Search, Scoreboard)


class UnderWay:
    """The experiments of all visitors."""

    def __init__(self) -> None:
        self._stops: dict[str, threading.Event] = {}
        self._courses = Courses()
        self._lock = threading.Lock()

    def begin(self, kind: str, visitor: str, steps: Iterator[SoFar]) -> Iterator[SoFar]:
        """Set out; closing the iterator leaves the experiment under way.

        Args:
            kind: tells the experiments of one visitor apart.
            visitor: whose it is.
            steps: what is found; takes its place by `place`.

        Raises:
            Busy: this visitor has one under way.
        """
        course = self._courses.begin(
            visitor, lambda: Course(kind, steps, lambda: self.stop(visitor))
        )
        if course is None:
            raise Busy("experiment_busy")
        return course.follow()

    def last(self, visitor: str, kind: str) -> Iterator[Any] | None:
        """What a visitor's last experiment of this kind has found, from now to its end."""
        course = self._courses.of(visitor, kind)
        return course.follow() if course else None

    def stop(self, visitor: str) -> bool:
        """End a visitor's experiment with what it has found so far; False where there is none."""
        with self._lock:
            stopped = self._stops.get(visitor)
        if stopped is not None:
            stopped.set()
        return stopped is not None

    def forget(self, visitor: str) -> None:
        """End a visitor's experiment, and keep nothing of it."""
        self.stop(visitor)
        self._courses.drop(visitor)

    @contextmanager
    def place(self, visitor: str) -> Iterator[threading.Event]:
        """A place among the experiments; the event is set where an early end is asked for.

        Raises:
            Busy: this visitor has one under way, or too many others have.
        """
        stopped = threading.Event()
        with self._lock:
            if visitor in self._stops:
                raise Busy("experiment_busy")
            if len(self._stops) >= MOST_EXPERIMENTS:
                raise Busy("experiments_full", got=len(self._stops))
            self._stops[visitor] = stopped
        try:
            yield stopped
        finally:
            with self._lock:
                del self._stops[visitor]


def until(stopped: threading.Event, steps: Iterator[SoFar]) -> Iterator[SoFar]:
    """The steps, and where they were stopped the last one marked as partial."""
    with closing(steps):  # type: ignore[type-var]  # every experiment is a generator
        for so_far in steps:
            if stopped.is_set() and not so_far.done:
                yield replace(so_far, stopped=True, done=True, seconds_left=0.0)
                return
            yield so_far
