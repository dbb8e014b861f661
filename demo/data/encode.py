"""Turns rows into token ids with a mask of what is learned, and counts the rows that are too long.

Knows nothing of batches, padding or training.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from demo.data.packing import packed
from demo.run_records import Row, TrainSettings
from demo.text.template import Sequence, all_sequences
from demo.text.tokenizer import LabTokenizer


@dataclass(frozen=True)
class Encoded:
    """The rows that fit, in tokens."""

    sequences: tuple[Sequence, ...]
    too_long: int
    """Rows left out because a sequence of theirs exceeds the length."""

    @property
    def tokens(self) -> int:
        """Tokens read in one epoch, padding not counted."""
        return sum(len(sequence.ids) for sequence in self.sequences)

    @property
    def trained_tokens(self) -> int:
        """Of those, the ones that the loss is measured on."""
        return sum(sum(sequence.trained) for sequence in self.sequences)


def encode_for(tokenizer: LabTokenizer, rows: Iterable[Row], settings: TrainSettings) -> Encoded:
    """The token sequences that a run with these settings reads."""
    return encode(
        tokenizer,
        rows,
        settings.max_length,
        template=settings.template,
        train_end=settings.train_end,
    )


def encode(
    tokenizer: LabTokenizer,
    rows: Iterable[Row],
    max_length: int,
    *,
    template: str = "own",
    train_end: bool = True,
) -> Encoded:
    """The token sequences of all rows that fit into `max_length` tokens.

    A row is left out whole rather than cut: a cut row would teach answers without an end. Rows of
    plain text are packed instead, and never too long.

    Args:
        tokenizer: of the base model.
        rows: to encode.
        max_length: tokens of the longest sequence.
        template: one of `TEMPLATES`; plain text has none.
        train_end: whether the end of an answer is learned.
    """
    rows = tuple(rows)
    texts = [row.messages[0].content for row in rows if row.raw]
    fitting = packed(tokenizer, texts, max_length)
    too_long = 0
    chats = [row.messages for row in rows if not row.raw]
    for encoded in all_sequences(tokenizer, chats, template=template, train_end=train_end):
        if all(len(sequence.ids) <= max_length for sequence in encoded):
            fitting.extend(encoded)
        else:
            too_long += 1
    return Encoded(tuple(fitting), too_long)


def lengths(tokenizer: LabTokenizer, rows: Iterable[Row], template: str = "own") -> list[int]:
    """Tokens of each row with the template, of the longest sequence where it makes several."""
    rows = tuple(rows)
    chats = [row.messages for row in rows if not row.raw]
    counts = (
        max(len(sequence.ids) for sequence in encoded)
        for encoded in all_sequences(tokenizer, chats, template=template)
    )
    return [_length(tokenizer, row) if row.raw else next(counts) for row in rows]


def _length(tokenizer: LabTokenizer, row: Row) -> int:
    return len(tokenizer.encode(row.messages[0].content, start=True)) + 1
