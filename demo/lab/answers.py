"""Everything that is asked of the model: answers, samples, scores, and a look at what it would say.

Whose workspace it is and how much one visitor may ask at once is decided here; the engine only
queues. Knows no run and no widget.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

from demo.checks import bounded, checked_text, chosen
from demo.engine.expression import parse
from demo.engine.model.adapters import AdapterShelf
from demo.engine.service import Engine
from demo.errors import BadInput, Busy
from demo.evaluation.xray import xray
from demo.judging_records import XRay
from demo.lab.own_folders import own_adapters, own_folder
from demo.look_records import Attention, NextToken
from demo.records import (
    BASE,
    ROLES,
    AdapterInfo,
    Answer,
    AnswerRequest,
    Message,
    RenderedPrompt,
    Role,
    Scored,
    ScoreRequest,
)
from demo.settings import ROOT, LabSettings
from demo.training import shelf
from demo.workspace import Workspaces

LONGEST_TEXT = 40_000
"""Characters of one message: about the context of the embedded model, refused before tokenizing."""
MOST_ADAPTERS = 3
"""Beside the base, in one comparison."""
XRAY_ALTERNATIVES = 5
"""The likeliest tokens of every place, of base and of adapter."""
MOST_DRAWS = 32
"""Answers to one question at once."""


class Answers:
    """The model behind a door that counts.

    Args:
        settings: what the operator has set.
        engine: owns the model.
        workspaces: open to whoever holds a capability.
    """

    def __init__(self, settings: LabSettings, engine: Engine, workspaces: Workspaces) -> None:
        self.settings = settings
        self.engine = engine
        self.workspaces = workspaces
        self.adapter_shelf = AdapterShelf(ROOT / "adapters")
        self._under_way: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def running(self) -> int:
        """Answers under way, of all visitors."""
        return self.engine.running

    def render(self, request: AnswerRequest, *, named: bool = False) -> RenderedPrompt:
        """The exact prompt of a request, with its tokens; `named` tells the bytes of each."""
        return self.engine.render(_readable(request), named=named)

    def answer(self, request: AnswerRequest) -> Iterator[Answer]:
        """Stream one answer. Closing the iterator stops it and frees its place."""
        for answers in self.compare(request, [request.adapter]):
            yield answers[0]

    def compare(
        self, request: AnswerRequest, adapters: Sequence[str]
    ) -> Iterator[tuple[Answer, ...]]:
        """Stream the answers of several adapters to one prompt as rows of one batch, with one seed.

        Args:
            request: the question; its own `adapter` is not looked at.
            adapters: as in `AnswerRequest.adapter`, `base` among them if wanted.
        """
        if not adapters:
            raise BadInput("empty_text", field="adapters")
        others = len(adapters) - (BASE in adapters)
        if others > MOST_ADAPTERS:
            raise BadInput("too_many_adapters", got=others, high=MOST_ADAPTERS)
        yield from self._stream([replace(request, adapter=name) for name in adapters])

    def _stream(self, requests: Sequence[AnswerRequest]) -> Iterator[tuple[Answer, ...]]:
        sources = [self._asked(request) for request in requests]
        with self._turn(requests[0].visitor or requests[0].workspace):
            yield from self.engine.stream([_readable(r) for r in requests], sources)

    def _asked(self, request: AnswerRequest | ScoreRequest) -> tuple[tuple[Path, float], ...]:
        """Who answers, once it is clear that the visitor may ask and that the model is there."""
        self._require_workspace(request.workspace)
        source = self._source(request.workspace, request.adapter)
        self.engine.require_ready()
        return source

    def draws(self, request: AnswerRequest, count: int) -> Iterator[tuple[Answer, ...]]:
        """Stream several answers to one prompt, drawn with seeds that follow one another."""
        count = bounded("draws", count, 1, MOST_DRAWS, int)
        seeds = [(request.sampling.seed + n) % 2**31 for n in range(count)]
        requests = [replace(request, sampling=replace(request.sampling, seed=s)) for s in seeds]
        yield from self._stream(requests)

    def next_token(self, request: AnswerRequest) -> NextToken:
        """The model's own distribution over the token that would follow the prompt."""
        source = self._asked(request)
        with self._turn(request.visitor or request.workspace):
            return self.engine.next_token(_readable(request), source)

    def attention(self, request: AnswerRequest, position: int | None = None) -> Attention:
        """How much one token of the prompt, by default its last, draws from each before it.

        Raises:
            BadInput: the prompt has too many tokens to be shown, or none at this position.
        """
        source = self._asked(request)
        with self._turn(request.visitor or request.workspace):
            return self.engine.attention(_readable(request), position, source)

    def score(self, request: ScoreRequest) -> list[Scored]:
        """How likely each continuation is after the prompt; waits behind every answer."""
        checked = replace(
            request,
            messages=_checked(request.messages, empty=request.completion),
            continuations=tuple(_continuation(text) for text in request.continuations),
        )
        source = self._asked(checked)
        with self._turn(request.visitor or request.workspace):
            return self.engine.score(checked, source)

    def xray(self, request: ScoreRequest) -> XRay:
        """One text under the base and under an adapter, token by token.

        Args:
            request: with one continuation, and the adapter.
        """
        told = replace(request, alternatives=XRAY_ALTERNATIVES)
        (base,), (adapted,) = self.score(replace(told, adapter=BASE)), self.score(told)
        return xray(base, adapted)

    def adapters(self, workspace: str = "") -> list[AdapterInfo]:
        """Base, shipped adapters, the finished runs of a workspace, and what it brought or merged."""
        mark = self.engine.fingerprint()
        shipped = self.adapter_shelf.list(mark)
        if not workspace:
            return shipped
        folder = self.workspaces.open(workspace)
        return [*shipped, *shelf.adapters_in(folder, mark), *own_adapters(folder, mark)]

    def _require_workspace(self, workspace: str) -> None:
        """Limits count it, so an invented one must not pass."""
        if workspace:
            self.workspaces.open(workspace)

    def _source(self, workspace: str, expression: str) -> tuple[tuple[Path, float], ...]:
        """Folders and strengths of who answers; none for the base."""
        return tuple(
            (self._adapter_folder(workspace, term.name), term.strength)
            for term in parse(expression)
        )

    def _adapter_folder(self, workspace: str, name: str) -> Path:
        """Where an adapter lies. Raises `NotFound` for a foreign one."""
        shipped = self.adapter_shelf.folder(name)
        if shipped is not None:
            return shipped
        folder = self.workspaces.open(workspace)
        return own_folder(folder, name) or shelf.adapter_folder(folder, name)

    @contextmanager
    def _turn(self, visitor: str) -> Iterator[None]:
        """One visitor's place among the answers under way."""
        with self._lock:
            under_way = self._under_way[visitor]
            if under_way >= self.settings.answers_per_visitor:
                raise Busy("visitor_busy", got=under_way)
            self._under_way[visitor] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[visitor] -= 1
                # A counter that is empty keeps no visitor's name.
                self._under_way += Counter()


def _readable(request: AnswerRequest) -> AnswerRequest:
    return replace(request, messages=_checked(request.messages))


def _checked(messages: Sequence[Message], *, empty: bool = False) -> tuple[Message, ...]:
    """Messages whose texts can be tokenized. Raises `BadInput` otherwise."""
    if not messages:
        raise BadInput("empty_text", field="message")
    return tuple(
        Message(
            cast(Role, chosen("role", m.role, ROLES)),
            checked_text("message", m.content, LONGEST_TEXT, empty=empty),
        )
        for m in messages
    )


def _continuation(text: str) -> str:
    """A text that can be scored; a line break alone is a token worth scoring."""
    if not text:
        raise BadInput("empty_text", field="continuations")
    return checked_text("continuations", text, LONGEST_TEXT, empty=True)
