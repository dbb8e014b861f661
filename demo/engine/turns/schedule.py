"""Who is served next: rounds over visitors, first tokens before long answers, background last.

Pure bookkeeping over claims to seats; knows no thread, model or text.
"""

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

QUANTUM = 32
"""Tokens that a row may draw before somebody without any seat takes its turn."""
HEAD_START = 128
"""Turns by which a question without its first token goes before one that was set aside."""
BACKGROUND_SEATS = 4
"""Background claims seated at once: they are read one piece at a time anyway."""


class Claim(Protocol):
    """Somebody's claim to a seat."""

    visitor: str
    """Whose it is: rounds go over visitors."""
    background: bool
    """Nobody watches it: it gives way to every answer."""
    served: int
    """Tokens drawn since it was seated."""
    since: int
    """The turn in which it began to wait."""

    @property
    def begun(self) -> bool:
        """Whether it has its first token."""

    @property
    def tokens(self) -> int:
        """Tokens of prompt and answer that its cache may come to hold."""


C = TypeVar("C", bound=Claim)


@dataclass(frozen=True)
class Moves(Generic[C]):
    """What a turn begins with."""

    seated: tuple[C, ...]
    aside: tuple[C, ...]
    """They keep what they have and wait again."""


class Schedule(Generic[C]):
    """Waiting and seated claims.

    Args:
        seats: claims served at once.
        tokens: what the caches of all claims that hold one may come to; a single one may exceed it.
    """

    def __init__(self, seats: int, tokens: int) -> None:
        self.seats = seats
        self.tokens = tokens
        self.waiting: list[C] = []
        self.seated: list[C] = []
        self.turn = 0
        self._served: dict[str, int] = {}
        """Visitor -> the last turn in which a seat was given to or taken from them."""

    def add(self, claims: Iterable[C]) -> None:
        """Let new claims wait."""
        for claim in claims:
            claim.since = self.turn
            self.waiting.append(claim)

    def remove(self, claim: C) -> None:
        """Forget a claim, wherever it is."""
        if claim in self.seated:
            self.seated.remove(claim)
            self._served[claim.visitor] = self.turn
        else:
            self.waiting.remove(claim)
        if not any(other.visitor == claim.visitor for other in (*self.waiting, *self.seated)):
            self._served.pop(claim.visitor, None)

    def advance(self) -> Moves[C]:
        """Begin a turn: seat whoever is next, and set aside who has been served for long."""
        self.turn += 1
        seated: list[C] = []
        aside: list[C] = []
        full = False
        for claim in self.order():
            # A claim that memory cannot carry yet is not overtaken by new ones, only by old ones
            # that hold their caches already and make room when they end.
            full = full or not self._fits(claim)
            if full and not claim.begun:
                continue
            if self._full(claim):
                leaver = self._leaver(claim)
                if leaver is None:
                    break
                self._set_aside(leaver)
                aside.append(leaver)
            self._seat(claim)
            seated.append(claim)
        return Moves(tuple(seated), tuple(aside))

    def order(self) -> list[C]:
        """The waiting claims in the order in which they will be seated, if nobody else comes."""
        lines: dict[str, list[C]] = {}
        for claim in self.waiting:
            lines.setdefault(claim.visitor, []).append(claim)
        for line in lines.values():
            line.sort(key=lambda c: (c.background, c.begun, c.since))
            line.reverse()
        seats = Counter(claim.visitor for claim in self.seated)
        heads = [
            (self._rank(line[-1], seats), number) for number, line in enumerate(lines.values())
        ]
        heapq.heapify(heads)
        queues, result = list(lines.values()), []
        while heads:
            _, number = heapq.heappop(heads)
            claim = queues[number].pop()
            result.append(claim)
            seats[claim.visitor] += 1
            if queues[number]:
                heapq.heappush(heads, (self._rank(queues[number][-1], seats), number))
        return result

    @property
    def free(self) -> int:
        """Seats that nobody sits on."""
        return max(0, self.seats - len(self.seated))

    @property
    def crowded(self) -> bool:
        """Whether somebody without any seat waits, so that long answers are taken in turns."""
        seated = {claim.visitor for claim in self.seated}
        return any(c.visitor not in seated and not c.background for c in self.waiting)

    def _rank(self, claim: C, seats: Counter[str]) -> tuple[bool, int, int]:
        """Least first: answers, the fewest seats, the longest without service."""
        waited = max(claim.since, self._served.get(claim.visitor, 0))
        return claim.background, seats[claim.visitor], waited + HEAD_START * claim.begun

    def _fits(self, claim: C) -> bool:
        """Whether memory carries one more cache. Who is set aside keeps his, and needs no more.

        Answers do not look at what the background holds: it stands still while they wait.
        """
        holding = [*self.seated, *(c for c in self.waiting if c.begun)]
        held = [c.tokens for c in holding if claim.background or not c.background]
        return not held or claim.begun or sum(held) + claim.tokens <= self.tokens

    def _full(self, claim: C) -> bool:
        if claim.background and sum(c.background for c in self.seated) >= BACKGROUND_SEATS:
            return True
        return len(self.seated) >= self.seats

    def _leaver(self, claim: C) -> C | None:
        """Who gives his seat to `claim`, if anybody should."""
        if claim.background:
            return None
        background = [c for c in self.seated if c.background]
        if background:
            return background[-1]
        seats = Counter(c.visitor for c in self.seated)
        most = max(seats.values())
        if seats[claim.visitor] and most < seats[claim.visitor] + 2:
            return None
        # Who sits on several seats gives one up at once to somebody who has none.
        least = 0 if most > 1 and not seats[claim.visitor] else QUANTUM
        rows = [c for c in self.seated if seats[c.visitor] == most and c.served >= least]
        return max(rows, key=lambda c: (c.served, c.since), default=None)

    def _seat(self, claim: C) -> None:
        self.waiting.remove(claim)
        self.seated.append(claim)
        claim.served = 0
        self._served[claim.visitor] = self.turn

    def _set_aside(self, claim: C) -> None:
        self.seated.remove(claim)
        self.waiting.append(claim)
        claim.since = self.turn
        self._served[claim.visitor] = self.turn
