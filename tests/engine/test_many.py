"""Many prompts to score are patient: with a full queue, and with memory full of changed weights."""

from collections.abc import Sequence
from typing import Any

import pytest

from demo.engine import many
from demo.engine.many import Desk, score_many
from demo.engine.turns.seat import Bell, Seat
from demo.errors import Busy
from demo.records import ScoreRequest

NO_COPY = Busy("copies_full", high=2)
ASKED = [ScoreRequest((), ("yes",))]


def desk(refusals: list[Busy]) -> Desk:
    """Refuses so often, and makes no seat then: there is nothing to read."""

    def claim(request: ScoreRequest, *, bell: Bell) -> list[Seat]:
        assert request in ASKED
        assert isinstance(bell, Bell)
        if refusals:
            raise refusals.pop(0)
        return []

    def queue(seats: Sequence[Seat]) -> None:
        assert not seats

    tokenizer: Any = None
    return Desk(claim, queue, tokenizer)


def test_weights_that_others_hold_are_waited_for() -> None:
    assert list(score_many(desk([NO_COPY, NO_COPY]), ASKED)) == [[], [], [[]]]


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "PATIENCE_SECONDS", -1.0)
    with pytest.raises(Busy):
        list(score_many(desk([NO_COPY]), ASKED))
