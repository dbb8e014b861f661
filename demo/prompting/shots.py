"""Choose and order the solved examples that stand before a question: from rows or as typed, by a seed.

Knows no model and no dataset: rows are handed in, and `frame.py` makes messages of what comes out.
"""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from demo.checks import bounded, checked_text
from demo.errors import BadInput
from demo.prompting.extract import after_hashes
from demo.run_records import Row

MOST_SHOTS = 32
"""As many as GPT-3 was given on SuperGLUE (Brown et al. 2020)."""
LONGEST_TYPED = 40_000
ARROW = "=>"


@dataclass(frozen=True)
class Shot:
    """One solved example."""

    input: str
    output: str
    """The answer; a worked one holds its steps and ends with "#### " and the result."""

    @property
    def worked(self) -> bool:
        """Whether the steps stand before the result."""
        return bool(self.result) and not self.output.lstrip().startswith("####")

    @property
    def result(self) -> str:
        """What stands after the mark of a worked answer; empty where there is no mark."""
        return after_hashes(self.output)

    @property
    def short(self) -> str:
        """The answer without its steps."""
        return self.result if self.worked else self.output


def typed(text: str) -> tuple[Shot, ...]:
    """Shots written by hand, one per line: `input => output`. Empty lines are skipped.

    Raises:
        BadInput: a line has no arrow, or nothing before or after it; the message names the line.
    """
    text = checked_text("shots", text, LONGEST_TYPED, empty=True)
    lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    bounded("shots", len(lines), 0, MOST_SHOTS, int)
    return tuple(_typed(number, line) for number, line in lines)


def _typed(number: int, line: str) -> Shot:
    # The last arrow: a chain of thought may end with `#### 4`, and an input may hold an arrow.
    before, arrow, after = line.rpartition(ARROW)
    if not arrow or not before.strip() or not after.strip():
        raise BadInput("shot_line", line=number)
    return Shot(before.strip(), _lines(after.strip()))


def _lines(output: str) -> str:
    """A worked answer typed on one line gets its result on a line of its own, as everywhere."""
    return re.sub(r"(?<![ \t])[ \t]+####[ \t]*", "\n#### ", output)


def written(shots: Iterable[Shot]) -> str:
    """Shots as `typed` reads them."""
    return "\n".join(f"{_flat(s.input)} {ARROW} {_flat(s.output)}" for s in shots)


def _flat(text: str) -> str:
    return " ".join(text.split())


def of_row(row: Row) -> Shot:
    """A row of a dataset: its last question and its last answer."""
    last = max(i for i, message in enumerate(row.messages) if message.role == "assistant")
    question = next((m for m in reversed(row.messages[:last]) if m.role == "user"), None)
    return Shot(question.content.strip() if question else "", row.messages[last].content.strip())


def draw(rows: Sequence[Row], count: int, seed: int, asked: Iterable[str] = ()) -> tuple[Shot, ...]:
    """Shots from rows, in an order that the seed decides.

    More shots of the same seed begin with the fewer: what changes between K and 2K is what is added.
    Where there are not enough rows, there are fewer shots.

    Args:
        rows: of a train split.
        count: how many, 0 to `MOST_SHOTS`.
        seed: the same seed and rows give the same shots.
        asked: questions that none of the shots may give away.
    """
    count = bounded("shots", count, 0, MOST_SHOTS, int)
    taken = {_flat(text) for text in asked}
    found: dict[str, Shot] = {}
    for shot in map(of_row, rows):
        if shot.input and shot.output and _flat(shot.input) not in taken:
            found.setdefault(_flat(shot.input), shot)
    shots = list(found.values())
    random.Random(seed).shuffle(shots)
    return tuple(shots[:count])


def arranged(shots: Sequence[Shot], order: Sequence[int]) -> tuple[Shot, ...]:
    """The shots in an order of numbers from 1; those it does not name follow as they stood."""
    places = dict.fromkeys([n for n in order if 1 <= n <= len(shots)])
    return tuple(shots[n - 1] for n in (places | dict.fromkeys(range(1, len(shots) + 1))))


def shuffled(count: int, seed: int) -> tuple[int, ...]:
    """An order of `count` shots; seed 0 leaves them as they are."""
    order = list(range(1, count + 1))
    if seed:
        random.Random(seed).shuffle(order)
    return tuple(order)


def swapped(order: Sequence[int], first: int, second: int) -> tuple[int, ...]:
    """An order with what stands in two places, counted from 1, exchanged."""
    changed = list(order)
    one, other = (bounded("place", n, 1, max(len(changed), 1), int) - 1 for n in (first, second))
    if changed:
        changed[one], changed[other] = changed[other], changed[one]
    return tuple(changed)


def read_order(text: str, count: int) -> tuple[int, ...]:
    """An order as it is written, "3 1 2", completed to `count` places; empty text changes nothing.

    Raises:
        BadInput: something in it is no whole number.
    """
    numbers = [
        bounded("order", part, 1, MOST_SHOTS, int)
        for part in re.split(r"[\s,;]+", text.strip())
        if part
    ]
    named = dict.fromkeys(n for n in numbers if n <= count)
    return tuple(named | dict.fromkeys(range(1, count + 1)))
