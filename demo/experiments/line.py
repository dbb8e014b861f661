"""A line of experiments: one asks its next answers at a time, in the order in which they came.

What all of them have under way is then never more than one has. Knows no experiment.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Turn = Callable[[float], bool]
"""Waits so many seconds at most, and tells whether it is one's turn."""


class Line:
    """Whoever came first goes first; who comes again stands at the end."""

    def __init__(self) -> None:
        self._tickets: list[object] = []
        self._moved = threading.Condition()

    @contextmanager
    def place(self) -> Iterator[Turn]:
        """Stand in line, and leave it at the end."""
        ticket = object()
        with self._moved:
            self._tickets.append(ticket)
        try:
            yield lambda seconds: self._wait(ticket, seconds)
        finally:
            with self._moved:
                self._tickets.remove(ticket)
                self._moved.notify_all()

    def _wait(self, ticket: object, seconds: float) -> bool:
        with self._moved:
            return self._moved.wait_for(lambda: self._tickets[0] is ticket, seconds)
