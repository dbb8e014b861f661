"""How much accuracy depends on the order of the shots, the wording, the labels, and on having shots at all.

Orders: Lu et al. 2022. Random labels: Min et al. 2022, "Rethinking the Role of Demonstrations".
Everything else stays equal, and every variant answers the same questions. Knows no visitor.
"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from demo.evaluation.chance import paired, spread, wilson
from demo.experiment_records import (
    KINDS,
    KindFinding,
    Measured,
    Sensitivity,
    SensitivityRequest,
    Variant,
    VariantKind,
)
from demo.experiments.classify import Asker, classified
from demo.experiments.labelled import LabelledSet
from demo.experiments.progress import timed
from demo.prompting.frame import Frame, render
from demo.prompting.shots import Shot, arranged, draw, shuffled
from demo.records import Message


@dataclass(frozen=True)
class Plan:
    """A variant before it is asked."""

    kind: VariantKind
    number: int
    detail: str
    instruction: str
    shots: tuple[Shot, ...]

    def prompt(self, question: str) -> tuple[Message, ...]:
        """What the model reads."""
        return render(Frame.chat(instruction=self.instruction), self.shots, question)


def plans(
    request: SensitivityRequest, rows: LabelledSet, wordings: Sequence[str]
) -> tuple[Plan, ...]:
    """Every variant: the prompt as given, then one thing changed at a time."""
    first, *others = wordings
    shots = draw(rows.train, request.shots, request.seed, (q.input for q in rows.questions))
    orders = _orders(len(shots), request.orders, request.seed)
    relabelled = [
        _relabelled(shots, rows.labels, request.seed + n) for n in range(request.random_labels)
    ]
    as_given = Plan("as_given", 1, first, first, shots)
    variants = [
        replace(as_given, kind="order", detail=" ".join(map(str, o)), shots=arranged(shots, o))
        for o in orders
    ]
    variants += [replace(as_given, kind="wording", detail=w, instruction=w) for w in others]
    variants += [
        replace(as_given, kind="random_labels", detail=" ".join(s.output for s in new), shots=new)
        for new in relabelled
    ]
    variants.append(replace(as_given, kind="zero", detail=first, shots=()))
    return (as_given, *_numbered(variants))


def _numbered(variants: Sequence[Plan]) -> list[Plan]:
    kinds = [variant.kind for variant in variants]
    return [replace(v, number=kinds[: i + 1].count(v.kind)) for i, v in enumerate(variants)]


def _orders(count: int, wanted: int, seed: int) -> list[tuple[int, ...]]:
    """Different orders, none of them the given one; few shots have few."""
    found = dict.fromkeys(shuffled(count, seed * 1000 + n) for n in range(1, 20 * wanted + 1))
    return [order for order in found if order != shuffled(count, 0)][:wanted]


def _relabelled(shots: Sequence[Shot], labels: Sequence[str], seed: int) -> tuple[Shot, ...]:
    """The shots with labels drawn at random, each label as likely as the next."""
    source = random.Random(seed)
    return tuple(replace(shot, output=source.choice(labels)) for shot in shots)


def sensitivity(asker: Asker, rows: LabelledSet, variants: Sequence[Plan]) -> Iterator[Sensitivity]:
    """Ask every variant every question; tell how far it has come at least every quarter second."""
    began = time.monotonic()
    questions = [question.input for question in rows.questions]
    truth = [question.output for question in rows.questions]
    so_far = Sensitivity(
        labels=rows.labels,
        guess=rows.guess,
        questions=len(questions),
        shots=len(variants[0].shots),
        total=len(variants) * len(questions),
    )
    for plan in variants:
        asked, before = so_far.asked, so_far.variants
        prompts = [plan.prompt(question) for question in questions]
        for answers in classified(asker, prompts, rows.labels, truth):
            complete = answers.count == len(questions)
            variant = Variant(plan.kind, plan.number, plan.detail, answers, complete)
            so_far = timed(
                replace(so_far, variants=(*before, variant)), asked + answers.count, began
            )
            if not complete:
                yield so_far
        so_far = replace(so_far, findings=findings(so_far.variants))
        yield so_far
    yield replace(so_far, done=True, seconds_left=0.0)


def findings(variants: Sequence[Variant]) -> tuple[KindFinding, ...]:
    """What every kind of variants amounts to; only complete ones count."""
    complete = [variant for variant in variants if variant.complete]
    given = next((v.measured for v in complete if v.kind == "as_given"), None)
    if given is None:
        return ()
    found = []
    for kind in KINDS:
        others = [variant.measured for variant in complete if variant.kind == kind]
        if others:
            found.append(_finding(kind, given, others))
    return tuple(found)


def _finding(kind: VariantKind, given: Measured, others: Sequence[Measured]) -> KindFinding:
    """Orders and wordings are compared with each other, the other kinds with the prompt as given."""
    alike = kind in ("order", "wording")
    shown = [given, *others] if alike else list(others)
    chance = (
        spread([measured.right for measured in shown])
        if alike
        else paired(_differences(given, others))
    )
    shares = [measured.share for measured in shown]
    mean = sum(shares) / len(shares)
    low, high = wilson(mean * given.count, given.count)
    return KindFinding(kind, len(shown), mean, low, high, max(shares), min(shares), chance)


def _differences(given: Measured, others: Sequence[Measured]) -> list[int]:
    """Question by question: right answers of all others, less those of the prompt as given."""
    columns = zip(*(measured.right for measured in others), strict=True)
    return [
        sum(column) - len(others) * right
        for column, right in zip(columns, given.right, strict=True)
    ]
