"""The resident engine: one thread that owns the model, a queue in front of it, streams behind it.

Loads the model in the background, so that the page is up at once. Nobody else touches the model.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import torch

from demo.engine.claims import Claims, Source
from demo.engine.looks import attention_of, looked_at, next_token_of
from demo.engine.many import Desk, score_many, to_score
from demo.engine.model.adapters import AdapterCache
from demo.engine.model.catalogue import Fingerprint, ModelSpec
from demo.engine.model.load import BaseModel, load_base
from demo.engine.model.probes import Probes
from demo.engine.scoring import scores_of
from demo.engine.stream import Stream
from demo.engine.turns.batch import Batch
from demo.engine.turns.chores import Chores
from demo.engine.turns.rounds import Rounds
from demo.engine.turns.seat import Bell, Seat
from demo.engine.turns.watch import WatchedThread
from demo.errors import LabError, NotReady
from demo.host import Host, detect
from demo.look_records import Attention, NextToken
from demo.methods.facts import base_facts
from demo.records import (
    AnswerRequest,
    BaseProof,
    LabStatus,
    RenderedPrompt,
    Scored,
    ScoreRequest,
)
from demo.settings import LabSettings
from demo.text.tokenizer import LabTokenizer

LOG = logging.getLogger(__name__)
T = TypeVar("T")
LOAD_SECONDS = 30
"""What a first start takes: converting the embedded model once. Later starts take a third."""


class Engine:
    """Answers requests, many at a time, from the one resident base model.

    Args:
        settings: what the operator has set.
        load: makes the base model; called once, by the engine's own thread.
    """

    def __init__(
        self,
        settings: LabSettings,
        load: Callable[[LabSettings, Host], BaseModel] = load_base,
    ) -> None:
        self.settings = settings
        self._loader = load
        self._base: BaseModel | None = None
        self._host: Host | None = None
        self._problem: LabError | None = None
        self._probes: Probes
        self._claims: Claims
        self._rounds: Rounds
        self._chores = Chores()
        self._closed = threading.Event()
        self._thread = WatchedThread(self._live, self._mend)

    # life
    def start(self) -> None:
        """Begin to load; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the token under way; who still waits is told."""
        self._closed.set()
        if self._base is not None:
            with self._rounds.wake:
                self._rounds.wake.notify_all()
        self._thread.join(30)
        if self._base is not None:
            self._rounds.fail_all(LabError("engine_restarted"), waiting=True)

    def status(self) -> LabStatus:
        """What the header and `/healthz` say."""
        device = self._host.name if self._host else ""
        if self._base is None:
            return LabStatus(
                state="failed" if self._problem else "loading",
                model=self.settings.model,
                precision=self.settings.precision,
                precision_reason="",
                device=device,
                problem=str(self._problem or ""),
            )
        base, thread = self._base, self._thread
        restarted = "restarted" if thread.lately_restarted else "ok"
        return LabStatus(
            state="ready",
            model=base.spec.title,
            precision=base.precision.name,
            precision_reason=base.precision.reason,
            device=device,
            cores=self._host.threads if self._host and self._host.device == "cpu" else 0,
            model_reason=base.reason,
            waiting=self._rounds.waiting,
            running=self._rounds.running,
            resident_bytes=base.forward.resident_bytes + self._claims.adapters.bytes,
            forward=base.forward.name,
            engine="slow" if thread.slow else restarted,  # type: ignore[arg-type]
            restarts=thread.restarts,
            seconds_since_turn=round(thread.seconds_since_turn, 3),
        )

    @property
    def running(self) -> int:
        """Rows under way; asked for with every increment, so without the rest of `status`."""
        return self._rounds.running if self._base is not None else 0

    def wait_ready(self, seconds: float) -> None:
        """Block until the model answers. Raises `NotReady` when it failed or time is up."""
        deadline = time.monotonic() + seconds
        while self._base is None and self._problem is None and time.monotonic() < deadline:
            time.sleep(0.05)
        self.require_ready()

    def require_ready(self) -> BaseModel:
        """The base model. Raises `NotReady` while it is loading or when it could not be loaded."""
        if self._problem is not None:
            raise self._problem
        if self._base is None:
            raise NotReady("loading", seconds=LOAD_SECONDS)
        return self._base

    # facts about the base model
    @property
    def spec(self) -> ModelSpec:
        """What a worker process is told to load."""
        return self.require_ready().spec

    @property
    def tokenizer(self) -> LabTokenizer:
        """The base model's tokenizer."""
        return self.require_ready().tokenizer

    def fingerprint(self) -> Fingerprint | None:
        """What adapters are bound to; None while the model is loading."""
        return self._base.fingerprint if self._base else None

    def base_proof(self) -> BaseProof:
        """Compare the base model's answers to fixed probes with those at start."""
        forward = self.require_ready().forward
        return self._by_thread(lambda: self._probes.prove(forward))

    # answers
    def render(self, request: AnswerRequest, *, named: bool = False) -> RenderedPrompt:
        """The exact prompt of a request; `named` tells every token's bytes and writer."""
        self.require_ready()
        return self._claims.named(request) if named else self._claims.render(request)

    def stream(self, requests: Sequence[AnswerRequest], sources: Sequence[Source]) -> Stream:
        """Queue requests that belong together; iterate over the stream, close it to stop.

        Args:
            requests: rows of one batch.
            sources: who answers each: the folder of an adapter, a sum, or None for the base.

        Raises:
            BadInput: a prompt does not fit, or an adapter cannot be used.
            Busy: the queue is full.
            NotReady: the model is not there.
        """
        base = self.require_ready()
        bell = Bell()
        seats = self._claims.answers(requests, sources, bell)
        self._queue(seats)
        return Stream(seats, bell, base.tokenizer, self._rounds.place)

    def next_token(self, request: AnswerRequest, source: Source) -> NextToken:
        """The distribution over the token that would follow a prompt; raises what `stream` raises."""
        base = self.require_ready()
        bell = Bell()
        seat = self._claims.look(request, source, bell)
        self._await([seat], bell)
        if seat.row.looked is None:
            raise seat.error or LabError("internal")
        return next_token_of(base.tokenizer, seat.row.looked, seat.row.prompt)

    def attention(self, request: AnswerRequest, position: int | None, source: Source) -> Attention:
        """What one token of a prompt draws from those before it. Raises `BadInput`, `NotReady`."""
        base = self.require_ready()
        prompt = self._claims.render(request).ids
        ids = prompt[: looked_at(prompt, position) + 1]
        with self._claims.held(source, request.merged) as blend:
            weights = self._by_thread(lambda: self._rounds.batch.attention(ids, blend))
        return attention_of(base.tokenizer, prompt, weights, blend.virtual_tokens)

    def score(self, request: ScoreRequest, source: Source) -> list[Scored]:
        """How likely each continuation is; waits behind every answer. Raises as `next_token` does."""
        base = self.require_ready()
        bell = Bell()
        seats = self._claims.scores(request, source, bell)
        if going := to_score(seats):
            self._await(going, bell)
        return [scores_of(base.tokenizer, seat) for seat in seats]

    def score_all(
        self, requests: Sequence[ScoreRequest], source: Source
    ) -> Iterator[list[list[Scored]]]:
        """Score many prompts as `score` does, a few at a time; see `score_many`."""
        base = self.require_ready()
        desk = Desk(partial(self._claims.scores, source=source), self._queue, base.tokenizer)
        return score_many(desk, requests)

    def _by_thread(self, call: Callable[[], T]) -> T:
        with self._rounds.wake:
            asked = self._chores.add(call)
            self._rounds.wake.notify_all()
        return asked.result(timeout=120)

    def _await(self, seats: Sequence[Seat], bell: Bell) -> None:
        """Queue seats and sleep until all have ended."""
        self._queue(seats)
        try:
            while not all(seat.reason for seat in seats):
                bell.wait(None)
        finally:
            for seat in seats:
                seat.stopped.set()

    def _queue(self, seats: Sequence[Seat]) -> None:
        try:
            if self._closed.is_set():
                raise NotReady("loading", seconds=LOAD_SECONDS)
            self._rounds.add(seats)
        except LabError:
            for seat in seats:
                seat.free()
            raise

    # the engine's thread
    def _live(self) -> None:
        if self._base is None and self._problem is None:
            self._load()
        assert self._host is not None
        torch.set_num_threads(self._host.threads)
        while self._base is not None and self._sleep_until_needed():
            self._thread.turn_begins()
            self._chores.run()
            self._rounds.turn()
            self._thread.turn_ends()

    def _load(self) -> None:
        self._host = detect(self.settings.threads)
        torch.set_num_threads(self._host.threads)
        try:
            base = self._loader(self.settings, self._host)
            adapters = AdapterCache(
                base_facts(base.spec.source, base.spec.revision), base.fingerprint
            )
            self._probes = Probes(base)
        except LabError as error:
            self._problem = error
            return
        except Exception as error:
            LOG.exception("the model could not be loaded")
            self._problem = _load_failed(error)
            return
        self._claims = Claims(base, adapters)
        batch, limits = Batch(base.forward, base.end_ids), self.settings
        self._rounds = Rounds(batch, limits.batch_rows, limits.queue_size, limits.answer_seconds)
        self._base = base

    def _mend(self, death: BaseException) -> None:
        """After the thread's death: end what was under way, and let the rest go on."""
        if self._base is None:
            self._problem = _load_failed(death)
            return
        self._rounds.fail_all(LabError("engine_restarted"), waiting=False)

    def _sleep_until_needed(self) -> bool:
        with self._rounds.wake:
            self._rounds.wake.wait_for(
                lambda: self._closed.is_set() or self._chores or self._rounds.needed
            )
        return not self._closed.is_set()


def _load_failed(error: BaseException) -> NotReady:
    return NotReady("load_failed", problem=str(error)[:300] or type(error).__name__)
