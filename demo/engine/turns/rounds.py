"""One turn of the engine after another: free, seat, read, decode, score, tell.

Every method named for the thread is called by the engine's thread alone; the others by anybody. Knows
seats and the batch; not how a seat came to be.
"""

import logging
import threading
import time
from collections.abc import Iterable, Sequence

from demo.engine.stream import Place
from demo.engine.turns.batch import GRID, PIECE, Batch
from demo.engine.turns.schedule import Schedule
from demo.engine.turns.seat import Seat
from demo.engine.turns.waits import Pace
from demo.errors import Busy, LabError

LOG = logging.getLogger(__name__)
CACHED_TOKENS = 65_536
"""Tokens that all rows together may hold: 3 GB on the embedded model in fp32."""
BACKGROUND_SHARE = 0.25
"""Of the time that scoring takes while answers are being decoded."""
PLACES_SECONDS = 0.2
"""How old the places may be that streams are told."""


class Rounds:
    """The seats of the engine, and their turns.

    Args:
        batch: what moves rows.
        seats: rows that are moved at once.
        queue_size: claims of each kind that may wait; an answer that finds a free seat does not.
        answer_seconds: an answer ends so long after it was seated first.
    """

    def __init__(self, batch: Batch, seats: int, queue_size: int, answer_seconds: float) -> None:
        self.batch = batch
        self.pace = Pace()
        self.wake = threading.Condition()
        self._schedule: Schedule[Seat] = Schedule(seats, CACHED_TOKENS)
        self._queue_size = queue_size
        self._answer_seconds = answer_seconds
        self._places: dict[Seat, Place] = {}
        self._places_made = 0.0
        self._background_seconds = 0.0
        """What scoring took, less its share of the time in which answers were decoded."""

    # for anybody
    def add(self, seats: Sequence[Seat]) -> None:
        """Let seats wait.

        Raises:
            Busy: too many wait already; the message says how many, and for how long.
        """
        with self.wake:
            background = seats[0].background
            alike = [s for s in self._unbegun() if s.background == background]
            room = self._queue_size + (0 if background else self._schedule.free)
            if alike and len(alike) + len(seats) > room:
                raise Busy("queue_full", got=len(alike), seconds=self._shortest_wait())
            self._schedule.add(seats)
            self._places_made = 0.0
            self.wake.notify_all()

    def place(self, seat: Seat) -> Place:
        """Where a seat stands, and about how long until its first token."""
        now = time.monotonic()
        with self.wake:
            if now - self._places_made > PLACES_SECONDS:
                waits = self.pace.waits(self._schedule)
                self._places = {
                    waiting: Place(number, seconds)
                    for number, (waiting, seconds) in enumerate(waits.items(), start=1)
                }
                self._places_made = now
            return self._places.get(seat, Place()) if seat in self._schedule.waiting else Place()

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._schedule.waiting or self._schedule.seated)

    @property
    def waiting(self) -> int:
        """Claims that nothing was done for yet."""
        with self.wake:
            return len(self._unbegun())

    @property
    def running(self) -> int:
        """Claims under way, those set aside for a moment included."""
        with self.wake:
            return len(self._everybody()) - len(self._unbegun())

    def fail_all(self, error: LabError, *, waiting: bool) -> None:
        """End whatever is under way, and what waits too if wanted."""
        with self.wake:
            kept = [] if waiting else self._unbegun()
            gone = [seat for seat in self._everybody() if seat not in kept]
        for seat in gone:
            seat.fail(error)
        self._free(gone)
        self.batch.prefixes.clear()

    # for the thread
    def turn(self) -> None:
        """Move everybody who is seated by one step."""
        self._free_gone()
        with self.wake:
            seated = self._schedule.advance().seated
        for seat in seated:
            seat.seated = seat.seated or time.monotonic()
        answers = [seat for seat in self._schedule.seated if not seat.background]
        self._read(self._reading_order([seat for seat in answers if seat.unread]))
        self._decode([seat for seat in answers if seat.row.generated])
        self._score([seat for seat in self._schedule.seated if seat.background])

    def _free_gone(self) -> None:
        """Free who stopped or ran out of time; who stopped is not listening any more."""
        now, gone = time.monotonic(), []
        for seat in self._everybody():
            late = seat.seated is not None and now - seat.seated > self._answer_seconds
            if seat.stopped.is_set():
                seat.end("stopped")
                gone.append(seat)
            elif late and not seat.background:
                seat.end("time")
                gone.append(seat)
        self._free(gone)

    def _reading_order(self, seats: list[Seat]) -> list[Seat]:
        """Every other turn the shortest first: a long prompt does not hold up the short ones."""
        return sorted(seats, key=lambda seat: seat.unread) if self._schedule.turn % 2 else seats

    def _read(self, seats: Sequence[Seat]) -> None:
        if not seats:
            return
        began = time.monotonic()
        tokens = self.batch.read([seat.row for seat in seats])
        if tokens:
            self.pace.read(tokens, time.monotonic() - began)
        self._tell(seat for seat in seats if seat.row.generated or seat.row.reason)

    def _decode(self, seats: Sequence[Seat]) -> None:
        """One token more for every answer that has its first."""
        seats = [seat for seat in seats if not seat.row.reason]
        if not seats:
            return
        began = time.monotonic()
        self.batch.step([seat.row for seat in seats])
        seconds = time.monotonic() - began
        self.pace.stepped(seconds)
        self._background_seconds -= BACKGROUND_SHARE * seconds
        for seat in seats:
            seat.served += 1
        self._tell(seats)

    def _score(self, seats: Sequence[Seat]) -> None:
        """A piece of scoring, if no answer waits and those being decoded can spare the time."""
        answers = any(not seat.background for seat in self._everybody())
        waiting = any(not s.background and not s.row.generated for s in self._everybody())
        if not seats or waiting or (answers and self._background_seconds > 0):
            return
        began = time.monotonic()
        self.batch.read([seat.row for seat in seats], GRID if answers else PIECE)
        spent = max(self._background_seconds, 0.0) + time.monotonic() - began
        self._background_seconds = spent if answers else 0.0
        self._tell(seat for seat in seats if seat.row.reason)

    def _tell(self, seats: Iterable[Seat]) -> None:
        ended = []
        for seat in seats:
            try:
                seat.publish()
            except Exception:
                LOG.exception("a row could not be told")
                seat.fail(LabError("internal"))
            if seat.row.reason:
                ended.append(seat)
            if seat.row.reason == "end" and seat.ids:
                self.pace.answered(len(seat.ids))
        self._free(ended)

    def _free(self, seats: Sequence[Seat]) -> None:
        for seat in seats:
            with self.wake:
                if seat in self._everybody():
                    self._schedule.remove(seat)
            try:
                self.batch.finish(seat.row)
                seat.free()
            except Exception:  # The others are freed all the same.
                LOG.exception("a row could not be freed")

    def _everybody(self) -> list[Seat]:
        return [*self._schedule.seated, *self._schedule.waiting]

    def _unbegun(self) -> list[Seat]:
        waiting = [seat for seat in self._schedule.waiting if seat.seated is None]
        return [seat for seat in waiting if not seat.stopped.is_set()]

    def _shortest_wait(self) -> int:
        """Seconds until the queue has a place again."""
        return max(1, round(min(self.pace.waits(self._schedule).values(), default=1.0)))
