"""What lies between the engine thread and one visitor: seats that publish, streams that read.

Knows no model: token ids come in, growing `Answer`s go out.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from demo.engine.batch import BatchRow
from demo.engine.lora import LowRank
from demo.errors import LabError
from demo.records import Answer, Sampling
from demo.text.tokenizer import LabTokenizer

SILENCE_SECONDS = 0.25
"""A stream yields at least this often, so that a closed page is noticed while its answer waits."""
PAUSE_SECONDS = 0.06
"""Increments within this time are given out as one: no eye reads faster."""


class Seat:
    """One answer in the engine: the engine thread writes, one stream reads."""

    def __init__(
        self,
        prompt: tuple[int, ...],
        sampling: Sampling,
        adapter: LowRank | None,
        updates: "queue.SimpleQueue[None]",
    ) -> None:
        self.row = BatchRow(prompt, sampling, adapter)
        self.stopped = threading.Event()
        self.error: LabError | None = None
        self.ids: tuple[int, ...] = ()
        self.reason = ""
        self.asked = time.monotonic()
        self.seconds = 0.0
        self._updates = updates

    def publish(self) -> None:
        """Show what the row has generated so far."""
        self.ids = tuple(self.row.generated)
        self.seconds = time.monotonic() - self.asked
        self.reason = self.row.reason
        self._updates.put(None)

    def fail(self, error: LabError) -> None:
        """End with an error instead of a text."""
        self.error = error
        self.reason = "error"
        self._updates.put(None)


class Stream:
    """The answers of seats that belong together. Closing it, or dropping it, frees the seats."""

    def __init__(
        self,
        seats: Sequence[Seat],
        updates: "queue.SimpleQueue[None]",
        tokenizer: LabTokenizer,
        place: Callable[[Seat], int],
    ) -> None:
        self._seats = seats
        self._updates = updates
        self._tokenizer = tokenizer
        self._place = place

    def __iter__(self) -> Iterator[tuple[Answer, ...]]:
        """Growing answers, one per seat; the last increment has every `done` set."""
        try:
            while True:
                answers = tuple(map(self._answer, self._seats))
                yield answers
                if all(answer.done for answer in answers):
                    return
                self._wait()
        finally:
            self.close()

    def close(self) -> None:
        """Stop; the engine frees the rows before its next token."""
        for seat in self._seats:
            seat.stopped.set()

    def _wait(self) -> None:
        """Sleep until something was published, then gather what follows closely."""
        try:
            self._updates.get(timeout=SILENCE_SECONDS)
        except queue.Empty:
            return
        time.sleep(PAUSE_SECONDS)
        while not self._updates.empty():
            self._updates.get()

    def _answer(self, seat: Seat) -> Answer:
        reason, ids = seat.reason, seat.ids
        text = self._tokenizer.decode(ids)
        if not reason:
            text = text.rstrip("\ufffd")
        return Answer(
            text=text,
            tokens=len(ids),
            prompt_tokens=len(seat.row.prompt),
            seconds=seat.seconds if ids or reason else time.monotonic() - seat.asked,
            done=bool(reason),
            reason=reason,  # type: ignore[arg-type]
            waiting=self._place(seat) if not ids and not reason else 0,
            error=seat.error,
        )
