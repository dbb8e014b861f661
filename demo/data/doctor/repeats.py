"""Finds rows that repeat or contradict each other.

Knows nothing of tokens or of what is done about it.
"""

import re
from collections import Counter
from collections.abc import Sequence

from demo.data.split import prompt_of, split
from demo.records import Message
from demo.run_records import Row

MOST_LABELS = 20
LONGEST_LABEL = 40
"""Characters; a longer completion is no label."""
MARKS = re.compile(r"[\W_]+")


def repeated(rows: Sequence[Row]) -> frozenset[int]:
    """Indices of rows that an earlier row equals in every word."""
    seen: set[tuple[Message, ...]] = set()
    found = set()
    for index, row in enumerate(rows):
        if row.messages in seen:
            found.add(index)
        seen.add(row.messages)
    return frozenset(found)


def twins(rows: Sequence[Row]) -> frozenset[int]:
    """Indices of rows whose prompt another one had before but for case, spaces and marks.

    Rows with exactly the same prompt are no twins: they stay on one side of the split anyway.
    """
    first: dict[str, tuple[Message, ...]] = {}
    found = set()
    for index, row in enumerate(rows):
        prompt = prompt_of(row)
        if first.setdefault(key_of(row), prompt) != prompt:
            found.add(index)
    return frozenset(found)


def shared(rows: Sequence[Row], share: float, seed: int) -> tuple[Row, ...]:
    """Held-out rows whose prompt is learned, too, written a little differently."""
    train, held_out = split(rows, share, seed)
    learned = {key_of(row) for row in train}
    return tuple(row for row in held_out if key_of(row) in learned)


def key_of(row: Row) -> str:
    """The prompt without case, spaces and marks; as it stands where nothing else is in it."""
    said = "\x1f".join(m.content for m in prompt_of(row) if m.role != "system")
    return MARKS.sub(" ", said.casefold()).strip() or said


def completion_of(row: Row) -> str:
    """What the row ends with."""
    return row.messages[-1].content


def labels(rows: Sequence[Row]) -> Counter[str]:
    """How often each label occurs; empty where the completions are no labels."""
    counts = Counter(map(completion_of, rows))
    short = all(len(label) <= LONGEST_LABEL for label in counts)
    few = len(counts) <= min(MOST_LABELS, max(len(rows) // 3, 1))
    whole = any(row.raw for row in rows)
    return counts if short and few and not whole else Counter()


def contradicting(rows: Sequence[Row]) -> frozenset[int]:
    """Indices of rows that give another label than most rows with the same prompt.

    Where labels are equally many, the first one stays. Completions that are no labels may differ.
    """
    if not labels(rows):
        return frozenset()
    by_prompt: dict[str, Counter[str]] = {}
    for row in rows:
        by_prompt.setdefault(key_of(row), Counter())[completion_of(row)] += 1
    usual = {key: counts.most_common(1)[0][0] for key, counts in by_prompt.items()}
    return frozenset(
        index for index, row in enumerate(rows) if completion_of(row) != usual[key_of(row)]
    )
