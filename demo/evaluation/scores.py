"""Every score of every column: figures of the rows, intervals, and how the columns differ from the first.

Knows answers and references as texts; neither models nor visitors.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from demo.evaluation import corpus
from demo.evaluation.chance import holm
from demo.evaluation.intervals import difference, of_mean, of_whole
from demo.evaluation.labels import label_accuracy, macro_f1
from demo.evaluation.metrics import SENTENCES, figures
from demo.judging_records import Score

Texts = Sequence[str]
References = Sequence[Texts]
Column = dict[str, Score]
MOST_SURPRISE = 700.0
"""Nats a token: e to this power is the largest that a float can hold, about."""


def scored(answers: Sequence[Texts], references: References, labels: Texts = ()) -> list[Column]:
    """Scores of every column by every metric that fits the references.

    Args:
        answers: [columns][questions].
        references: [questions], one or more each.
        labels: of the whole set, of which these questions may be a part; none where its references
            are no labels.

    Returns:
        Metric -> score, one such a column; empty ones where nothing was asked.
    """
    columns: list[Column] = [{} for _ in answers]
    if not references:
        return columns
    if labels:
        rows = [label_accuracy(own, references, labels) for own in answers]
        _add(columns, "label_accuracy", of_rows(rows))
    counted = [figures(own, references) for own in answers]
    for name in counted[0]:
        _add(columns, name, of_rows([own[name] for own in counted]))
    for name, compared in corpus.compared(answers, references).items():
        pairs = zip(compared, (SENTENCES[name](own, references) for own in answers), strict=True)
        told = [Score(c.score, c.against_first, tuple(own)) for c, own in pairs]
        _add(columns, name, corrected(told))
    _add(columns, "macro_f1", _macro(answers, references, labels))
    return columns


def of_rows(rows: Sequence[Sequence[float]]) -> list[Score]:
    """Means of [columns][questions], each compared with the first column's."""
    first = rows[0]
    found = [
        Score(of_mean(own), difference(own, first) if place and len(own) > 1 else None, tuple(own))
        for place, own in enumerate(rows)
    ]
    return corrected(found)


def perplexities(logprobs: Sequence[Sequence[float]], tokens: Sequence[int]) -> list[Score]:
    """Perplexity of the references under every column: exp of the mean surprise of a token, in nats.

    Args:
        logprobs: [columns][questions], of each whole reference.
        tokens: [questions], of each reference.
    """
    found = []
    for own in logprobs:

        def perplexity(chosen: Sequence[int], own: Sequence[float] = own) -> float:
            return _exp(-sum(own[n] for n in chosen) / max(1, sum(tokens[n] for n in chosen)))

        rows = tuple(_exp(-lp / max(1, n)) for lp, n in zip(own, tokens, strict=True))
        found.append(Score(of_whole(perplexity, len(own)), rows=rows))
    # Not per token: the perplexities are of all tokens together, and so is what tells them apart.
    surprise = [[-lp for lp in own] for own in logprobs]
    apart = [difference(own, surprise[0]) for own in surprise]
    values = zip(found, apart, strict=True)
    first = found[0].interval.value
    told = [
        replace(s, against_first=replace(d, value=s.interval.value - first, low=None, high=None))
        for s, d in values
    ]
    return corrected([found[0], *told[1:]])


def _exp(surprise: float) -> float:
    """A perplexity; beyond what a float holds it stays the largest, and what is no number stays none."""
    return math.exp(min(surprise, MOST_SURPRISE))


def corrected(scores: Sequence[Score]) -> list[Score]:
    """Chances raised for as many comparisons as there are columns beside the first (Holm 1979)."""
    apart = [score.against_first for score in scores]
    raised = iter(holm([one.chance for one in apart if one]))
    return [
        replace(score, against_first=replace(one, chance=next(raised))) if one else score
        for score, one in zip(scores, apart, strict=True)
    ]


def _macro(answers: Sequence[Texts], references: References, labels: Texts) -> list[Score]:
    """Macro F1 of every column, without a test: it is no mean of rows."""
    if len(labels) < 2:
        return []
    found = []
    for own in answers:

        def f1(chosen: Sequence[int], own: Texts = own) -> float:
            picked = [own[n] for n in chosen], [references[n] for n in chosen]
            return macro_f1(*picked, labels)

        found.append(Score(of_whole(f1, len(own))))
    return found


def _add(columns: list[Column], name: str, scores: Sequence[Score]) -> None:
    if scores:
        for column, score in zip(columns, scores, strict=True):
            column[name] = score
