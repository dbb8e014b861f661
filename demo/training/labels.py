"""What a classifier learns from: the labels of a run's rows, and the loss of choosing among them.

Does not know how the head is built or saved, nor any optimizer.
"""

from collections.abc import Sequence as ListOf
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from demo.errors import BadInput
from demo.methods.method import Label
from demo.methods.readers.head import FEWEST_LABELS, LONGEST_LABEL, MOST_LABELS
from demo.methods.tuning.head import LabelHeadLayer, last_hidden
from demo.text.template import Sequence
from demo.text.tokenizer import LabTokenizer
from demo.training.batches import Batch
from demo.training.loss import CompletionLoss, TokenLosses


def labels_of(tokenizer: LabTokenizer, sequences: ListOf[Sequence], name: str) -> tuple[Label, ...]:
    """The distinct answers of all rows, in the order of their tokens.

    Args:
        tokenizer: writes them out.
        sequences: of all rows, held-out ones among them.
        name: of the dataset, for an error.

    Raises:
        BadInput: a row is no question with one answer, or there are too few labels or too many.
    """
    strange = sum(not _is_labelled(sequence) for sequence in sequences)
    if strange:
        raise BadInput("answers_not_one", file=name, got=strange)
    found = {sequence.ids[sequence.trained.index(True) :] for sequence in sequences}
    labels = tuple(Label(tokenizer.decode(list(ids)), ids) for ids in sorted(found))
    if len(labels) < FEWEST_LABELS:
        raise BadInput("labelled_one", file=name, label=labels[0].text if labels else "")
    if len(labels) > MOST_LABELS or max(len(label.ids) for label in labels) > LONGEST_LABEL:
        raise BadInput("labelled_many", file=name, got=len(labels), high=MOST_LABELS)
    return labels


def _is_labelled(sequence: Sequence) -> bool:
    """A prompt, and one answer that ends it."""
    first = sequence.trained.index(True)
    return first > 0 and all(sequence.trained[first:])


class LabelLoss:
    """Measures a head on batches; what the frozen model makes of a prompt is computed once.

    A label's loss is shared out over its tokens, so that the mean is per token, as of any method.
    """

    def __init__(self, model: Any, head: LabelHeadLayer) -> None:
        self.model = model
        self.head = head
        self.numbers = {label.ids: number for number, label in enumerate(head.labels)}
        self._hidden: dict[tuple[int, ...], Tensor] = {}

    def __call__(self, batch: Batch) -> TokenLosses:
        """The loss of each trained token."""
        firsts = batch.trained.int().argmax(1)
        lengths = batch.trained.sum(1)
        rows = [
            row[:length] for row, length in zip(batch.ids.tolist(), batch.mask.sum(1), strict=True)
        ]
        targets = [
            self.numbers[tuple(row[first:])] for row, first in zip(rows, firsts, strict=True)
        ]
        prompts = [tuple(row[:first]) for row, first in zip(rows, firsts, strict=True)]
        self._read([prompt for prompt in prompts if prompt not in self._hidden], batch.ids.device)
        logits = self.head(torch.stack([self._hidden[prompt] for prompt in prompts]))
        answers = torch.tensor(targets, device=logits.device)
        losses = functional.cross_entropy(logits, answers, reduction="none")
        return TokenLosses((losses / lengths).repeat_interleave(lengths))

    def of_base(self) -> CompletionLoss:
        """What the base loses that has to write the labels."""
        return CompletionLoss(self.model)

    def _read(self, prompts: ListOf[tuple[int, ...]], device: torch.device) -> None:
        if not prompts:
            return
        widest = max(map(len, prompts))
        ids = torch.tensor([[*prompt, *[0] * (widest - len(prompt))] for prompt in prompts])
        mask = torch.tensor([[1] * len(p) + [0] * (widest - len(p)) for p in prompts])
        hidden = last_hidden(self.model, ids.to(device), mask.to(device))
        self._hidden.update(zip(prompts, hidden, strict=True))
