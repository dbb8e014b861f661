"""Questions to an engine, as short as tests need them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from demo.engine.service import Engine
from demo.records import Answer, AnswerRequest, Sampling, conversation

LONG = {"max_new_tokens": 500, "temperature": 1.0}


def request(question: str, **sampling: Any) -> AnswerRequest:
    """A chat of one question, greedy and short unless said otherwise."""
    return AnswerRequest(
        conversation(question), sampling=Sampling(**{"max_new_tokens": 24, **sampling})
    )


def ask(engine: Engine, question: str, folder: Path | None = None, **sampling: Any) -> Answer:
    """The whole answer to one question."""
    *_, last = engine.stream([request(question, **sampling)], [folder])
    return last[0]


def endless(question: str, visitor: str = "") -> AnswerRequest:
    """A question whose answer goes on for long: noise, since a greedy tiny model soon ends."""
    asked = request(question, **LONG)
    return AnswerRequest(asked.messages, sampling=asked.sampling, visitor=visitor)


def together(engine: Engine, questions: Sequence[str]) -> list[Answer]:
    """The whole answers to questions asked at once."""
    *_, last = engine.stream([request(q) for q in questions], [None] * len(questions))
    return list(last)
