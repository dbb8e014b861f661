"""Judge by likelihood: the label that the model finds likeliest after a prompt is its answer.

Nothing is generated, so that no answer is lost to its form. Knows neither shots nor statistics.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from demo.engine.claims import Source
from demo.engine.stream import Stream
from demo.evaluation.chance import wilson
from demo.experiment_records import Measured
from demo.records import AnswerRequest, Message, Scored, ScoreRequest


class Model(Protocol):
    """The engine, as far as an experiment needs it."""

    def score_all(
        self, requests: Sequence[ScoreRequest], source: Source
    ) -> Iterator[list[list[Scored]]]:
        """Scores in order; a step comes at least every quarter second, with nothing new if need be."""

    def stream(self, requests: Sequence[AnswerRequest], sources: Sequence[Source]) -> Stream:
        """Answers of one batch as they grow."""


@dataclass(frozen=True)
class Asker:
    """Who asks whom."""

    model: Model
    source: Source
    """Who answers: base or adapter."""
    asked: ScoreRequest
    """Its visitor, workspace and adapter are every request's."""


def classified(
    asker: Asker,
    prompts: Sequence[tuple[Message, ...]],
    labels: Sequence[str],
    truth: Sequence[str],
) -> Iterator[Measured]:
    """Right and wrong as far as they are known, again at least every quarter second.

    The likelihood of a label is that of the whole of it and of its end; between equals the first one is taken.
    """
    requests = [
        replace(asker.asked, messages=prompt, continuations=tuple(labels), closed=True)
        for prompt in prompts
    ]
    right: list[bool] = []
    tokens = 0
    for news in asker.model.score_all(requests, asker.source):
        for scores in news:
            best = max(range(len(labels)), key=lambda i: scores[i].logprob)
            right.append(labels[best] == truth[len(right)])
            tokens += scores[best].prompt_tokens
        yield measured(right, tokens)


def measured(right: Sequence[bool], tokens: int) -> Measured:
    """Answers with the interval of their share.

    Args:
        right: question by question.
        tokens: of all prompts together.
    """
    low, high = wilson(sum(right), len(right))
    return Measured(tuple(right), tokens / max(len(right), 1), low, high)
