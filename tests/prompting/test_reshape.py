"""What is shown of the controls is what the sampler does: proven on the real model's own logits."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import Tensor

from demo.engine import looks
from demo.engine.turns.sample import drawable, penalized
from demo.lab import Lab
from demo.look_records import Candidate, NextToken
from demo.prompting.reshape import reshape
from demo.records import AnswerRequest, Sampling, conversation
from demo.settings import LabSettings

PROMPTS = ("What is the capital of France?", "Once upon a time, once upon a", "7")
GRID = [
    Sampling(temperature=t, top_k=k, top_p=p, min_p=m, repetition_penalty=r)
    for t, k, p, m, r in product(
        (0.3, 0.8, 1.5), (0, 1, 20, 400), (0.3, 0.9, 1.0), (0.0, 0.1), (0.7, 1.0, 1.8)
    )
]


@dataclass(frozen=True)
class Looked:
    """What the page gets of a distribution, and all of it."""

    seen: NextToken
    logits: Tensor
    prompt: tuple[int, ...]


@pytest.fixture(scope="module")
def looked(own_home: Path) -> Iterator[list[Looked]]:
    lab, whole = Lab(LabSettings(home=own_home)), []

    def keep(tokenizer: object, logits: Tensor, prompt: tuple[int, ...]) -> NextToken:
        whole.append((logits.clone(), tuple(prompt)))
        return looks.next_token_of(tokenizer, logits, prompt)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("demo.engine.service.next_token_of", keep)
        lab.engine.start()
        lab.engine.wait_ready(240)
        seen = [lab.next_token(AnswerRequest(conversation(text))) for text in PROMPTS]
        yield [Looked(s, *kept) for s, kept in zip(seen, whole, strict=True)]
        lab.engine.close()


def drawn_from(looked: Looked, sampling: Sampling) -> dict[int, float]:
    """Token -> probability, as the sampler itself leaves it."""
    scores = penalized(looked.logits, list(set(looked.prompt)), sampling.repetition_penalty)
    weights, ids = drawable(scores, sampling)
    named = range(len(weights)) if ids is None else ids.tolist()
    weights = weights.double() / weights.double().sum()
    return {i: float(w) for i, w in zip(named, weights, strict=False) if w > 0}


@pytest.mark.parametrize("place", range(len(PROMPTS)))
def test_kept_tokens_and_their_probabilities_are_the_samplers(
    looked: list[Looked], place: int
) -> None:
    case = looked[place]
    ids = [c.id for c in case.seen.candidates]
    for sampling in GRID:
        expected, shown = drawn_from(case, sampling), reshape(case.seen, sampling)
        told = {i: p for i, p in zip(ids, shown.after.probabilities, strict=True) if p > 0}
        if len(expected) < 250:
            assert told.keys() == expected.keys(), sampling
        assert told.keys() - expected.keys() == set(), sampling
        assert max(abs(p - expected[i]) for i, p in told.items()) < 1e-3, sampling
        if (sampling.top_k, sampling.top_p, sampling.min_p) == (0, 1.0, 0.0):
            # The sampler's weights below 1e-38 are rounded to 0; nothing cut them.
            assert shown.after.kept == len(case.logits)
            continue
        # What lies in bins is counted by the middle of its bin.
        assert shown.after.kept == pytest.approx(len(expected), rel=0.05, abs=1), sampling


def test_without_controls_the_models_own_distribution_is_left(looked: list[Looked]) -> None:
    for case in looked:
        shown = reshape(case.seen, Sampling(temperature=1.0))
        own = case.logits.double().softmax(-1)
        assert shown.after.kept == len(own)
        assert set(shown.cut) == {""}
        assert shown.before.entropy == pytest.approx(float(-(own * own.log2()).sum()), abs=0.01)
        assert shown.before.tail == pytest.approx(1 - float(own.topk(10).values.sum()), abs=1e-3)


def test_temperature_0_takes_the_samplers_own_token(looked: list[Looked]) -> None:
    for case, penalty in product(looked, (0.7, 1.0, 1.8)):
        shown = reshape(case.seen, Sampling(temperature=0.0, repetition_penalty=penalty))
        assert shown.greedy is not None
        scores = penalized(case.logits, list(set(case.prompt)), penalty)
        assert case.seen.candidates[shown.greedy].id == int(scores.argmax())
        assert (shown.after.kept, shown.after.entropy) == (1, 0.0)


SEEN = NextToken(
    (
        Candidate(5, "a", 4.0),
        Candidate(6, "b", 3.0, said=True),
        Candidate(7, "c", 2.0),
        Candidate(8, "d", -1.0, said=True),
    ),
    ((0.5, 3), (-2.0, 10)),
    2,
)


def test_every_cut_token_names_the_control_that_cut_it() -> None:
    sampling = Sampling(temperature=1.0, top_k=4, top_p=0.98, min_p=0.2)
    shown = reshape(SEEN, sampling)
    assert shown.cut == ("", "", "min_p", "top_k")
    assert [stage.control for stage in shown.stages] == [
        "", "repetition_penalty", "temperature", "top_k", "top_p", "min_p",
    ]  # fmt: skip
    assert [stage.kept for stage in shown.stages] == [17, 17, 17, 4, 3, 2]
    assert sum(shown.after.probabilities) == pytest.approx(1.0)


def test_a_penalty_lowers_said_tokens_on_both_sides_of_zero() -> None:
    shown = reshape(SEEN, Sampling(temperature=1.0, repetition_penalty=2.0))
    scores = torch.tensor([4.0, 1.5, 2.0, -2.0, *[0.5] * 3, *[-2.0] * 10])
    assert shown.after.probabilities == pytest.approx(scores.softmax(-1)[:4].tolist(), abs=1e-6)


def test_a_higher_temperature_flattens_what_a_lower_one_sharpens() -> None:
    cold, own, hot = (reshape(SEEN, Sampling(temperature=t)).after.entropy for t in (0.5, 1.0, 2.0))
    assert cold < own < hot
