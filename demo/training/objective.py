"""What a run's method is told beforehand, and what its steps minimize: words, or labels.

Does not build anything and takes no step.
"""

from collections.abc import Sequence as ListOf
from typing import Any

from demo.methods.method import Label, Method, Work
from demo.methods.tuning.head import head_of
from demo.run_records import TrainSettings
from demo.text.template import Sequence
from demo.text.tokenizer import LabTokenizer
from demo.training.labels import LabelLoss, labels_of
from demo.training.loss import CompletionLoss, Loss
from demo.training.schedule import total_steps


def work_of(
    method: Method,
    settings: TrainSettings,
    rows: tuple[ListOf[Sequence], ListOf[Sequence]],
    tokenizer: LabTokenizer,
    name: str,
) -> Work:
    """What a method has to know of a run.

    Args:
        method: that will be trained.
        settings: of the run.
        rows: to learn, and held out.
        tokenizer: of the base.
        name: of the dataset, for an error.

    Raises:
        BadInput: the method learns labels, and these rows have none.
    """
    train, evaluation = rows
    labels: tuple[Label, ...] = ()
    if method.objective == "labels":
        labels = labels_of(tokenizer, [*train, *evaluation], name)
    return Work(settings, total_steps(len(train), settings), labels)


def loss_of(model: Any, settings: TrainSettings) -> Loss:
    """What a model that a method built is trained by."""
    head = head_of(model)
    if head is not None:
        return LabelLoss(model, head)
    return CompletionLoss(model, share_prefix=settings.dropout == 0)
