"""What was read once is not read again, and it changes no answer; never across blends."""

from dataclasses import dataclass, field
from typing import Self

import pytest

from demo.engine.service import Engine
from demo.engine.turns.batch import GRID
from demo.engine.turns.prefixes import FEWEST, PrefixStore, common_length
from demo.records import AnswerRequest, Message
from tests.engine.asking import request

SHOTS = "Here are some examples of what is wanted. " * 8


@dataclass(eq=False)
class Cache:
    """A cache that holds tokens themselves."""

    tokens: list[int] = field(default_factory=list)

    @property
    def length(self) -> int:
        return len(self.tokens)

    @property
    def bytes(self) -> int:
        return len(self.tokens)

    def keep(self, length: int) -> None:
        del self.tokens[length:]

    def copy(self, length: int) -> Self:
        return type(self)(self.tokens[:length])


def held(store: PrefixStore, key: str, tokens: range) -> Cache:
    cache = Cache(list(tokens))
    store.put(key, tuple(tokens), cache)
    return cache


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [("", "abc", 0), ("abc", "abc", 3), ("abcd", "abxd", 2), ("abc", "abcdef", 3), ("x", "a", 0)],
)
def test_common_length_is_where_two_first_differ(one: str, other: str, length: int) -> None:
    assert common_length([*map(ord, one)], [*map(ord, other)]) == length


def test_the_longest_prefix_of_the_same_blend_is_found_and_copied() -> None:
    store = PrefixStore()
    held(store, "", range(20))
    longer = held(store, "", range(0, 30))
    held(store, "other", range(50))
    found = store.find("", range(45))
    assert found is not None
    assert (found.length, found.cache.length) == (30, 30)
    longer.tokens.clear()
    assert found.cache.length == 30


def test_the_last_token_of_a_prompt_is_always_read() -> None:
    store = PrefixStore()
    held(store, "", range(20))
    found = store.find("", range(20))
    assert found is not None
    assert found.length == 19


@pytest.mark.parametrize("key", ["other", "adapter*1", "adapter*0.5"])
def test_nothing_is_shared_across_blends(key: str) -> None:
    store = PrefixStore()
    held(store, "adapter*0.7", range(100))
    assert store.find(key, range(100)) is None


def test_a_short_prefix_is_not_worth_a_copy() -> None:
    store = PrefixStore()
    held(store, "", range(FEWEST - 1))
    assert store.find("", range(100)) is None


def test_only_whole_steps_are_found() -> None:
    store = PrefixStore(step=16)
    held(store, "", range(40))
    found = store.find("", range(45))
    assert found is not None
    assert found.length == 32
    assert store.find("", range(16)) is None


def test_the_least_recently_used_is_forgotten_first() -> None:
    store = PrefixStore(most_bytes=100)
    held(store, "a", range(40))
    held(store, "b", range(40))
    assert store.find("a", range(60)) is not None
    held(store, "c", range(40))
    assert [store.find(key, range(60)) is not None for key in "abc"] == [True, False, True]
    assert store.bytes <= 100
    few = PrefixStore(most_entries=2)
    for key in "abc":
        held(few, key, range(20))
    assert [entry.key for entry in few.entries] == ["b", "c"]


def test_an_entry_within_a_longer_one_is_dropped() -> None:
    store = PrefixStore()
    held(store, "", range(20))
    held(store, "", range(30))
    held(store, "other", range(20))
    assert [len(entry.tokens) for entry in store.entries] == [30, 20]


def chat(question: str) -> AnswerRequest:
    asked = request(question, temperature=1.0, seed=3)
    return AnswerRequest((Message("system", SHOTS), *asked.messages), sampling=asked.sampling)


def test_an_answer_with_a_known_prefix_is_the_answer_without(engine: Engine) -> None:
    questions = [f"question {number}" for number in range(6)]
    without, reused = [], []
    for question in questions:
        engine._rounds.batch.prefixes.clear()
        *_, (answer,) = engine.stream([chat(question)], [None])
        without.append((answer.text, answer.reused))
    for question in questions:
        *_, (answer,) = engine.stream([chat(question)], [None])
        reused.append((answer.text, answer.reused))
    assert [text for text, _ in reused] == [text for text, _ in without]
    assert {count for _, count in without} == {0}
    assert all(count >= GRID for _, count in reused)


def test_prompts_that_come_together_read_their_shared_start_once(engine: Engine) -> None:
    engine._rounds.batch.prefixes.clear()
    asked = [chat(f"together {number}") for number in range(4)]
    *_, answers = engine.stream(asked, [None] * 4)
    assert [answer.reused >= GRID for answer in answers] == [False, True, True, True]
