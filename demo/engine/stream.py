"""What the asking thread reads: growing `Answer`s of seats that belong together.

Knows no model: token ids come in, text goes out.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from demo.engine.turns.sample import Choice
from demo.engine.turns.seat import Bell, Seat
from demo.records import Alternative, Answer, TokenChoice
from demo.text.tokenizer import LabTokenizer

SILENCE_SECONDS = 0.25
"""A stream yields at least this often, so that a closed page is noticed while its answer waits."""
PAUSE_SECONDS = 0.06
"""Increments within this time are given out as one: no eye reads faster."""


@dataclass(frozen=True)
class Place:
    """Where a seat stands among those that wait."""

    number: int = 0
    """1 for the next; 0 for who has a seat."""
    seconds: float = 0.0


class Stream:
    """The answers of seats. Closing it, or dropping it, frees the seats."""

    def __init__(
        self,
        seats: Sequence[Seat],
        bell: Bell,
        tokenizer: LabTokenizer,
        place: Callable[[Seat], Place],
    ) -> None:
        self._seats = seats
        self._bell = bell
        self._place = place
        self._tokenizer = tokenizer
        self._choices = [GrowingChoices(tokenizer) for _ in seats]

    def __iter__(self) -> Iterator[tuple[Answer, ...]]:
        """Growing answers, one per seat; the last increment has every `done` set."""
        try:
            while True:
                answers = tuple(map(self._answer, range(len(self._seats))))
                yield answers
                if all(answer.done for answer in answers):
                    return
                self._bell.wait(SILENCE_SECONDS, PAUSE_SECONDS)
        finally:
            self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Stop; the engine frees the rows before its next token."""
        for seat in self._seats:
            seat.stopped.set()

    def _answer(self, index: int) -> Answer:
        seat = self._seats[index]
        # The reason is written last: whoever sees it sees the whole answer.
        reason, ids = seat.reason, seat.ids
        place = Place() if reason else self._place(seat)
        text = self._tokenizer.decode(ids)
        return Answer(
            # A character that is not complete yet waits for its end.
            text=text if reason else text.rstrip("\ufffd"),
            tokens=len(ids),
            prompt_tokens=seat.prompt_tokens,
            seconds=time.monotonic() - seat.asked
            if place.number or not (ids or reason)
            else seat.seconds,
            done=bool(reason),
            reason=reason,  # type: ignore[arg-type]
            waiting=place.number,
            wait_seconds=place.seconds,
            reused=seat.row.reused,
            choices=self._choices[index].grown(seat.choices[: len(ids)]),
            error=seat.error,
        )


class GrowingChoices:
    """The choices of an answer with their texts; those told before are kept."""

    def __init__(self, tokenizer: LabTokenizer) -> None:
        self._tokenizer = tokenizer
        self._told: tuple[TokenChoice, ...] = ()

    def grown(self, choices: Sequence[Choice]) -> tuple[TokenChoice, ...]:
        """All choices so far."""
        new = choices[len(self._told) :]
        self._told += tuple(named(self._tokenizer, choice) for choice in new)
        return self._told


def named(tokenizer: LabTokenizer, choice: Choice) -> TokenChoice:
    """A choice with the texts of its tokens."""
    alternatives = tuple(
        Alternative(token, tokenizer.decode([token], control=True), logprob)
        for token, logprob in choice.likeliest
    )
    text = tokenizer.decode([choice.id], control=True)
    return TokenChoice(choice.id, text, choice.logprob, choice.rank, alternatives)
