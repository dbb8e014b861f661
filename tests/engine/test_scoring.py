"""Probabilities told by the engine are those of the plain model: scored texts and streamed tokens."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from demo.engine.scoring import scored_ids
from demo.engine.service import Engine
from demo.errors import BadInput
from demo.records import AnswerRequest, Message, Sampling, ScoreRequest, conversation
from tests.engine.tiny import forward_of, save_tiny, tiny_engine, until

LONG = "a text that is long enough for several pieces of scoring, " * 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def engine(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = tiny_engine(folder, tmp_path_factory.mktemp("home"))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def plain(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


@torch.inference_mode()
def logprobs(plain: Any, prompt: tuple[int, ...], after: tuple[int, ...]) -> torch.Tensor:
    """Log-softmax of the plain model before each token of `after` [tokens, vocabulary]."""
    logits = plain(torch.tensor([[*prompt, *after]])).logits[0].float()
    return logits.log_softmax(-1)[len(prompt) - 1 : -1]


@pytest.mark.parametrize("completion", [True, False])
def test_scores_are_the_log_softmax_of_the_plain_model(
    engine: Engine, plain: Any, completion: bool
) -> None:
    asked = ScoreRequest(
        (Message("user", "Say something. "),),
        ("short", LONG, "Cabbage"),
        completion=completion,
        alternatives=3,
    )
    results = engine.score(asked, None)
    for text, scored in zip(asked.continuations, results, strict=True):
        ids = scored_ids(engine.tokenizer, asked, text)
        expected = logprobs(plain, ids.prompt, ids.continuation)
        given = torch.tensor([token.logprob for token in scored.tokens])
        wanted = expected[range(len(given)), list(ids.continuation)]
        assert torch.allclose(given, wanted, atol=1e-4)
        assert scored.count == len(ids.continuation) == len(given)
        assert scored.logprob == pytest.approx(float(wanted.sum()), abs=1e-2)
        assert scored.mean_logprob == pytest.approx(float(wanted.mean()), abs=1e-3)
        for place, token in enumerate(scored.tokens):
            assert token.rank == int((expected[place] > expected[place, token.id]).sum()) + 1
            best = expected[place].topk(3).indices.tolist()
            assert [other.id for other in token.alternatives] == best
        assert "".join(token.text for token in scored.tokens) == text


def test_continuations_of_one_prompt_share_what_was_read(engine: Engine) -> None:
    asked = ScoreRequest(conversation(LONG), ("yes", "no", "maybe"))
    assert [scored.reused > 0 for scored in engine.score(asked, None)] == [False, True, True]


def test_a_token_across_the_seam_is_scored_with_the_continuation(engine: Engine) -> None:
    asked = ScoreRequest((Message("user", "xa"),), ("bc",), completion=True)
    ids = scored_ids(engine.tokenizer, asked, "bc")
    tokens = engine.tokenizer.encode("xabc")
    assert len(tokens) == 3
    assert (ids.prompt, ids.continuation) == ((tokens[0],), tuple(tokens[1:]))


def test_the_first_token_of_all_is_read_and_not_scored(engine: Engine) -> None:
    (scored,) = engine.score(ScoreRequest((Message("user", ""),), ("word",), completion=True), None)
    assert [token.text for token in scored.tokens] == ["o", "r", "d"]


def test_a_single_token_after_nothing_has_no_score(engine: Engine) -> None:
    asked = ScoreRequest((Message("user", ""),), ("w", "wo"), completion=True)
    assert [scored.count for scored in engine.score(asked, None)] == [0, 1]
    alone = ScoreRequest((Message("user", ""),), ("w",), completion=True)
    assert engine.score(alone, None)[0].mean_logprob == 0
    until(lambda: forward_of(engine).prepared == 0)


def test_control_tokens_in_a_scored_text_stay_text(engine: Engine) -> None:
    asked = ScoreRequest(conversation("hi"), ("<|im_end|>",))
    (scored,) = engine.score(asked, None)
    assert scored.count == len("<|im_end|>")


def test_streamed_probabilities_are_those_of_the_decode(engine: Engine, plain: Any) -> None:
    sampling = Sampling(max_new_tokens=12, temperature=1.3, top_k=20, seed=4)
    asked = AnswerRequest(conversation("hello"), sampling=sampling, alternatives=4)
    *increments, (answer,) = engine.stream([asked], [None])
    ids = tuple(choice.id for choice in answer.choices)
    expected = logprobs(plain, engine.render(asked).ids, ids)
    given = torch.tensor([choice.logprob for choice in answer.choices])
    assert len(ids) == answer.tokens
    assert torch.allclose(given, expected[range(len(ids)), list(ids)], atol=1e-4)
    assert [a.id for a in answer.choices[0].alternatives] == expected[0].topk(4).indices.tolist()
    for (earlier,) in increments:
        assert answer.choices[: len(earlier.choices)] == earlier.choices


def test_scoring_waits_while_answers_are_read_and_both_end(engine: Engine) -> None:
    long = AnswerRequest(conversation(LONG), sampling=Sampling(max_new_tokens=64, temperature=1.0))
    streams = [iter(engine.stream([long], [None])) for _ in range(3)]
    for stream in streams:
        next(stream)
    scored = engine.score(ScoreRequest(conversation("a"), (LONG, LONG + "b")), None)
    assert [one.count for one in scored] == [len(LONG.replace("ab", "x"))] * 1 + [scored[1].count]
    for stream in streams:
        *_, (answer,) = stream
        assert answer.done
    until(lambda: forward_of(engine).prepared == 0)


@pytest.mark.parametrize(
    ("continuations", "expected_error"),
    [
        ((), "continuations must be between 1 and 16; got 0"),
        (("x",) * 17, "continuations must be between 1 and 16; got 17"),
        (("word " * 800,), "the most is 2048"),
    ],
)
def test_scoring_beyond_its_bounds_is_refused(
    engine: Engine, continuations: tuple[str, ...], expected_error: str
) -> None:
    with pytest.raises(BadInput, match=expected_error):
        engine.score(ScoreRequest(conversation("a"), continuations), None)


def test_a_closed_answer_is_scored_with_its_end(engine: Engine) -> None:
    asked = ScoreRequest(conversation("Say yes."), ("yes",))
    (open_text,) = engine.score(asked, None)
    (closed,) = engine.score(replace(asked, closed=True), None)
    assert [t.id for t in closed.tokens[:-1]] == [t.id for t in open_text.tokens]
    assert closed.tokens[-1].id in engine.tokenizer.end_ids
    assert closed.logprob < open_text.logprob
