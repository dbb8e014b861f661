"""Calls that only the engine's thread may make, handed over by other threads.

Knows nothing of what the calls do.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Chores:
    """Calls that wait for the engine's thread, in order."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[[], Any], Future[Any]]] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, chore: Callable[[], T]) -> "Future[T]":
        """Let a call wait; its result or its exception comes through the future."""
        future: Future[T] = Future()
        self._waiting.append((chore, future))
        return future

    def run(self) -> None:
        """Make the call that waits longest. Called by the engine's thread, between two turns."""
        if self._waiting:
            chore, future = self._waiting.popleft()
            try:
                future.set_result(chore())
            except BaseException as error:
                future.set_exception(error)
                if not isinstance(error, Exception):
                    raise
