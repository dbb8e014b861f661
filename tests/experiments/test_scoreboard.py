"""How a board asks: in line with other boards, patient with a full queue, and never content with half an answer."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from demo.errors import Busy
from demo.experiments import scoreboard as room
from demo.experiments.line import Line
from demo.experiments.questions import Pose, Question
from demo.experiments.scoreboard import Seat, scoreboard
from demo.judging_records import Column, JudgeRequest, Scoreboard
from demo.records import Answer, AnswerRequest, Message, Scored, ScoreRequest, TokenChoice


class Stream(list[tuple[Answer, ...]]):
    """What an engine's stream is to its reader."""

    def close(self) -> None:
        """Nothing to free."""


class Model:
    """Answers at once; refuses or cuts what it is told to.

    Args:
        refusals: raised one after another before any answer is given.
        cut: answers to so many chunks end for lack of time.
    """

    def __init__(self, refusals: Sequence[Busy] = (), cut: int = 0) -> None:
        self.refusals = list(refusals)
        self.cut = cut
        self.chunks: list[int] = []

    def stream(self, requests: Sequence[AnswerRequest], sources: Sequence[Any]) -> Any:
        assert len(requests) == len(sources)
        if self.refusals:
            raise self.refusals.pop(0)
        self.chunks.append(len(requests))
        reason, text = ("time", "ha") if len(self.chunks) <= self.cut else ("end", "half")
        growing = tuple(Answer("h", 1) for _ in requests)
        return Stream(
            [growing, tuple(Answer(text, 2, 3, done=True, reason=reason) for _ in requests)]
        )  # type: ignore[arg-type]

    def score_all(
        self, requests: Sequence[ScoreRequest], source: Any
    ) -> Iterator[list[list[Scored]]]:
        assert source is None
        for _ in requests:
            yield [[Scored((TokenChoice(1, "x", -1.0, 1),), 3)]]


def boards(model: Model, line: Line, columns: int = 3, questions: int = 20) -> Iterator[Scoreboard]:
    seats = [Seat(Column(), None, Pose()) for _ in range(columns)]
    asked = [Question((Message("user", f"{n}?"),), (f"half {n}",)) for n in range(questions)]
    request = JudgeRequest("set", tuple(seat.column for seat in seats))
    return scoreboard(model, seats, asked, request, line)


FULL = Busy("queue_full", got=64, seconds=3)
NO_COPY = Busy("copies_full", high=2)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(room, "SILENCE_SECONDS", 0.01)


def test_a_full_queue_is_waited_for() -> None:
    *_, board = boards(Model([FULL, FULL]), Line())
    assert (board.n, board.done) == (20, True)


def test_more_changed_weights_than_there_can_be_are_refused_at_the_start() -> None:
    model = Model([NO_COPY])
    with pytest.raises(Busy, match="changed copies"):
        list(boards(model, Line()))
    assert not model.chunks


def test_weights_that_others_took_meanwhile_are_waited_for() -> None:
    model = Model()
    steps = boards(model, Line())
    next(board for board in steps if board.n)
    model.refusals = [NO_COPY]
    *_, board = steps
    assert board.n == 20


def test_answers_that_the_load_cut_are_asked_for_again() -> None:
    model = Model(cut=2)
    *_, board = boards(model, Line())
    assert set(board.columns[0].answers) == {"half"}
    assert len(model.chunks) == 5 + 2


def test_a_second_board_asks_once_the_first_one_s_answers_have_ended() -> None:
    line, first, second = Line(), Model(), Model()
    ahead, behind = boards(first, line), boards(second, line)
    next(ahead)
    assert next(behind).n == 0
    assert (len(first.chunks), len(second.chunks)) == (1, 0)
    while len(first.chunks) == 1 and not second.chunks:
        next(ahead)
        next(behind)
    assert second.chunks, "the first board asked twice while the second one waited"
    ahead.close()  # type: ignore[attr-defined]
    *_, board = behind
    assert board.n == 20


def test_scores_follow_the_answers_whatever_the_number_of_columns() -> None:
    for columns in (1, 2, 3, 4):
        for board in boards(Model(), Line(), columns, questions=40):
            assert board.n - board.scored < max(room.REFRESH, board.scored // 2)
