"""The resident engine: one thread that owns the model, a queue in front of it, streams behind it.

Loads the model in the background, so that the page is up at once. Nobody else touches the model.
"""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from demo.engine.adapters import AdapterCache
from demo.engine.batch import Batch
from demo.engine.catalogue import Fingerprint, ModelSpec
from demo.engine.load import BaseModel, load_base
from demo.engine.probes import Probes
from demo.engine.stream import Seat, Stream
from demo.errors import BadInput, Busy, LabError, NotReady
from demo.host import detect
from demo.records import AnswerRequest, BaseProof, LabStatus, RenderedPrompt
from demo.settings import LabSettings
from demo.text.tokenizer import LabTokenizer

LOG = logging.getLogger(__name__)
LOAD_SECONDS = 30
"""What a first start takes: converting the embedded model once. Later starts take a third."""
SECONDS_PER_ANSWER = 8
"""For the honest wait of a full queue: a usual answer on two cores."""


class Engine:
    """Answers requests, many at a time, from the one resident base model."""

    def __init__(self, settings: LabSettings) -> None:
        self.settings = settings
        self._base: BaseModel | None = None
        self._batch: Batch
        self._probes: Probes
        self._cache: AdapterCache
        self._device = ""
        self._cores = 0
        self._problem: LabError | None = None
        self._waiting: deque[Seat] = deque()
        self._reading: deque[Seat] = deque()
        """Seats whose prompts are being read, the first one now."""
        self._seated: list[Seat] = []
        self._chores: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._live, name="engine", daemon=True)

    # life
    def start(self) -> None:
        """Begin to load; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the token under way."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def status(self) -> LabStatus:
        """What the header and `/healthz` say."""
        if self._base is None:
            return LabStatus(
                state="failed" if self._problem else "loading",
                model=self.settings.model,
                precision=self.settings.precision,
                precision_reason="",
                device=self._device,
                problem=str(self._problem or ""),
            )
        base = self._base
        return LabStatus(
            state="ready",
            model=base.spec.title,
            precision=base.precision.name,
            precision_reason=base.precision.reason,
            device=self._device,
            cores=self._cores,
            model_reason=base.reason,
            waiting=len(self._waiting),
            running=len(self._seated) + len(self._reading),
        )

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
        self.require_ready()
        proof: BaseProof = self._on_thread(lambda: self._probes.prove(self._batch)).result(
            timeout=120
        )
        return proof

    # answers
    def render(self, request: AnswerRequest) -> RenderedPrompt:
        """The exact prompt of a request."""
        base = self.require_ready()
        if request.completion:
            ids = base.tokenizer.encode(request.messages[-1].content, start=True)
        else:
            ids = base.tokenizer.chat(request.messages, answer=True)
        return RenderedPrompt(base.tokenizer.decode(ids, control=True), tuple(ids), base.context)

    def stream(self, requests: Sequence[AnswerRequest], folders: Sequence[Path | None]) -> Stream:
        """Queue requests that belong together; iterate over the stream, close it to stop.

        Args:
            requests: rows of one batch.
            folders: the adapter folder of each; None for the base.

        Raises:
            BadInput: a prompt does not fit, or an adapter cannot be used.
            Busy: the queue is full.
            NotReady: the model is not there.
        """
        base = self.require_ready()
        seats = []
        updates: queue.SimpleQueue[None] = queue.SimpleQueue()
        for request, folder in zip(requests, folders, strict=True):
            prompt = self.render(request)
            self._require_room(prompt, request)
            adapter = self._cache.get(folder) if folder is not None else None
            seats.append(Seat(prompt.ids, request.sampling, adapter, updates))
        with self._wake:
            if len(self._waiting) + len(seats) > self.settings.queue_size:
                raise Busy("queue_full", got=len(self._waiting), seconds=self._wait_seconds())
            self._waiting.extend(seats)
            self._wake.notify_all()
        return Stream(seats, updates, base.tokenizer, self._place)

    def _require_room(self, prompt: RenderedPrompt, request: AnswerRequest) -> None:
        new = request.sampling.max_new_tokens
        if len(prompt.ids) + new > prompt.context:
            raise BadInput("prompt_too_long", got=len(prompt.ids), new=new, high=prompt.context)

    def _wait_seconds(self) -> int:
        return max(1, SECONDS_PER_ANSWER * len(self._waiting) // self.settings.batch_rows)

    def _place(self, seat: Seat) -> int:
        with self._wake:
            return self._waiting.index(seat) + 1 if seat in self._waiting else 0

    def _on_thread(self, chore: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        with self._wake:
            self._chores.append((chore, future))
            self._wake.notify_all()
        return future

    # the engine thread
    def _live(self) -> None:
        try:
            self._load()
        except LabError as error:
            self._problem = error
        except Exception as error:
            LOG.exception("the model could not be loaded")
            self._problem = NotReady(
                "load_failed", problem=str(error)[:300] or type(error).__name__
            )
        if self._problem is not None:
            return
        while self._sleep_until_needed():
            self._do_chores()
            try:
                self._work()
            except Exception:
                LOG.exception("a step of the batch failed")
                self._batch.clear()
                for seat in (*self._seated, *self._reading):
                    seat.fail(LabError("internal"))
                self._seated = []
                self._reading.clear()

    def _load(self) -> None:
        import torch

        host = detect(self.settings.threads)
        self._device = host.name
        self._cores = host.threads if host.device == "cpu" else 0
        torch.set_num_threads(host.threads)
        base = load_base(self.settings, host)
        self._batch = Batch(base)
        self._probes = Probes(self._batch)
        self._cache = AdapterCache(
            self._batch.low_rank.layers, base.fingerprint, self._batch.device
        )
        self._base = base

    def _sleep_until_needed(self) -> bool:
        with self._wake:
            self._wake.wait_for(
                lambda: (
                    self._closed or self._waiting or self._chores or self._reading or self._seated
                )
            )
            return not self._closed

    def _do_chores(self) -> None:
        while self._chores:
            chore, future = self._chores.popleft()
            try:
                future.set_result(chore())
            except Exception as error:
                future.set_exception(error)

    def _work(self) -> None:
        """One turn: free who stopped, read a chunk of one prompt, decode one token for everybody."""
        self._free([seat for seat in (*self._seated, *self._reading) if seat.stopped.is_set()])
        self._reading.extend(self._next_seats())
        if self._reading and self._batch.read(self._reading[0].row):
            self._seated.append(self._reading.popleft())
            self._publish()
        self._batch.step()
        self._publish()

    def _publish(self) -> None:
        for seat in self._seated:
            seat.publish()
        self._free([seat for seat in self._seated if seat.row.reason])

    def _next_seats(self) -> list[Seat]:
        with self._wake:
            places = self.settings.batch_rows - len(self._seated) - len(self._reading)
            joining: list[Seat] = []
            while self._waiting and len(joining) < places:
                seat = self._waiting.popleft()
                if not seat.stopped.is_set():
                    joining.append(seat)
            return joining

    def _free(self, seats: Sequence[Seat]) -> None:
        if seats:
            self._batch.leave([seat.row for seat in seats])
            self._seated = [seat for seat in self._seated if seat not in seats]
            self._reading = deque(seat for seat in self._reading if seat not in seats)
