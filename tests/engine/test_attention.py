"""Attention as the engine tells it: on its own thread, beside answers, for the base and for adapters."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from demo.engine.looks import MOST_LOOKED, attention_of
from demo.engine.service import Engine
from demo.errors import BadInput
from demo.records import AnswerRequest, Message
from tests.engine.asking import ask, request

TEXT = "The trophy does not fit into the suitcase because it is too big. What is too big?"


def test_the_last_token_of_the_prompt_looks_unless_another_is_named(engine: Engine) -> None:
    prompt = engine.render(request(TEXT))
    last = engine.attention(request(TEXT), None, None)
    assert "".join(last.tokens) == prompt.text
    assert last.following == ()
    ninth = engine.attention(request(TEXT), 8, None)
    assert len(ninth.tokens) == 9
    assert "".join(ninth.tokens + ninth.following) == prompt.text
    assert torch.tensor(ninth.weights).shape == (30, 9, 9)
    for head in torch.tensor(last.weights).flatten(0, 1):
        assert float(head.sum()) == pytest.approx(1, abs=1e-4)


def test_a_part_of_a_character_is_told_as_bytes(engine: Engine) -> None:
    tokens = engine.attention(request("\N{SNOWMAN}\N{OGHAM LETTER BEITH}"), None, None).tokens
    assert any("e1" in token for token in tokens)
    assert not any("\ufffd" in token for token in tokens)


def test_the_first_token_looks_at_itself_alone(engine: Engine) -> None:
    seen = engine.attention(request(TEXT), 0, None)
    assert torch.allclose(torch.tensor(seen.weights), torch.ones(30, 9, 1))


def test_a_token_draws_the_same_whatever_was_read_before(engine: Engine) -> None:
    text = "A river that nobody has asked about yet flows through this very prompt."
    alone = engine.attention(request(text), None, None)
    assert engine.attention(request(text), None, None) == alone
    ask(engine, text)
    assert engine.attention(request(text), None, None) == alone


def test_answers_are_the_same_with_looks_beside_them(engine: Engine) -> None:
    wanted = ask(engine, TEXT, max_new_tokens=40).text
    with ThreadPoolExecutor(4) as crowd:
        looks = [crowd.submit(engine.attention, request(TEXT), n, None) for n in range(3, 23)]
        answer = crowd.submit(ask, engine, TEXT, max_new_tokens=40)
        assert answer.result().text == wanted
        assert [len(look.result().tokens) for look in looks] == list(range(4, 24))


def test_an_adapter_looks_otherwise_than_the_base(
    engine: Engine, adapter_folders: list[Path]
) -> None:
    base = engine.attention(request(TEXT), None, None)
    adapted = engine.attention(request(TEXT), None, adapter_folders[0])
    assert adapted.tokens == base.tokens
    assert adapted.weights != base.weights


@pytest.mark.parametrize(
    ("position", "expected"),
    [(500, "position must be between 0 and"), (-1, "between 0"), ("x", "must be a number")],
)
def test_a_position_outside_the_prompt_is_refused(
    engine: Engine, position: int, expected: str
) -> None:
    with pytest.raises(BadInput, match=expected):
        engine.attention(request(TEXT), position, None)


def test_a_long_prompt_is_refused_with_both_numbers(engine: Engine) -> None:
    long = AnswerRequest((Message("user", "word " * 600),), completion=True)
    with pytest.raises(BadInput, match=rf"has 601 tokens; .* at most {MOST_LOOKED}"):
        engine.attention(long, None, None)


def test_virtual_tokens_are_told_as_one_and_nothing_is_lost(engine: Engine) -> None:
    weights = torch.rand(2, 3, 7).softmax(-1)
    seen = attention_of(engine.tokenizer, engine.tokenizer.encode("one two three")[:3], weights, 4)
    assert (seen.virtual, len(seen.tokens), seen.tokens[0]) == (4, 4, "")
    told = torch.tensor(seen.weights)
    assert torch.allclose(told[..., 0], weights[..., :4].sum(-1))
    assert torch.allclose(told.sum(-1), torch.ones(2, 3))
