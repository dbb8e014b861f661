"""Rows in the making: prompts are read in pieces, answers decoded together, texts scored.

Knows token ids, caches and blends; not threads, text or visitors.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from torch import Tensor

from demo.engine.forward import Forward, Part, RowCache
from demo.engine.turns.careful import Careful, out_of_memory
from demo.engine.turns.prefixes import FEWEST, PrefixStore, common_length
from demo.engine.turns.sample import Choice, Sampler, judged, one_thread
from demo.methods.adaptation import PLAIN, Blend
from demo.records import Sampling

LOG = logging.getLogger(__name__)
PIECE = 256
"""Tokens of prompts read in one call: about a third of a second on two cores."""
GRID = 128
"""Where cutting shows in the last digits, every prompt is cut here, and prefixes end here too: so an
answer with a known prefix is the answer without, bit by bit."""
SCORED_PIECE = 64
"""Fewer where every token's logits are wanted: each is a product with the whole vocabulary."""


@dataclass(eq=False)
class BatchRow:
    """One answer in the making, or one text being scored."""

    prompt: tuple[int, ...]
    sampling: Sampling = field(default_factory=Sampling)
    blend: Blend = PLAIN
    scored: tuple[int, ...] = ()
    """The text to be scored after the prompt; nothing is generated then."""
    alternatives: int = 0
    judging: bool = False
    """Keep how likely every token was; always so while scoring."""
    looking: bool = False
    """Keep the logits of its first token."""
    looked: Tensor | None = None
    """[vocabulary], where `looking`."""
    cache: RowCache | None = None
    generated: list[int] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    reused: int = 0
    """Tokens of the prompt that another row had read before."""
    reason: str = ""
    """Why it ended: `end` or `length`, `error`; empty while it goes on."""
    problem: Exception | None = None

    @cached_property
    def sampler(self) -> Sampler:
        """Its own source of chance."""
        return Sampler(self.sampling, self.prompt)

    @cached_property
    def source(self) -> tuple[int, ...]:
        """What is read before anything is drawn; the last scored token is judged, never read."""
        return (*self.prompt, *self.scored[:-1])

    @property
    def unread(self) -> int:
        """Tokens of `source` that are still to be read."""
        if self.generated or self.reason:
            return 0
        return len(self.source) - (self.cache.length if self.cache else 0)

    @property
    def judged_from(self) -> int:
        """The first position whose logits are wanted."""
        return len(self.prompt) - 1

    def fail(self, problem: Exception) -> None:
        """End with an error; nobody else is concerned."""
        self.problem, self.reason = problem, "error"


class Batch:
    """Moves rows forward, each by its own doing alone."""

    def __init__(self, forward: Forward, end_ids: frozenset[int]) -> None:
        self.forward = forward
        self.end_ids = end_ids
        self.prefixes = PrefixStore(step=1 if forward.exact_reuse else GRID)
        self.careful = Careful(forward, self.prefixes.clear)

    def read(self, rows: Sequence[BatchRow], tokens: int = PIECE) -> int:
        """Read pieces of prompts, so many tokens in all; returns how many were read.

        Afterwards a row has its first token, its scores, a problem, or more to read.
        """
        parts = self._pieces(rows, tokens)
        results = self.careful.run([part for _, part in parts]) if parts else []
        with one_thread():
            for (row, part), logits in zip(parts, results, strict=True):
                _guarded(row, logits, partial(self._take_piece, part))
        return sum(len(part.ids) for _, part in parts)

    def step(self, rows: Sequence[BatchRow]) -> None:
        """Decode one token for every row."""
        parts = [
            Part(row.generated[-1:], row.cache, row.blend, decoding=True)
            for row in rows
            if row.cache is not None
        ]
        results = self.careful.run(parts) if parts else []
        with one_thread():
            for row, logits in zip(rows, results, strict=True):
                _guarded(row, logits, self._draw)

    def attention(self, ids: Sequence[int], blend: Blend) -> Tensor:
        """How much the last of some tokens draws from all of them: [layers, heads, places].

        What was read of them before is not read again, and what is read now others begin with.
        """
        found = self.prefixes.find(blend.key, ids)
        cache = found.cache if found else self.forward.new_cache(blend, len(ids))
        if unread := ids[cache.length : -1]:
            self.forward.run([Part(unread, cache, blend, wanted="none")])
        weights = self.forward.attention(Part(ids[-1:], cache, blend))
        if unread and self.forward.exact_reuse:
            self.prefixes.put(blend.key, ids, cache)
        return weights

    def finish(self, row: BatchRow) -> None:
        """Let others begin with what an ended row has read, and forget its cache."""
        if row.cache is not None and row.problem is None and row.cache.length:
            self._remember(row, row.cache)
        row.cache = None

    def _pieces(self, rows: Sequence[BatchRow], left: int) -> list[tuple[BatchRow, Part]]:
        parts: list[tuple[BatchRow, Part]] = []
        for row in rows:
            if row.cache is None and not self._begun(row, rows):
                continue
            part = self._piece(row, left)
            if not part.ids or len(part.ids) > left:
                break
            parts.append((row, part))
            left -= len(part.ids)
        return parts

    def _begun(self, row: BatchRow, rows: Sequence[BatchRow]) -> bool:
        """`_begin`, a second time with memory given back; what goes wrong then ends this row alone."""
        for last in (False, True):
            try:
                return self._begin(row, rows)
            except Exception as error:
                row.cache, row.reused = None, 0
                if last or not out_of_memory(error):
                    LOG.exception("a row could not begin")
                    row.fail(error)
                    break
                self.prefixes.clear()
        return False

    def _begin(self, row: BatchRow, rows: Sequence[BatchRow]) -> bool:
        """Give a row its cache; False if it had better wait for what another is just reading."""
        known = self.prefixes.common(row.blend.key, row.source[: len(row.prompt)])
        for other in rows:
            if other.cache is not None and other.blend.key == row.blend.key and other.unread:
                shared = common_length(other.source, row.prompt[:-1])
                shared -= shared % self.prefixes.step
                # Of twenty draws of one prompt, nineteen would read what is left of it by themselves.
                least = SCORED_PIECE if row.scored else FEWEST
                if shared - max(known, other.cache.length) >= least:
                    return False
        found = self.prefixes.find(row.blend.key, row.prompt)
        row.reused = found.length if found else 0
        room = len(row.source) + (0 if row.scored else row.sampling.max_new_tokens)
        row.cache = found.cache if found else self.forward.new_cache(row.blend, room)
        return True

    def _piece(self, row: BatchRow, left: int) -> Part:
        assert row.cache is not None
        start, end = row.cache.length, len(row.source)
        # A piece on the grid is never cut short by what is left of the turn.
        most = left if self.forward.exact_reuse else GRID - start % GRID
        if row.scored and start < row.judged_from:
            end = row.judged_from
        elif row.scored:
            most = min(most, SCORED_PIECE)
        ids = row.source[start : min(end, start + most)]
        last = start + len(ids) == len(row.source)
        if row.scored:
            wanted = "all" if start >= row.judged_from else "none"
        else:
            wanted = "last" if last else "none"
        return Part(ids, row.cache, row.blend, wanted=wanted)  # type: ignore[arg-type]

    def _take_piece(self, part: Part, row: BatchRow, logits: Tensor) -> None:
        if part.wanted == "last":
            self._draw(row, logits)
        elif part.wanted == "all":
            self._judge(row, logits)
        # What it has read so far serves whoever asks the same; its cache stays its own.
        self._remember(row, part.cache)

    def _remember(self, row: BatchRow, cache: RowCache) -> None:
        read = (*row.source, *row.generated)[: cache.length]
        if not self.forward.exact_reuse:
            gridded = min(len(read), row.judged_from if row.scored else len(row.prompt))
            read = read[: gridded - gridded % GRID]
        if read:
            self.prefixes.put(row.blend.key, read, cache)

    def _judge(self, row: BatchRow, logits: Tensor) -> None:
        """Keep what the model thought of the scored tokens that follow a piece."""
        begin = len(row.choices)
        for scores, token in zip(logits, row.scored[begin:], strict=False):
            row.choices.append(judged(scores, token, row.alternatives))
        if len(row.choices) == len(row.scored):
            row.reason = "end"

    def _draw(self, row: BatchRow, logits: Tensor) -> None:
        if row.looking and not row.generated:
            row.looked = logits[-1].clone()
        token = row.sampler.draw(logits[-1])
        if row.judging:
            row.choices.append(judged(logits[-1], token, row.alternatives))
        row.generated.append(token)
        if token in self.end_ids:
            row.reason = "end"
        elif len(row.generated) >= row.sampling.max_new_tokens:
            row.reason = "length"


def _guarded(
    row: BatchRow, result: Tensor | Exception, take: Callable[[BatchRow, Tensor], None]
) -> None:
    """Take a result; whatever goes wrong in that ends its row alone."""
    if isinstance(result, Exception):
        row.fail(result)
        return
    try:
        take(row, result)
    except Exception as error:
        LOG.exception("a row could not take its logits")
        row.fail(error)
