"""The next token: the same as transformers' own processors would leave, drawn by the row's seed alone."""

import pytest
import torch
from torch import Tensor
from transformers import (
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from demo.engine.turns.sample import Sampler, judged
from demo.records import Sampling

PROMPT = (3, 5, 7)


def logits(seed: int = 0, size: int = 6000) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed)) * 2


def expected(scores: Tensor, sampling: Sampling) -> Tensor:
    """Probabilities after the processors of transformers, in the lab's order."""
    ids, scores = torch.tensor([PROMPT]), scores[None]
    if sampling.repetition_penalty != 1:
        scores = RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty)(ids, scores)
    scores = TemperatureLogitsWarper(sampling.temperature)(ids, scores)
    if sampling.top_k:
        scores = TopKLogitsWarper(sampling.top_k)(ids, scores)
    if sampling.top_p < 1:
        scores = TopPLogitsWarper(sampling.top_p)(ids, scores)
    return scores[0].softmax(-1)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"top_k": 5},
        {"top_p": 0.3},
        {"top_p": 0.999},
        {"top_k": 40, "top_p": 0.7},
        {"repetition_penalty": 1.9, "top_k": 3},
        {"temperature": 0.3, "top_p": 0.9},
    ],
)
def test_draws_follow_the_distribution_that_transformers_leaves(
    settings: dict[str, float],
) -> None:
    sampling = Sampling(**{"temperature": 1.0, **settings}, seed=11)  # type: ignore[arg-type]
    sampler, wanted = Sampler(sampling, PROMPT), expected(logits(), sampling)
    drawn = []
    for _ in range(3000):
        drawn.append(sampler.draw(logits()))
        sampler.said = dict.fromkeys(sampler.said and PROMPT)
    counts = torch.bincount(torch.tensor(drawn), minlength=len(wanted)) / len(drawn)
    assert float((wanted[drawn] == 0).sum()) == 0
    assert float((counts - wanted).abs().max()) < 0.04


def test_greedy_takes_the_likeliest_and_a_penalty_makes_it_unlikelier() -> None:
    scores = torch.tensor([0.0, 1.0, 3.0, 2.0])
    assert Sampler(Sampling(), (2,)).draw(scores) == 2
    assert Sampler(Sampling(repetition_penalty=2.0), (2,)).draw(scores) == 3
    again = Sampler(Sampling(repetition_penalty=2.0), ())
    assert [again.draw(scores), again.draw(scores)] == [2, 3]


def test_the_same_seed_draws_the_same_tokens() -> None:
    texts = []
    for seed in (1, 1, 2):
        sampler = Sampler(Sampling(temperature=1.5, top_p=0.9, seed=seed), PROMPT)
        texts.append([sampler.draw(logits(step)) for step in range(12)])
    assert texts[0] == texts[1] != texts[2]


def test_a_judged_token_has_the_models_own_probability_and_rank() -> None:
    scores = torch.tensor([0.0, 3.0, 1.0, 2.0])
    choice = judged(scores, 3, 2)
    wanted = scores.log_softmax(-1)
    assert choice.logprob == pytest.approx(float(wanted[3]))
    assert choice.rank == 2
    assert [token for token, _ in choice.likeliest] == [1, 3]
    assert judged(scores, 1, 0).likeliest == ()


def test_tokens_that_are_equally_likely_share_a_rank() -> None:
    scores = torch.tensor([2.0, 2.0, 1.0, 2.0, 0.5])
    assert [judged(scores, token, 0).rank for token in range(5)] == [1, 1, 4, 1, 5]


def test_ranks_are_those_of_the_whole_vocabulary_sorted() -> None:
    scores = logits(5)
    order = scores.argsort(descending=True).tolist()
    with torch.inference_mode():
        found = [judged(scores, token, 0).rank for token in order[::97]]
    assert found == list(range(1, len(order) + 1, 97))
