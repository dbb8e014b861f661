"""Questions to an engine, as short as tests need them."""

from pathlib import Path
from typing import Any

from demo.engine.service import Engine
from demo.records import Answer, AnswerRequest, Sampling, conversation


def request(question: str, **sampling: Any) -> AnswerRequest:
    """A chat of one question, greedy and short unless said otherwise."""
    return AnswerRequest(
        conversation(question), sampling=Sampling(**{"max_new_tokens": 24, **sampling})
    )


def ask(engine: Engine, question: str, folder: Path | None = None, **sampling: Any) -> Answer:
    """The whole answer to one question."""
    *_, last = engine.stream([request(question, **sampling)], [folder])
    return last[0]
