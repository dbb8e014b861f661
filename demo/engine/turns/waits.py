"""How long somebody will wait: the order in which answers are begun, and the pace measured so far.

Pure arithmetic over a schedule; knows no thread, model or text.
"""

import heapq
from typing import Protocol, TypeVar

from demo.engine.turns.schedule import QUANTUM, Claim, Schedule

RECENT = 0.1
"""Weight of the newest measurement."""


class Paced(Claim, Protocol):
    """A claim that knows how much work it is."""

    @property
    def unread(self) -> int:
        """Tokens of its prompt that are still to be read."""

    @property
    def left(self) -> int:
        """The most tokens that it may still draw."""


P = TypeVar("P", bound=Paced)


class Pace:
    """Measured speeds; they start at those of two slow cores."""

    def __init__(self) -> None:
        self.step_seconds = 0.05
        """One token for every seated answer."""
        self.read_seconds = 0.003
        """One token of a prompt."""
        self.answer_tokens = 64.0
        """A usual answer."""

    def stepped(self, seconds: float) -> None:
        """One token was drawn for everybody."""
        self.step_seconds += RECENT * (seconds - self.step_seconds)

    def read(self, tokens: int, seconds: float) -> None:
        """Tokens of prompts were read."""
        self.read_seconds += RECENT * (seconds / tokens - self.read_seconds)

    def answered(self, tokens: int) -> None:
        """An answer ended by itself."""
        self.answer_tokens += RECENT * (tokens - self.answer_tokens)

    def waits(self, schedule: Schedule[P]) -> dict[P, float]:
        """Seconds until the first token of every waiting claim, in the order of their turns."""
        free = [0.0] * (schedule.seats - len(schedule.seated))
        free += [self._steps(claim, claim.served, schedule.crowded) for claim in schedule.seated]
        heapq.heapify(free)
        reading = sum(claim.unread for claim in schedule.seated) * self.read_seconds
        result, order = {}, schedule.order()
        for number, claim in enumerate(order, start=1):
            start = heapq.heappop(free)
            reading += claim.unread * self.read_seconds
            result[claim] = start * self.step_seconds + reading
            others = any(c.visitor != claim.visitor and not c.background for c in order[number:])
            heapq.heappush(free, start + self._steps(claim, 0, others))
        return result

    def _steps(self, claim: Paced, served: int, crowded: bool) -> float:
        """Steps until a claim leaves its seat, by its end or because others have none."""
        steps = 0.0 if claim.background else min(claim.left, self.answer_tokens)
        return min(steps, max(0, QUANTUM - served)) if crowded else steps
