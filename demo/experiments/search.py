"""Prompt search: the model proposes instructions from examples, and each is scored on held-out rows.

After APE (Zhou et al. 2023). The best of many looks better than it is, so it is measured once more
on rows that the choice did not look at. Knows no visitor.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from demo.evaluation.chance import paired
from demo.experiment_records import Measured, Rung, RungKind, Search, SearchRequest
from demo.experiments.classify import Asker, classified
from demo.experiments.generate import answered
from demo.experiments.labelled import LabelledSet
from demo.experiments.progress import timed
from demo.experiments.proposals import instruction_prompt, instructions_of
from demo.prompting.frame import Frame, render
from demo.prompting.shots import Shot, draw
from demo.records import Answer, Message, Sampling

INSTRUCTION_TOKENS = 60

Prompt = tuple[RungKind, str]


def examples_of(request: SearchRequest, rows: LabelledSet) -> tuple[Shot, ...]:
    """The solved rows that the model is shown; none of them is asked."""
    return draw(rows.train, request.examples, request.seed, (q.input for q in rows.questions))


def halves(rows: LabelledSet) -> tuple[tuple[Shot, ...], tuple[Shot, ...]]:
    """Questions to choose by, and questions to check the choice with."""
    return rows.questions[::2], rows.questions[1::2]


def asked_with(instruction: str, question: Shot) -> tuple[Message, ...]:
    """A question under an instruction, without any example."""
    return render(Frame.chat(instruction=instruction), (), question.input)


def instructions(
    asker: Asker, rows: LabelledSet, request: SearchRequest, given: str
) -> Iterator[Search]:
    """Propose, score, check; tell how far it has come at least every quarter second."""
    began = time.monotonic()
    choosing, checking = halves(rows)
    prompts: list[Prompt] = [("given", given), ("none", "")]
    so_far = Search(
        guess=replace(rows, questions=choosing).guess,
        questions=len(choosing),
        total=request.candidates + (2 + request.candidates) * len(choosing) + 2 * len(checking),
    )
    for answers in _proposals(asker, request, examples_of(request, rows)):
        so_far = _proposed(so_far, answers, began)
        yield so_far
    prompts += [("proposed", text) for text in instructions_of(answers)]
    spared = (2 + request.candidates - len(prompts)) * len(choosing)
    so_far = replace(so_far, stage="score", total=so_far.total - spared)
    for step in _scored(asker, rows, so_far, (prompts, choosing), began):
        yield (so_far := step)
    best = next((rung for rung in so_far.rungs if rung.kind == "proposed"), None)
    if best is not None:
        finalists: list[Prompt] = [("given", given), ("proposed", best.text)]
        so_far = replace(so_far, stage="check")
        for step in _scored(asker, rows, so_far, (finalists, checking), began):
            yield (so_far := step)
    yield replace(so_far, stage="done", done=True, seconds_left=0.0)


def _proposals(
    asker: Asker, request: SearchRequest, examples: Sequence[Shot]
) -> Iterator[tuple[Answer, ...]]:
    prompt = instruction_prompt(examples)
    samplings = [
        Sampling(INSTRUCTION_TOKENS, request.temperature, seed=(request.seed + n) % 2**31)
        for n in range(request.candidates)
    ]
    yield from answered(asker, [prompt] * request.candidates, samplings)


def _proposed(so_far: Search, answers: Sequence[Answer], began: float) -> Search:
    usable, ended = len(instructions_of(answers)), sum(answer.done for answer in answers)
    return timed(replace(so_far, proposed=usable, discarded=ended - usable), ended, began)


def _scored(
    asker: Asker,
    rows: LabelledSet,
    so_far: Search,
    what: tuple[Sequence[Prompt], Sequence[Shot]],
    began: float,
) -> Iterator[Search]:
    """Rungs as they are measured: of the ladder, or once that stands, of the check."""
    before = so_far.asked
    for rungs in _rungs(asker, rows, *what):
        asked = before + sum(rung.measured.count for rung in rungs)
        if so_far.stage == "check":
            found = replace(so_far, checked=tuple(rungs))
        else:
            found = replace(so_far, rungs=ladder(rungs))
        yield timed(found, asked, began)


def _rungs(
    asker: Asker, rows: LabelledSet, prompts: Sequence[Prompt], questions: Sequence[Shot]
) -> Iterator[list[Rung]]:
    truth = [question.output for question in questions]
    done: list[Rung] = []
    for kind, text in prompts:
        asked = [asked_with(text, question) for question in questions]
        measured = Measured()
        for measured in classified(asker, asked, rows.labels, truth):
            yield [*done, Rung(kind, text, measured)]
        done.append(Rung(kind, text, measured, apart(done[0].measured, measured) if done else 1.0))
        yield list(done)


def apart(first: Measured, other: Measured) -> float:
    """How often chance alone sets two prompts so far apart on the same questions."""
    pairs = zip(first.right, other.right, strict=True)
    return paired([int(b) - int(a) for a, b in pairs])


def ladder(rungs: Sequence[Rung]) -> tuple[Rung, ...]:
    """The best first; among equals, the one that was asked first."""
    return tuple(sorted(rungs, key=lambda rung: -rung.measured.share))
