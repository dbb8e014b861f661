"""The datasets that were planned last, in tokens, so that turning a knob does not encode every row anew.

Knows neither plans nor visitors: equal rows read equally are found again, whoever asks.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from demo.data.encode import Encoded, encode_for
from demo.data.split import split
from demo.run_records import Row, TrainSettings
from demo.text.tokenizer import LabTokenizer

MOST = 8
"""Datasets remembered."""
MOST_TOKENS = 2_000_000
"""Of all of them together, some 20 bytes each; a larger dataset is encoded whenever it is asked for."""


class Sides(NamedTuple):
    """Rows to learn and rows held out, in tokens."""

    train: Encoded
    evaluation: Encoded

    @property
    def tokens(self) -> int:
        """Of both."""
        return self.train.tokens + self.evaluation.tokens


class Readings:
    """Encoded datasets, the least recently asked for forgotten first; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Sides] = OrderedDict()

    def of(self, tokenizer: LabTokenizer, rows: Sequence[Row], settings: TrainSettings) -> Sides:
        """The rows split and encoded as a run with these settings would."""
        key = _key(rows, settings)
        with self._lock:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return known
        parts = split(rows, settings.eval_share, settings.seed, settings.rows)
        sides = Sides(*(encode_for(tokenizer, part, settings) for part in parts))
        self._keep(key, sides)
        return sides

    def _keep(self, key: Hashable, sides: Sides) -> None:
        if sides.tokens > MOST_TOKENS:
            return
        with self._lock:
            self._kept[key] = sides
            while len(self._kept) > MOST or self._tokens() > MOST_TOKENS:
                self._kept.popitem(last=False)

    def _tokens(self) -> int:
        return sum(sides.tokens for sides in self._kept.values())


class Held(Readings):
    """For one request: what it read last stays, however large, and goes when the request does.

    Args:
        shared: what all requests read.
    """

    def __init__(self, shared: Readings) -> None:
        super().__init__()
        self._shared = shared
        self._last: tuple[Hashable, Sides] | None = None

    def of(self, tokenizer: LabTokenizer, rows: Sequence[Row], settings: TrainSettings) -> Sides:
        """The rows split and encoded as a run with these settings would."""
        key = _key(rows, settings)
        if self._last is None or self._last[0] != key:
            self._last = key, self._shared.of(tokenizer, rows, settings)
        return self._last[1]


def _key(rows: Sequence[Row], settings: TrainSettings) -> Hashable:
    """What the tokens depend on."""
    names = ("eval_share", "seed", "rows", "max_length", "template", "train_end")
    asked = tuple(getattr(settings, name) for name in names)
    return hash(tuple((row.messages, row.raw) for row in rows)), len(rows), asked
