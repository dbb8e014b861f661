"""The scoreboard: questions of a held-out set answered by every column, and what the answers are worth.

All columns answer a question side by side, so that a stopped board is a smaller one, not a lopsided
one. Knows no visitor.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from demo.engine.claims import Source
from demo.engine.many import PATIENCE_SECONDS
from demo.engine.stream import SILENCE_SECONDS
from demo.errors import Busy
from demo.evaluation.labels import labels_of
from demo.evaluation.scores import of_rows, perplexities, scored
from demo.experiments.classify import Model
from demo.experiments.line import Line
from demo.experiments.progress import timed
from demo.experiments.questions import MOST_CHARACTERS, Pose, Question
from demo.judging_records import Column, Judged, JudgeRequest, Score, Scoreboard
from demo.prompting.extract import taken
from demo.records import Answer, AnswerRequest, Sampling, ScoreRequest

AT_ONCE = 12
"""Answers under way: enough to fill a batch, few enough to leave places to chats."""
REFRESH = 8
"""Scores are computed anew whenever so many more questions, or half as many more, have been answered."""
TRIES = 3
"""Answers that the load has cut say nothing about who gave them, and are asked for again."""
RETRY_SECONDS = 1.0
"""Between two tries to find room."""


@dataclass(frozen=True)
class Seat:
    """A column at the table."""

    column: Column
    source: Source
    pose: Pose
    title: str = ""
    """What people call who answers; empty for the base model."""


def scoreboard(
    model: Model,
    seats: Sequence[Seat],
    questions: Sequence[Question],
    request: JudgeRequest,
    line: Line,
) -> Iterator[Scoreboard]:
    """Answer, then measure how likely the references are; tell how far it has come all along.

    Args:
        model: answers and scores.
        seats: the columns.
        questions: that each of them is asked.
        request: whose board it is, and how long answers may be.
        line: all boards stand in it for their answers.
    """
    began = time.monotonic()
    references = tuple(question.references for question in questions)
    board = Scoreboard(
        tuple(question.asked for question in questions),
        references,
        labels_of(references),
        tuple(Judged(seat.column, seat.title) for seat in seats),
        total=2 * len(seats) * len(questions),
    )
    done: list[tuple[Answer, ...]] = []
    for done in _answered(model, seats, questions, request, line):
        news = len(done) - board.scored
        enough = news >= max(REFRESH, board.scored // 2) or len(done) == len(questions)
        board = _with_answers(board, done, request.rule, measure=enough)
        yield (board := timed(board, len(done) * len(seats), began))
    for logprobs, tokens in _likelihoods(model, seats, questions, request):
        asked = len(done) * len(seats) + sum(map(len, logprobs))
        if all(len(own) == len(questions) for own in logprobs):
            board = _with_scores(board, "perplexity", perplexities(logprobs, tokens))
        yield (board := timed(board, asked, began))
    yield replace(board, done=True, seconds_left=0.0)


def _answered(
    model: Model,
    seats: Sequence[Seat],
    questions: Sequence[Question],
    request: JudgeRequest,
    line: Line,
) -> Generator[list[tuple[Answer, ...]], None, None]:
    """Complete rows of answers, [questions][columns], again at least once a second."""
    rows = max(1, AT_ONCE // len(seats))
    done: list[tuple[Answer, ...]] = []
    for start in range(0, len(questions), rows):
        chunk = questions[start : start + rows]
        asked = [_request(seat, question, request) for question in chunk for seat in seats]
        sources = [seat.source for _ in chunk for seat in seats]
        answers: tuple[Answer, ...] = ()
        with line.place() as my_turn:
            while not my_turn(SILENCE_SECONDS):
                yield list(done)
            for _ in range(TRIES):
                for growing in _streamed(model, asked, sources, PATIENCE_SECONDS * bool(done)):
                    answers = growing
                    yield list(done)
                if all(answer.reason != "time" for answer in answers):
                    break
        done += [answers[i : i + len(seats)] for i in range(0, len(answers), len(seats))]
        yield list(done)


def _streamed(
    model: Model, asked: Sequence[AnswerRequest], sources: Sequence[Source], patience: float
) -> Iterator[tuple[Answer, ...]]:
    """Growing answers, nothing while there is no room for them. Raises what ended one of them.

    Args:
        model: who answers.
        asked: questions, and below who answers each.
        sources: of each.
        patience: seconds that memory full of changed weights is waited for; none at the start of a
            board, whose own columns may need more of them than there can be.
    """
    began = time.monotonic()
    while True:
        try:
            stream = model.stream(asked, sources)
            break
        except Busy as error:
            most = patience if error.key == "copies_full" else PATIENCE_SECONDS
            if time.monotonic() - began >= most:
                raise
        yield ()
        time.sleep(RETRY_SECONDS)
    with closing(stream):
        for answers in stream:
            for failed in (answer.error for answer in answers if answer.error):
                raise failed
            yield answers


def _request(seat: Seat, question: Question, request: JudgeRequest) -> AnswerRequest:
    return AnswerRequest(
        seat.pose.messages(question),
        seat.column.adapter,
        request.workspace,
        request.visitor or request.workspace,
        Sampling(request.max_new_tokens, seed=request.seed),
        completion=seat.pose.completion,
    )


def _with_answers(
    board: Scoreboard, done: Sequence[tuple[Answer, ...]], rule: str, *, measure: bool
) -> Scoreboard:
    if len(done) == board.n:
        return board
    columns = [
        _judged(own, [row[place] for row in done], rule) for place, own in enumerate(board.columns)
    ]
    board = replace(board, columns=tuple(columns))
    return measured(board) if measure else board


def _judged(judged: Judged, answers: Sequence[Answer], rule: str) -> Judged:
    return replace(
        judged,
        answers=tuple(taken(rule, answer.text).answer for answer in answers),
        lengths=tuple(answer.tokens for answer in answers),
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        seconds=sum(answer.seconds for answer in answers) / max(1, len(answers)),
    )


def measured(board: Scoreboard) -> Scoreboard:
    """The board with every score of the answers so far."""
    answers = [column.answers for column in board.columns]
    found = scored(answers, board.references[: board.n], board.labels)
    lengths = of_rows([[float(n) for n in column.lengths] for column in board.columns])
    columns = zip(board.columns, found, lengths, strict=True)
    return replace(
        board,
        columns=tuple(
            replace(column, scores={**column.scores, **scores, "length": length})
            for column, scores, length in columns
        ),
    )


def _with_scores(board: Scoreboard, name: str, scores: Sequence[Score]) -> Scoreboard:
    pairs = zip(board.columns, scores, strict=True)
    columns = tuple(replace(c, scores={**c.scores, name: score}) for c, score in pairs)
    return replace(board, columns=columns)


def _likelihoods(
    model: Model, seats: Sequence[Seat], questions: Sequence[Question], request: JudgeRequest
) -> Iterator[tuple[list[list[float]], list[int]]]:
    """Log-probability of every first reference, [columns][questions], and its tokens."""
    logprobs: list[list[float]] = [[] for _ in seats]
    tokens: list[int] = []
    for place, seat in enumerate(seats):
        asked = [_reference(seat, question, request) for question in questions]
        for news in model.score_all(asked, seat.source):
            for (scored_reference,) in news:
                logprobs[place].append(scored_reference.logprob)
                if not place:
                    tokens.append(scored_reference.count)
            yield logprobs, tokens


def _reference(seat: Seat, question: Question, request: JudgeRequest) -> ScoreRequest:
    return ScoreRequest(
        seat.pose.messages(question),
        (_continued(question.references[0], seat),),
        seat.column.adapter,
        request.workspace,
        request.visitor or request.workspace,
        completion=seat.pose.completion,
        # A reference that was cut does not end where it stops.
        closed=not seat.pose.completion and len(question.references[0]) < MOST_CHARACTERS,
    )


def _continued(reference: str, seat: Seat) -> str:
    """A reference as it stands behind its prompt: a text that is continued wants a space before it."""
    return f" {reference}" if seat.pose.completion else reference
