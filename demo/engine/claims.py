"""From requests to seats: prompts are rendered and measured, adapters read and prepared.

Runs in the thread that asks, so that nobody else waits for it. Knows neither queue nor thread.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from demo.checks import bounded
from demo.engine.model.adapters import AdapterCache
from demo.engine.model.load import BaseModel
from demo.engine.scoring import scored_ids
from demo.engine.turns.batch import BatchRow
from demo.engine.turns.seat import Asker, Bell, Seat
from demo.errors import BadInput
from demo.methods.adaptation import PLAIN, Blend
from demo.methods.limits import check_blend
from demo.records import AnswerRequest, RenderedPrompt, ScoreRequest
from demo.text.pieces import named_tokens

MOST_CONTINUATIONS = 16
"""Scored after one prompt by one request."""

Source = Path | Sequence[tuple[Path, float]] | None
"""Who answers: the base, the adapter in a folder, or a sum of adapters at strengths."""


class Claims:
    """Makes seats for one base model."""

    def __init__(self, base: BaseModel, adapters: AdapterCache) -> None:
        self.base = base
        self.adapters = adapters

    def render(self, request: AnswerRequest) -> RenderedPrompt:
        """The exact prompt of a request, with what its answer begins with.

        Raises:
            BadInput: `begun` holds what is no token of a text.
        """
        tokenizer = self.base.tokenizer
        if request.completion:
            text = request.messages[-1].content
            ids = tokenizer.encode(text, start=True, control=request.control)
        else:
            ids = tokenizer.chat(request.messages, answer=True)
        ids += self._text_ids(request.begun)
        return RenderedPrompt(tokenizer.decode(ids, control=True), tuple(ids), self.base.context)

    def named(self, request: AnswerRequest) -> RenderedPrompt:
        """The exact prompt with the bytes of each token and who wrote them."""
        prompt = self.render(request)
        messages = None if request.completion else request.messages
        tokens = named_tokens(self.base.tokenizer, prompt.ids, messages)
        return replace(prompt, tokens=tokens)

    def answers(
        self, requests: Sequence[AnswerRequest], sources: Sequence[Source], bell: Bell
    ) -> list[Seat]:
        """A seat for every request.

        Raises:
            BadInput: a prompt does not fit, or an adapter cannot be used.
        """
        rows = []
        for request, source in zip(requests, sources, strict=True):
            prompt = self.render(request)
            blend = self._blend(source, request.merged)
            if blend.head and request.begun:
                raise BadInput("head_alone")
            self._require_room(prompt, request, blend)
            rows.append(
                BatchRow(
                    prompt.ids,
                    request.sampling,
                    blend,
                    alternatives=request.alternatives,
                    judging=request.alternatives > 0,
                )
            )
        visitor = requests[0].visitor or requests[0].workspace
        return self._seats(rows, Asker(visitor, bell))

    def look(self, request: AnswerRequest, source: Source, bell: Bell) -> Seat:
        """A seat for one token, which keeps the logits that it is drawn from. Raises `BadInput`."""
        one = replace(request, sampling=replace(request.sampling, max_new_tokens=1))
        (seat,) = self.answers([one], [source], bell)
        seat.row.looking = True
        return seat

    @contextmanager
    def held(self, source: Source, merged: bool) -> Iterator[Blend]:
        """A blend made ready for one look beside the seats. Raises `BadInput`."""
        blend = self._blend(source, merged)
        self.base.forward.prepare(blend)
        try:
            yield blend
        finally:
            self.base.forward.release(blend)

    def scores(self, request: ScoreRequest, source: Source, bell: Bell) -> list[Seat]:
        """A seat in the background for every continuation.

        Raises:
            BadInput: a text does not fit, there are too many, or an adapter cannot be used.
        """
        bounded("continuations", len(request.continuations), 1, MOST_CONTINUATIONS, int)
        blend = self._blend(source, request.merged)
        rows = []
        for continuation in request.continuations:
            ids = scored_ids(self.base.tokenizer, request, continuation)
            tokens = len(ids.prompt) + len(ids.continuation) + blend.virtual_tokens
            if tokens > self.base.context:
                raise BadInput("score_too_long", got=tokens, high=self.base.context)
            rows.append(
                BatchRow(
                    ids.prompt,
                    blend=blend,
                    scored=ids.continuation,
                    alternatives=request.alternatives,
                )
            )
        return self._seats(rows, Asker(request.visitor or request.workspace, bell, True))

    def _seats(self, rows: Sequence[BatchRow], asker: Asker) -> list[Seat]:
        seats: list[Seat] = []
        try:
            for row in rows:
                seats.append(self._seat(row, asker))
        except BaseException:
            for seat in seats:
                seat.free()
            raise
        return seats

    def _seat(self, row: BatchRow, asker: Asker) -> Seat:
        self.base.forward.prepare(row.blend)
        return Seat(row, asker, lambda: self.base.forward.release(row.blend))

    def _blend(self, source: Source, merged: bool) -> Blend:
        if source is None:
            return PLAIN
        weighted = [(source, 1.0)] if isinstance(source, Path) else source
        terms = tuple((self.adapters.get(folder), strength) for folder, strength in weighted)
        check_blend(terms, merged)
        return Blend(terms, merged and bool(terms))

    def _text_ids(self, ids: Sequence[int]) -> list[int]:
        high = self.base.tokenizer.size - 1
        checked = [bounded("begun", token, 0, high, int) for token in ids]
        if not self.base.tokenizer.control_ids.isdisjoint(checked):
            raise BadInput("begun_control")
        return checked

    def _require_room(self, prompt: RenderedPrompt, request: AnswerRequest, blend: Blend) -> None:
        got, new = len(prompt.ids) + blend.virtual_tokens, request.sampling.max_new_tokens
        if got + new > prompt.context:
            raise BadInput("prompt_too_long", got=got, new=new, high=prompt.context)
