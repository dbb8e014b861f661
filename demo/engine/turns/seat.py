"""One row's place in the engine: the engine's thread writes it, the asking thread reads it.

Knows no model and no schedule; what it tells is a snapshot that never shrinks.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from demo.engine.turns.batch import BatchRow
from demo.engine.turns.sample import Choice
from demo.errors import LabError


class Bell:
    """Rung by the engine's thread whenever a seat of one stream has news."""

    def __init__(self) -> None:
        self._news = threading.Event()
        self._end = threading.Event()

    def ring(self, *, end: bool) -> None:
        """There is news; `end` where nothing more will follow from this seat."""
        if end:
            self._end.set()
        self._news.set()

    def wait(self, seconds: float | None, pause: float = 0.0) -> None:
        """Sleep until there is news, then gather what follows within `pause`, unless it is an end."""
        if self._news.wait(seconds):
            self._end.wait(pause)
            self._end.clear()
            self._news.clear()


@dataclass(frozen=True)
class Asker:
    """Who waits for a row, and how they are told."""

    visitor: str
    bell: Bell
    background: bool = False


class Seat:
    """One row with whoever asked for it.

    Args:
        row: what is to be done.
        asker: who waits for it.
        release: gives back what its blend was prepared with; called once, whatever happens.
    """

    def __init__(self, row: BatchRow, asker: Asker, release: Callable[[], None]) -> None:
        self.row = row
        self.visitor = asker.visitor
        self.background = asker.background
        self.served = 0
        self.since = 0
        self.prompt_tokens = len(row.prompt)
        self.stopped = threading.Event()
        self.error: LabError | None = None
        self.ids: tuple[int, ...] = ()
        self.choices: tuple[Choice, ...] = ()
        self.reason = ""
        self.asked = time.monotonic()
        self.seated: float | None = None
        self.seconds = 0.0
        self._bell = asker.bell
        self._release = release
        self._released = False

    # what the schedule asks
    @property
    def begun(self) -> bool:
        """Whether it has its first token; while scoring, whether it holds a cache."""
        return bool(self.row.generated) or (self.background and self.row.cache is not None)

    @property
    def tokens(self) -> int:
        """Tokens that its cache may come to hold."""
        return len(self.row.source) + (0 if self.row.scored else self.row.sampling.max_new_tokens)

    @property
    def unread(self) -> int:
        """Tokens of its prompt that are still to be read."""
        return self.row.unread

    @property
    def left(self) -> int:
        """The most tokens that it may still draw."""
        return 0 if self.row.scored else self.row.sampling.max_new_tokens - len(self.row.generated)

    # what the engine's thread does
    def publish(self) -> None:
        """Show what the row has come to."""
        self.choices = tuple(self.row.choices)
        self.ids = tuple(self.row.generated)
        self.seconds = time.monotonic() - self.asked
        if self.row.problem is not None:
            self.error = LabError("internal")
        self.reason = self.row.reason
        self._bell.ring(end=bool(self.reason))

    def end(self, reason: str) -> None:
        """End before the model would; the text so far is kept."""
        self.row.reason = reason
        self.publish()

    def fail(self, error: LabError) -> None:
        """End with an error."""
        self.error = error
        self.reason = self.row.reason = "error"
        self._bell.ring(end=True)

    def free(self) -> None:
        """Give back what its blend was prepared with."""
        if not self._released:
            self._released = True
            self._release()
