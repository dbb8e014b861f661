"""How good answers are against their references: each score by the library that others use for it.

Every metric gives one figure per answer, 0 to 100. Of BLEU and chrF the figure of all answers is not
their mean: `corpus` has it. Knows neither who answered nor how certain a score is.
"""

import re
import string
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import sacrebleu
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import Tokenizer
from torchmetrics.functional.text import squad

References = Sequence[Sequence[str]]
"""What each answer might have been; none of them is empty."""
Rows = Callable[[Sequence[str], References], list[float]]
WORD = re.compile(r"[^\W_]+")
ARTICLE = re.compile(r"\b(a|an|the)\b")
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
ROUGES = ("rouge1", "rouge2", "rougeL")


def figures(answers: Sequence[str], references: References) -> dict[str, list[float]]:
    """Every metric whose figure of all answers is the mean of theirs, by the name that scripts use."""
    matched = squads(answers, references)
    return {
        "exact_match": matched["exact_match"],
        "contains": contains(answers, references),
        "f1": matched["f1"],
        **rouges(answers, references),
    }


def squads(answers: Sequence[str], references: References) -> dict[str, list[float]]:
    """`exact_match` and `f1` of the words shared with the nearest reference (SQuAD, Rajpurkar 2016).

    Both are blind to case, articles, punctuation and spaces.
    """
    scores = [_squad(*pair) for pair in zip(answers, references, strict=True)]
    return {"exact_match": [exact for exact, _ in scores], "f1": [shared for _, shared in scores]}


def contains(answers: Sequence[str], references: References) -> list[float]:
    """Whether a reference stands word for word in the answer, whatever the case."""
    found = (
        any(_holds(answer, reference) for reference in own)
        for answer, own in zip(answers, references, strict=True)
    )
    return [100.0 * one for one in found]


def _holds(answer: str, reference: str) -> bool:
    words = _words(reference)
    if not words:  # A sign, as "+".
        return reference.strip().casefold() in answer.casefold()
    return f" {words} " in f" {_words(answer)} "


def rouges(answers: Sequence[str], references: References) -> dict[str, list[float]]:
    """F1 of shared words (`rouge1`), pairs (`rouge2`) and longest sequence (`rougeL`) (Lin 2004)."""
    pairs = zip(answers, references, strict=True)
    scores = [_scorer().score_multi(list(own), answer) for answer, own in pairs]
    return {kind: [100.0 * score[kind].fmeasure for score in scores] for kind in ROUGES}


def sentence_bleu(answers: Sequence[str], references: References) -> list[float]:
    """BLEU of each answer alone, smoothed: only to find the best and the worst."""
    pairs = zip(answers, references, strict=True)
    return [float(sacrebleu.sentence_bleu(answer, list(own)).score) for answer, own in pairs]


def sentence_chrf(answers: Sequence[str], references: References) -> list[float]:
    """ChrF of each answer alone."""
    pairs = zip(answers, references, strict=True)
    return [float(sacrebleu.sentence_chrf(answer, list(own)).score) for answer, own in pairs]


class _Letters(Tokenizer):  # type: ignore[misc]
    """Words of any alphabet: rouge-score's own tokenizer ends a word at every ő or ł."""

    def tokenize(self, text: str) -> list[str]:
        return WORD.findall(text.lower())


@cache
def _scorer() -> RougeScorer:
    return RougeScorer(list(ROUGES), tokenizer=_Letters())


def _squad(answer: str, references: Sequence[str]) -> tuple[float, float]:
    """Exact match and F1; a reference of which SQuAD would leave nothing is compared as it stands.

    "A", one choice of several, is an article to it, and "+" is punctuation: an empty answer would
    equal both.
    """
    bare = [reference for reference in references if not _left_by_squad(reference)]
    plain = [reference for reference in references if reference not in bare]
    same = any(answer.strip().casefold() == reference.strip().casefold() for reference in bare)
    if same or not plain:
        return 100.0 * same, 100.0 * same
    return _squad_of(answer, plain)


def _squad_of(answer: str, references: Sequence[str]) -> tuple[float, float]:
    given: Any = {"prediction_text": answer, "id": ""}
    wanted: Any = {
        "answers": {"answer_start": [0] * len(references), "text": list(references)},
        "id": "",
    }
    score = squad(given, wanted)
    return float(score["exact_match"]), float(score["f1"])


def _left_by_squad(text: str) -> str:
    """What stays of a text without punctuation and articles."""
    return ARTICLE.sub(" ", text.lower().translate(NO_PUNCTUATION)).strip()


def _words(text: str) -> str:
    return " ".join(WORD.findall(text.casefold()))


SENTENCES: dict[str, Rows] = {"bleu": sentence_bleu, "chrf": sentence_chrf}
"""What tells the best and the worst answer, of the metrics that `corpus` has."""
