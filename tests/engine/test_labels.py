"""Classifier heads: what they tell of tokens, and what becomes of it in a batch of answers."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from demo.engine.forward import Part
from demo.engine.general.forward import GeneralForward
from demo.engine.labels import LabelForward
from demo.engine.turns.batch import Batch, BatchRow
from demo.errors import BadInput
from demo.methods.adaptation import PLAIN, Adaptation, Blend
from demo.methods.limits import check_blend
from demo.records import Sampling
from tests.methods.making import LABELS, facts, load, make_own, read

PROMPT = (5, 17, 80, 3, 44, 9, 60, 2, 31)
END = 1


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Adaptation:
    return read(base, make_own(base, tmp_path_factory.mktemp("adapters") / "head", "head"))


@pytest.fixture
def forward(base: Path) -> LabelForward:
    return LabelForward(GeneralForward(load(base)), facts(base).vocabulary)


@pytest.fixture
def batch(forward: LabelForward) -> Batch:
    return Batch(forward, frozenset({END}))


@torch.no_grad()
def probabilities(base: Path, adapter: Adaptation, prompt: tuple[int, ...] = PROMPT) -> Tensor:
    """Of the labels, in plain transformers."""
    hidden = load(base).model(torch.tensor([prompt])).last_hidden_state[0, -1]
    assert adapter.head is not None
    return (adapter.head.weight @ hidden + adapter.head.bias).softmax(-1)


def answered(batch: Batch, *rows: BatchRow) -> list[tuple[int, ...]]:
    while any(row.unread for row in rows):
        batch.read([row for row in rows if row.unread])
    while going := [row for row in rows if not row.reason]:
        batch.step(going)
    for row in rows:
        batch.finish(row)
    return [tuple(row.generated) for row in rows]


def test_a_token_is_as_likely_as_the_labels_that_go_on_with_it(
    base: Path, adapter: Adaptation, forward: LabelForward
) -> None:
    blend, expected = Blend(((adapter, 1.0),)), probabilities(base, adapter)
    cache = forward.new_cache(blend)
    first = forward.run([Part(PROMPT, cache, blend)])[0][-1].softmax(-1)
    assert first[5] == pytest.approx(float(expected[0] + expected[1]), abs=1e-5)
    assert first[7] == pytest.approx(float(expected[2]), abs=1e-5)
    second = forward.run([Part([5], cache, blend, decoding=True)])[0][-1].softmax(-1)
    assert second[9] == pytest.approx(float(expected[1] / (expected[0] + expected[1])), abs=1e-5)
    assert float(second[9] + second[END]) == pytest.approx(1.0)


def test_the_greedy_answer_is_one_of_the_labels_beside_others(
    base: Path, adapter: Adaptation, batch: Batch
) -> None:
    blend = Blend(((adapter, 1.0),))
    (alone,) = answered(batch, BatchRow(PROMPT, Sampling(), blend))
    (plain,) = answered(batch, BatchRow(PROMPT, Sampling(max_new_tokens=4)))
    rows = [BatchRow(PROMPT, Sampling(max_new_tokens=4), one) for one in (PLAIN, blend, PLAIN)]
    assert answered(batch, *rows) == [plain, alone, plain]
    best = probabilities(base, adapter).argmax()
    # Greedy takes token by token, so labels that begin alike count together.
    assert alone in {label.ids for label in LABELS}
    assert alone == LABELS[int(best)].ids or best in (0, 1)


def test_draws_follow_the_probabilities_of_the_labels(
    base: Path, adapter: Adaptation, batch: Batch
) -> None:
    rows = [
        BatchRow(PROMPT, Sampling(temperature=1.0, seed=seed), Blend(((adapter, 1.0),)))
        for seed in range(200)
    ]
    found = answered(batch, *rows)
    for label, probability in zip(LABELS, probabilities(base, adapter), strict=True):
        assert found.count(label.ids) / len(found) == pytest.approx(float(probability), abs=0.12)


def test_labels_are_scored_as_likely_as_the_head_finds_them(
    base: Path, adapter: Adaptation, batch: Batch
) -> None:
    blend = Blend(((adapter, 1.0),))
    rows = [BatchRow(PROMPT, blend=blend, scored=label.ids) for label in LABELS]
    strange = BatchRow(PROMPT, blend=blend, scored=(30, 31))
    answered(batch, *rows, strange)
    for row, probability in zip(rows, probabilities(base, adapter), strict=True):
        found = sum(choice.logprob for choice in row.choices)
        assert found == pytest.approx(float(probability.log()), abs=1e-3)
    assert sum(choice.logprob for choice in strange.choices) < -90


def test_an_answer_is_the_same_when_its_prompt_was_read_before(
    adapter: Adaptation, batch: Batch
) -> None:
    blend, long = Blend(((adapter, 1.0),)), PROMPT * 30
    first = answered(batch, BatchRow(long, Sampling(), blend))
    again = BatchRow(long, Sampling(), blend)
    assert answered(batch, again) == first
    assert again.reused
    asked_more = (*long, *first[0], *PROMPT)
    fresh = Batch(batch.forward, frozenset({END}))
    assert answered(batch, BatchRow(asked_more, Sampling(), blend)) == answered(
        fresh, BatchRow(asked_more, Sampling(), blend)
    )


def test_a_cache_is_cut_back_into_the_answer_and_into_the_prompt(
    adapter: Adaptation, forward: LabelForward
) -> None:
    blend = Blend(((adapter, 1.0),))
    cache = forward.new_cache(blend)
    forward.run([Part(PROMPT, cache, blend)])
    second = forward.run([Part([5], cache, blend, decoding=True)])[0]
    forward.run([Part([9], cache, blend, decoding=True)])
    cache.keep(len(PROMPT))
    assert torch.equal(forward.run([Part([5], cache, blend, decoding=True)])[0], second)
    cache.keep(4)
    again = forward.run([Part(PROMPT[4:], cache, blend)])[0]
    whole = forward.run([Part(PROMPT, forward.new_cache(blend), blend)])[0]
    torch.testing.assert_close(again, whole, atol=1e-4, rtol=1e-4)


def test_a_head_answers_alone_and_whole(adapter: Adaptation) -> None:
    check_blend([(adapter, 1.0)])
    for terms, merged in (
        ([(adapter, 0.5)], False),
        ([(adapter, 1.0)] * 2, False),
        ([(adapter, 1.0)], True),
    ):
        with pytest.raises(BadInput, match="by its name alone"):
            check_blend(terms, merged)
