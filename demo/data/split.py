"""Holds rows out for evaluation, so that no prompt is both trained on and evaluated on.

Knows nothing of tokens or runs.
"""

import random
from collections.abc import Sequence

from demo.records import Message
from demo.run_records import Row


def split(
    rows: Sequence[Row], share: float, seed: int, most: int = 0
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Training and evaluation rows, each in the order of the file.

    Rows with the same prompt stay on one side. With a share above 0 and two or more prompts, both
    sides get at least one.

    Args:
        rows: all rows.
        share: the part to hold out, as nearly as whole prompts allow, never more unless that is none.
        seed: the same seed and rows give the same split.
        most: only the first so many rows are trained on; 0 for all. Those held out stay the same.
    """
    groups: dict[tuple[Message, ...], list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(prompt_of(row), []).append(index)
    held_out = (
        _held_out(list(groups.values()), round(share * len(rows)), seed) if share > 0 else set()
    )
    train = tuple(row for index, row in enumerate(rows) if index not in held_out)
    return train[: most or None], tuple(rows[index] for index in sorted(held_out))


def prompt_of(row: Row) -> tuple[Message, ...]:
    """Everything before the last assistant turn; of plain text, the text itself."""
    if row.raw:
        return row.messages
    last = max(index for index, message in enumerate(row.messages) if message.role == "assistant")
    return row.messages[:last]


def _held_out(groups: list[list[int]], wanted: int, seed: int) -> set[int]:
    if len(groups) < 2:
        return set()
    random.Random(seed).shuffle(groups)
    held_out: set[int] = set()
    for group in groups[:-1]:
        if len(held_out) + len(group) <= wanted:
            held_out.update(group)
    smallest: list[int] = min(groups, key=len)
    return held_out or set(smallest)
