"""Faults planted in a real model's forward pass: the row that fails ends, and everybody else goes on."""

import time
from collections.abc import Callable, Sequence

import pytest

from demo.engine.forward import Part
from demo.engine.service import Engine
from demo.engine.turns.careful import CALM, Careful, out_of_memory
from tests.engine.asking import ask, endless, request, together
from tests.engine.tiny import forward_of, nothing

POISON = "poison"


def poisoned(engine: Engine, *, decoding: bool) -> Callable[[Sequence[Part]], None]:
    """A fault for rows whose prompt holds the poison, in one phase."""
    word = engine.tokenizer.encode(POISON)
    caught: set[int] = set()

    def meddle(parts: Sequence[Part]) -> None:
        for part in parts:
            ids = list(part.ids)
            if any(ids[at : at + len(word)] == word for at in range(len(ids))):
                caught.add(id(part.cache))
            if id(part.cache) in caught and part.decoding == decoding:
                raise RuntimeError("planted")

    return meddle


@pytest.mark.parametrize("decoding", [False, True])
def test_a_row_that_fails_ends_alone_and_the_others_keep_their_text(
    engine: Engine, decoding: bool
) -> None:
    questions = ["one", "two", f"a {POISON}", "three", "four"]
    alone = [ask(engine, question).text for question in questions]
    forward_of(engine).meddle = poisoned(engine, decoding=decoding)
    answers = together(engine, questions)
    assert [answer.reason == "error" for answer in answers] == [False, False, True, False, False]
    assert "Something went wrong" in str(answers[2].error)
    assert [a.text for a in answers if not a.error] == [*alone[:2], *alone[3:]]


def test_out_of_memory_halves_the_calls_and_nobody_ends(engine: Engine) -> None:
    questions = [f"question {number}" for number in range(10)]
    alone = [ask(engine, question).text for question in questions]
    calls = []

    def meddle(parts: Sequence[Part]) -> None:
        calls.append(len(parts))
        if len(parts) > 4:
            raise MemoryError

    forward_of(engine).meddle = meddle
    answers = together(engine, questions)
    assert [answer.text for answer in answers] == alone
    assert calls[0] > 4
    assert sum(call > 4 for call in calls) == 1


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("planted")])
def test_a_row_that_cannot_begin_ends_alone(engine: Engine, error: Exception) -> None:
    forward_of(engine).meddle = lambda _: time.sleep(0.01)
    running = iter(engine.stream([endless("count")], [None]))
    while not (begun := next(running)[0]).tokens:
        pass

    def fail() -> None:
        raise error

    forward_of(engine).begin = fail
    assert ask(engine, "another").reason == "error"
    forward_of(engine).begin = lambda: None
    *_, (whole,) = running
    assert whole.error is None
    assert whole.tokens > begun.tokens
    assert engine.status().restarts == 0


def test_a_row_begins_once_memory_was_given_back(engine: Engine) -> None:
    tries: list[int] = []

    def fail_once() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise MemoryError

    forward_of(engine).begin = fail_once
    assert ask(engine, "a question of its own").error is None
    assert len(tries) == 2


def test_more_rows_are_tried_again_after_a_calm_while(shared: Engine) -> None:
    careful = Careful(forward_of(shared), lambda: None)
    forward_of(shared).meddle = nothing
    careful.most = 2
    for _ in range(CALM):
        careful.run([])
    assert careful.most == 4


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate"), True),
        (RuntimeError("shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_memory_that_ran_out_is_told_from_other_faults(error: Exception, expected: bool) -> None:
    assert out_of_memory(error) is expected


def test_a_fault_in_drawing_ends_its_row_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demo.engine.turns.sample import Sampler

    draw = Sampler.draw

    def broken(sampler: Sampler, logits: object) -> int:
        if sampler.sampling.seed == 13:
            raise ValueError("planted")
        return draw(sampler, logits)  # type: ignore[arg-type]

    monkeypatch.setattr(Sampler, "draw", broken)
    alone = ask(engine, "one").text
    asked = [request("one"), request("one", seed=13)]
    *_, (fine, ended) = engine.stream(asked, [None, None])
    assert (fine.text, ended.reason) == (alone, "error")
