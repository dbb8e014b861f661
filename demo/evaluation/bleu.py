"""BLEU of answers against their references, by sacrebleu so that figures compare with others'.

Does not know where the answers come from.
"""

from collections.abc import Sequence
from typing import Any

import sacrebleu


def bleu(answers: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU, 0 to 100, each answer against all of its references."""
    return float(sacrebleu.corpus_bleu(list(answers), columns(references)).score)


def single_bleu(answers: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU against the first reference alone: lower, and comparable with older papers."""
    return bleu(answers, [own[:1] for own in references])


def columns(references: Sequence[Sequence[str]]) -> list[Any]:
    """As sacrebleu reads them: the k-th reference of every answer, None where there are fewer."""
    most = max(len(own) for own in references)
    return [[own[k] if k < len(own) else None for own in references] for k in range(most)]
