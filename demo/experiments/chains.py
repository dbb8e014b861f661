"""Worked examples that the model writes itself, against hand-written ones, against none.

After Auto-CoT (Zhang et al. 2023): a chain of thought without examples, kept when it has a result,
becomes an example for the next question. Large models gain; small ones are not expected to.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from demo.data.split import split
from demo.errors import BadInput
from demo.experiment_records import Measured, Rung, RungKind, Search, SearchRequest
from demo.experiments.classify import Asker, measured
from demo.experiments.generate import answered
from demo.experiments.progress import timed
from demo.experiments.proposals import chain_prompt, diverse, number_in, same_number, worked
from demo.experiments.search import apart, ladder
from demo.prompting.extract import taken
from demo.prompting.frame import Chain, Frame, render
from demo.prompting.shots import Shot, draw, of_row, written
from demo.records import Answer, Message, Sampling
from demo.run_records import Row

CHAIN_TOKENS = 192
TRIES = 3
"""Questions that the model may try for every example that is wanted."""


@dataclass(frozen=True)
class Problems:
    """Word problems: some to learn the form from, others to be asked."""

    train: tuple[Row, ...]
    questions: tuple[Shot, ...]


@dataclass(frozen=True)
class Ladder:
    """What is compared: a kind, the examples it shows, and how the steps are asked for."""

    kind: RungKind
    shots: tuple[Shot, ...]
    chain: Chain

    def prompt(self, question: Shot) -> tuple[Message, ...]:
        """What the model reads."""
        return render(Frame.chat(), self.shots, question.input, self.chain)


def problems(name: str, rows: Sequence[Row], request: SearchRequest) -> Problems:
    """Part a set of worked problems in two.

    Raises:
        BadInput: an answer has no result, or there are too few rows.
    """
    usable = [row for row in rows if number_in(of_row(row).result)]
    if not usable:
        raise BadInput("no_chains", file=name)
    tried = TRIES * request.candidates
    wanted = min(request.questions, len(usable) - tried)
    if wanted < 1:
        raise BadInput("labelled_few", file=name, got=len(usable), low=tried + 1)
    train, held_out = split(usable, wanted / len(usable), request.seed)
    return Problems(train, tuple(of_row(row) for row in held_out[:wanted]))


def rungs_of(request: SearchRequest, rows: Problems) -> tuple[Ladder, ...]:
    """What is compared before the model has written anything."""
    asked = [question.input for question in rows.questions]
    shots = draw(rows.train, request.candidates, request.seed, asked)
    return (
        Ladder("plain", (), "none"),
        Ladder("steps", (), "steps"),
        Ladder("hand", shots, "worked"),
    )


def chains(asker: Asker, rows: Problems, request: SearchRequest) -> Iterator[Search]:
    """Let the model write examples, then ask every rung; tell how far it has come."""
    began = time.monotonic()
    questions = rows.questions
    tried = diverse([of_row(row) for row in rows.train], TRIES * request.candidates)
    so_far = Search(total=len(tried) + 4 * len(questions), questions=len(questions))
    answers: tuple[Answer, ...] = ()
    prompts = [chain_prompt(question.input) for question in tried]
    with closing(answered(asker, prompts, _greedy(len(tried)))) as writing:
        for answers in writing:
            so_far = _written(so_far, tried, answers, began)
            yield so_far
            if so_far.proposed >= request.candidates:
                break
    own = _kept(tried, answers)[: request.candidates]
    rungs = [*rungs_of(request, rows), *([Ladder("model", own, "worked")] if own else [])]
    total = so_far.asked + len(rungs) * len(questions)
    so_far = replace(so_far, stage="score", total=total)
    for step in _measured(asker, rungs, questions, so_far, began):
        yield (so_far := step)
    yield replace(so_far, stage="done", done=True, seconds_left=0.0)


def _greedy(count: int) -> list[Sampling]:
    return [Sampling(CHAIN_TOKENS)] * count


def _kept(tried: Sequence[Shot], answers: Sequence[Answer]) -> tuple[Shot, ...]:
    pairs = zip(tried, answers, strict=False)
    found = [worked(question, answer) for question, answer in pairs if answer.done]
    return tuple(shot for shot in found if shot is not None)


def _written(
    so_far: Search, tried: Sequence[Shot], answers: Sequence[Answer], began: float
) -> Search:
    """How many examples there are, and how many of them happen to be right."""
    kept, ended = _kept(tried, answers), sum(answer.done for answer in answers)
    results = {question.input: question.result for question in tried}
    right = sum(same_number(shot.result, results[shot.input]) for shot in kept)
    told = replace(so_far, proposed=len(kept), discarded=ended - len(kept), proposed_right=right)
    return timed(told, ended, began)


def _measured(
    asker: Asker, rungs: Sequence[Ladder], questions: Sequence[Shot], so_far: Search, began: float
) -> Iterator[Search]:
    before, done = so_far.asked, list[Rung]()
    for rung in rungs:
        prompts = [rung.prompt(question) for question in questions]
        now = Rung(rung.kind, written(rung.shots), measured((), 0))
        for answers in answered(asker, prompts, _greedy(len(prompts))):
            now = replace(now, measured=_judged(rung, questions, answers))
            asked = before + sum(r.measured.count for r in (*done, now))
            yield timed(replace(so_far, rungs=ladder([*done, now])), asked, began)
        chance = apart(done[0].measured, now.measured) if done else 1.0
        done.append(replace(now, chance=chance))
        so_far = replace(so_far, rungs=ladder(done))
        asked = before + sum(r.measured.count for r in done)
        yield timed(so_far, asked, began)


def _judged(rung: Ladder, questions: Sequence[Shot], answers: Sequence[Answer]) -> Measured:
    """Right and wrong of the answers that have ended."""
    ended = [(q, a) for q, a in zip(questions, answers, strict=False) if a.done]
    right = [same_number(_result(rung, answer.text), q.result) for q, answer in ended]
    return measured(right, sum(answer.prompt_tokens for _, answer in ended))


def _result(rung: Ladder, text: str) -> str:
    """The marked result where the examples have the mark and the model wrote it, else the last number."""
    marked = taken("after_hashes", text).answer if rung.chain == "worked" else ""
    return number_in(marked) or number_in(text)
