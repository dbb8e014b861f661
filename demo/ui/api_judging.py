"""The scripting endpoint that scores: a dataset, a prompt and some adapters in, scores with n and intervals out.

Checks no range and knows no limit, since the Lab does.
"""

import math
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gradio as gr

from demo.checks import chosen
from demo.judging_records import Column, Judged, JudgeRequest, Score, Scoreboard
from demo.lab import Lab
from demo.ui.endpoint import explained_steps, names, text

TELL_SECONDS = 1.0


class Judging:
    """The endpoint; its signature is what a script passes."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    @explained_steps
    def evaluate(
        self,
        request: gr.Request,
        dataset: str,
        adapters: list[str],
        workspace: str = "",
        prompt: str = "",
        metric: str = "",
        questions: int = 48,
        shots: int = 0,
        max_new_tokens: int = 80,
        rule: str = "none",
        seed: int = 0,
        answers: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Scores of several adapters on one set, each with n, interval and difference to the first.

        Until they are known, how far it has come: a script that leaves meanwhile is noticed, and its
        board ends as one does whose page was closed.
        """
        capability = text(workspace)
        asked = JudgeRequest(
            text(dataset),
            tuple(Column(name, shots) for name in names(adapters) if name),
            text(prompt),
            capability,
            capability or str(request.session_hash),
            questions,
            max_new_tokens,
            text(rule),
            seed,
        )
        board, told = Scoreboard(), time.monotonic()
        with closing(self.lab.judging.scoreboard(asked)) as boards:  # type: ignore[type-var]
            for board in boards:
                if time.monotonic() - told > TELL_SECONDS and not board.done:
                    told = time.monotonic()
                    yield {"n": board.n, "asked": board.asked, "total": board.total}
        yield board_facts(board, text(metric), answers=bool(answers))


def board_facts(board: Scoreboard, metric: str, *, answers: bool) -> dict[str, Any]:
    """A scoreboard as a script gets it.

    Args:
        board: complete or stopped.
        metric: the only one to tell; empty tells all.
        answers: tell every question with its references and answers too.

    Raises:
        BadInput: no such metric was measured here; the message lists those that were.
    """
    if metric:
        chosen("metric", metric, tuple(board.columns[0].scores))
    facts: dict[str, Any] = {
        "n": board.n,
        "learned": board.learned,
        "stopped": board.stopped,
        "columns": [_column(column, metric) for column in board.columns],
    }
    if answers:
        facts["rows"] = [
            {
                "question": question,
                "references": list(board.references[n]),
                "answers": [column.answers[n] for column in board.columns],
            }
            for n, question in enumerate(board.questions[: board.n])
        ]
    return facts


def _column(judged: Judged, metric: str) -> dict[str, Any]:
    return {
        "adapter": judged.column.adapter,
        "shots": judged.column.shots,
        "scores": {
            name: _score(score) for name, score in judged.scores.items() if metric in ("", name)
        },
        "tokens": sum(judged.lengths),
        "prompt_tokens": judged.prompt_tokens,
        "seconds": round(judged.seconds, 3),
    }


def _score(score: Score) -> dict[str, Any]:
    interval, apart = score.interval, score.against_first
    facts: dict[str, Any] = {
        "value": _number(interval.value),
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
    }
    if apart is not None:
        facts |= {"difference": _number(apart.value), "chance": apart.chance}
    return facts


def _number(value: float) -> float | None:
    """JSON has no word for what is no number."""
    return value if math.isfinite(value) else None
