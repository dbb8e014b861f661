"""The very batch that a step of a run would learn from, token by token, before anything is trained.

Made by the functions that the trainer itself uses: the same split, encoding, order and padding.
"""

from collections.abc import Sequence as ListOf

from demo.checks import bounded
from demo.errors import BadInput
from demo.run_records import BatchLook, BatchRow, Row, TrainSettings
from demo.text.pieces import named_tokens
from demo.text.template import Sequence
from demo.text.tokenizer import LabTokenizer
from demo.training.batches import Batch, collate, whole_order
from demo.training.readings import Readings
from demo.training.schedule import total_steps


def batch_at(
    tokenizer: LabTokenizer,
    rows: ListOf[Row],
    settings: TrainSettings,
    step: int,
    readings: Readings,
) -> BatchLook:
    """The batch of one step.

    Args:
        tokenizer: of the base model.
        rows: the whole dataset.
        settings: of the run.
        step: from 1.
        readings: the rows in tokens, where a plan has them already.

    Raises:
        BadInput: there is no such step, or no row fits.
    """
    encoded = readings.of(tokenizer, rows, settings).train
    if not encoded.sequences:
        raise BadInput("rows_too_long", got=len(rows), high=settings.max_length)
    steps = total_steps(len(encoded.sequences), settings)
    place = bounded("step", step, 1, steps, int)
    lengths = [len(sequence.ids) for sequence in encoded.sequences]
    order = whole_order(lengths, settings.batch_size, settings.seed, settings.epochs, steps)
    chosen = [encoded.sequences[index] for index in order[int(place) - 1]]
    batch = collate(chosen, "cpu")
    shown = tuple(_row(tokenizer, sequence, batch, i) for i, sequence in enumerate(chosen))
    return BatchLook(int(place), steps, shown, batch.shared, encoded.too_long)


def _row(tokenizer: LabTokenizer, sequence: Sequence, batch: Batch, index: int) -> BatchRow:
    read = int(batch.mask[index].sum())
    trained = [bool(flag) for flag in batch.trained[index, :read]]
    return BatchRow(
        tokens=named_tokens(tokenizer, sequence.ids, None),
        trained=(*trained, *[False] * (len(sequence.ids) - read)),
        read=read,
        padding=batch.ids.shape[1] - read,
    )
