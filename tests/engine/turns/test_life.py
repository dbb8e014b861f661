"""An engine's life: it restarts, frees who left, keeps its limits, and tells who waits."""

import gc
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.engine.forward import Part
from demo.engine.model.probes import PROBES
from demo.engine.service import Engine
from demo.errors import BadInput, Busy, LabError
from demo.records import AnswerRequest
from tests.engine.asking import ask, endless, request, together
from tests.engine.tiny import forward_of, nothing, tiny_engine, until


@pytest.mark.filterwarnings("error")
def test_the_thread_is_started_again_with_the_model_intact(folder: Path, tmp_path: Path) -> None:
    engine = tiny_engine(folder, tmp_path, batch_rows=1)
    before = ask(engine, "one").text
    begun, go = threading.Event(), threading.Event()

    def die(_: Sequence[Part]) -> None:
        begun.set()
        assert go.wait(20)
        forward_of(engine).meddle = nothing
        raise SystemExit

    forward_of(engine).meddle = die
    dying = engine.stream([request("two")], [None])
    assert begun.wait(20)
    waiting = engine.stream([request("one")], [None])
    go.set()
    *_, (ended,) = dying
    assert (ended.reason, str(ended.error)) == (
        "error",
        "The engine stopped while it answered and was started again. Ask once more.",
    )
    *_, (answer,) = waiting
    assert answer.text == before == ask(engine, "one").text
    status = engine.status()
    assert (status.engine, status.restarts, status.state) == ("restarted", 1, "ready")
    assert engine.base_proof().unchanged
    until(lambda: forward_of(engine).prepared == 0)
    engine.close()


def test_a_dropped_stream_frees_its_row_and_gives_back_what_was_prepared(engine: Engine) -> None:
    stream = iter(engine.stream([endless("count")], [None]))
    while not next(stream)[0].tokens:
        pass
    del stream
    gc.collect()
    until(lambda: engine.status().running == 0)
    untouched = engine.stream([endless("count")], [None])
    del untouched
    gc.collect()
    until(lambda: engine.status().running == 0)


def test_a_time_limit_keeps_the_text_so_far(folder: Path, tmp_path: Path) -> None:
    engine = tiny_engine(folder, tmp_path, answer_seconds=1)
    forward_of(engine).meddle = lambda _: time.sleep(0.05)
    *_, (answer,) = engine.stream([endless("count", "ada")], [None])
    assert answer.reason == "time"
    assert 0 < answer.tokens < 500
    engine.close()


def test_a_flood_of_one_visitor_does_not_keep_another_waiting(folder: Path, tmp_path: Path) -> None:
    engine = tiny_engine(folder, tmp_path, batch_rows=2, queue_size=16)
    forward_of(engine).meddle = lambda _: time.sleep(0.01)
    flood = [engine.stream([endless(f"count {number}", "flood")], [None]) for number in range(8)]
    until(lambda: engine.status().running == 2)
    asked = request("one", max_new_tokens=4)
    asked = AnswerRequest(asked.messages, sampling=asked.sampling, visitor="ada")
    *_, (answer,) = engine.stream([asked], [None])
    assert answer.done
    assert engine.status().waiting >= 5
    for stream in flood:
        stream.close()
    until(lambda: engine.status().running + engine.status().waiting == 0)
    until(lambda: forward_of(engine).prepared == 0)
    engine.close()


def test_a_full_queue_says_how_many_wait_and_a_place_with_its_wait(
    folder: Path, tmp_path: Path
) -> None:
    engine = tiny_engine(folder, tmp_path, batch_rows=1, queue_size=2)
    forward_of(engine).meddle = lambda _: time.sleep(0.01)
    first = engine.stream([endless("count", "ada")], [None])
    until(lambda: engine.status().running == 1)
    others = [iter(engine.stream([endless("more", "ada")], [None])) for _ in range(2)]
    second, third = (next(stream)[0] for stream in others)
    assert (second.waiting, third.waiting) == (1, 2)
    assert 0 < second.wait_seconds < third.wait_seconds
    with pytest.raises(Busy, match=r"2 answers are waiting already. Try again in about \d+ s"):
        engine.stream([endless("more", "ada")], [None])
    for stream in (first, *others):
        stream.close()
    until(lambda: engine.status().running + engine.status().waiting == 0)
    until(lambda: forward_of(engine).prepared == 0)
    engine.close()


def test_an_idle_engine_takes_more_at_once_than_may_wait(folder: Path, tmp_path: Path) -> None:
    engine = tiny_engine(folder, tmp_path, batch_rows=1, queue_size=2)
    assert all(answer.done for answer in together(engine, ["one", "two", "three", "four"]))
    engine.close()


def test_a_thread_that_cannot_be_mended_is_started_all_the_same(
    folder: Path, tmp_path: Path
) -> None:
    engine = tiny_engine(folder, tmp_path)
    rounds = engine._rounds
    turn, fail_all = rounds.turn, rounds.fail_all

    def fail(*_: object, **__: object) -> None:
        rounds.turn = turn  # type: ignore[method-assign]
        raise RuntimeError("planted")

    rounds.turn = rounds.fail_all = fail  # type: ignore[method-assign]
    assert ask(engine, "one").error is None
    rounds.fail_all = fail_all  # type: ignore[method-assign]
    assert engine.status().restarts == 1
    engine.close()


def test_a_turn_without_an_end_is_told(folder: Path, tmp_path: Path) -> None:
    engine = tiny_engine(folder, tmp_path)
    go = threading.Event()
    forward_of(engine).meddle = lambda _: go.wait(20) and None
    stream = engine.stream([request("one")], [None])
    until(lambda: engine.status().seconds_since_turn > 0.1)
    engine._thread._turn_began -= 60  # type: ignore[operator]
    assert engine.status().engine == "slow"
    go.set()
    *_, (answer,) = stream
    assert answer.done
    until(lambda: engine.status().seconds_since_turn == 0)
    assert engine.status().engine == "ok"
    engine.close()


def test_the_base_proof_holds_until_a_weight_changes(engine: Engine) -> None:
    assert engine.base_proof().unchanged
    model = forward_of(engine).inner._inner._resident.model  # type: ignore[attr-defined]
    weight = model.get_parameter("model.layers.0.mlp.down_proj.weight")
    before = weight.data.clone()
    weight.data[3] *= 1.5
    tripped = engine.base_proof()
    weight.data.copy_(before)
    assert (tripped.unchanged, tripped.probes) == (False, len(PROBES))
    assert tripped.difference > 0
    assert engine.base_proof().unchanged


def test_a_prompt_beyond_the_context_never_reaches_the_batch(engine: Engine) -> None:
    with pytest.raises(BadInput, match=r"has \d+ tokens.*24; together they must fit into 2,?048"):
        engine.stream([request("word " * 800)], [None])
    assert engine.status().waiting == 0


def test_a_closed_engine_tells_who_waits(folder: Path, tmp_path: Path) -> None:
    engine = tiny_engine(folder, tmp_path)
    stream = engine.stream([endless("count")], [None])
    engine.close()
    *_, (answer,) = stream
    assert answer.done
    with pytest.raises(LabError):
        engine.stream([request("one")], [None])
