"""Scores of many prompts, queued a few at a time, so that one experiment never fills the queue.

Knows neither model nor schedule: seats are made and queued by whoever owns them.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Protocol

from demo.engine.scoring import scores_of
from demo.engine.stream import SILENCE_SECONDS
from demo.engine.turns.schedule import BACKGROUND_SEATS
from demo.engine.turns.seat import Bell, Seat
from demo.errors import Busy
from demo.records import Scored, ScoreRequest
from demo.text.tokenizer import LabTokenizer

PROMPTS_AT_ONCE = BACKGROUND_SEATS
"""Each is read once: its other continuations come after the first of every prompt."""
MOST_AT_ONCE = 32
"""Seats that wait at once, unless one prompt alone has more continuations."""
PATIENCE_SECONDS = 60.0
"""How long a full queue, or memory full of changed weights, is waited for."""


class Claim(Protocol):
    """Makes a seat for every continuation of a request."""

    def __call__(self, request: ScoreRequest, *, bell: Bell) -> list[Seat]:
        """Raises `BadInput` for a text that does not fit, `Busy` where changed weights find no room."""


class Queue(Protocol):
    """Lets seats wait."""

    def __call__(self, seats: Sequence[Seat]) -> None:
        """Raises `Busy` when there is no room, and frees the seats then."""


@dataclass(frozen=True)
class Desk:
    """How seats are made, queued and read."""

    claim: Claim
    queue: Queue
    tokenizer: LabTokenizer


def to_score(seats: Sequence[Seat]) -> list[Seat]:
    """The seats that there is something to do for; the others are ended.

    A single token with nothing before it has no distribution that it was drawn from.
    """
    for seat in seats:
        if not seat.row.scored:
            seat.end("end")
            seat.free()
    return [seat for seat in seats if not seat.reason]


def score_many(desk: Desk, requests: Sequence[ScoreRequest]) -> Iterator[list[list[Scored]]]:
    """The scores of every request, in order; each step tells those that are new.

    A step comes at least every quarter second, with nothing new if need be, so that whoever reads
    can stop. Closing the iterator frees every seat.
    """
    for chunk in _chunks(requests):
        yield from _together(desk, chunk)


def _chunks(requests: Sequence[ScoreRequest]) -> Iterator[list[ScoreRequest]]:
    chunk: list[ScoreRequest] = []
    for request in requests:
        seats = sum(len(other.continuations) for other in (*chunk, request))
        if len(chunk) == PROMPTS_AT_ONCE or (chunk and seats > MOST_AT_ONCE):
            yield chunk
            chunk = []
        chunk.append(request)
    if chunk:
        yield chunk


def _together(desk: Desk, requests: Sequence[ScoreRequest]) -> Iterator[list[list[Scored]]]:
    bell = Bell()
    began = time.monotonic()
    while (groups := _queued(desk, requests, bell, began)) is None:
        yield []
        bell.wait(SILENCE_SECONDS)
    try:
        while groups:
            bell.wait(SILENCE_SECONDS)
            ready = 0
            while ready < len(groups) and all(seat.reason for seat in groups[ready]):
                ready += 1
            done, groups = groups[:ready], groups[ready:]
            yield [[scores_of(desk.tokenizer, seat) for seat in group] for group in done]
    finally:
        for seat in (seat for group in groups for seat in group):
            seat.stopped.set()


def _queued(
    desk: Desk, requests: Sequence[ScoreRequest], bell: Bell, began: float
) -> list[list[Seat]] | None:
    """The waiting seats of every request; None while there is no room for them."""
    groups: list[list[Seat]] = []
    try:
        for request in requests:
            groups.append(desk.claim(request, bell=bell))
        in_turn = chain.from_iterable(zip_longest(*groups))
        if going := to_score([seat for seat in in_turn if seat is not None]):
            desk.queue(going)
    except BaseException as error:
        for seat in (seat for group in groups for seat in group):
            seat.free()
        if isinstance(error, Busy) and time.monotonic() - began <= PATIENCE_SECONDS:
            return None
        raise
    return groups
