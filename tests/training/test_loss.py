from dataclasses import replace
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from demo.engine.model.catalogue import ModelSpec
from demo.methods import METHODS
from demo.methods.method import Work
from demo.records import Message
from demo.run_records import TrainSettings
from demo.text.template import Sequence, sequences
from demo.text.tokenizer import LabTokenizer
from demo.training.batches import collate, order
from demo.training.loss import CompletionLoss

TURNS = [
    ("Hello", "Hi."),
    ("What is the capital of Hungary?", "Budapest, on the Danube."),
    ("Count", "One, two, three, four."),
]


@pytest.fixture
def model(tiny: ModelSpec) -> PeftModel:
    """An adapter that already changes the answers."""
    base = AutoModelForCausalLM.from_pretrained(tiny.source, dtype=torch.float32)
    torch.manual_seed(1)
    adapted = METHODS["lora"].build(base, Work(TrainSettings(rank=4)))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    return adapted


@pytest.fixture
def rows(tokenizer: LabTokenizer) -> list[Sequence]:
    return [
        sequence
        for question, answer in TURNS
        for sequence in sequences(
            tokenizer, [Message("user", question), Message("assistant", answer)]
        )
    ]


def loss_and_gradients(loss: CompletionLoss, rows: list[Sequence]) -> tuple[Any, list[Any]]:
    loss.model.zero_grad()
    losses = loss(collate(rows, "cpu")).losses
    losses.mean().backward()
    trained = [w for w in loss.model.parameters() if w.requires_grad]
    return losses.detach(), [w.grad.clone() for w in trained]


@pytest.mark.parametrize("share_prefix", [True, False])
def test_fast_loss_and_gradients_equal_the_general_ones(
    model: PeftModel, rows: list[Sequence], share_prefix: bool
) -> None:
    fast, general = CompletionLoss(model, share_prefix=share_prefix), CompletionLoss(model)
    assert fast.fast
    assert collate(rows, "cpu").shared > 8
    general.fast = False
    fast_losses, fast_gradients = loss_and_gradients(fast, rows)
    losses, gradients = loss_and_gradients(general, rows)
    torch.testing.assert_close(fast_losses, losses, atol=1e-5, rtol=1e-4)
    for got, expected in zip(fast_gradients, gradients, strict=True):
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-3)


def test_loss_is_that_of_plain_transformers_labels(model: PeftModel, rows: list[Sequence]) -> None:
    ids = torch.tensor([rows[1].ids])
    labels = ids.masked_fill(~torch.tensor([rows[1].trained]), -100)
    expected = model(input_ids=ids, labels=labels).loss
    torch.testing.assert_close(CompletionLoss(model)(collate(rows[1:2], "cpu")).mean, expected)


def test_loss_does_not_measure_tokens_of_the_prompt(model: PeftModel, rows: list[Sequence]) -> None:
    losses = CompletionLoss(model)(collate(rows, "cpu")).losses
    assert len(losses) == sum(sum(row.trained) for row in rows)
    only_end = replace(rows[0], trained=(False,) * (len(rows[0].ids) - 1) + (True,))
    (end_loss,) = CompletionLoss(model)(collate([only_end], "cpu")).losses
    torch.testing.assert_close(end_loss, CompletionLoss(model)(collate(rows[:1], "cpu")).losses[-1])


def test_padding_changes_no_loss(model: PeftModel, rows: list[Sequence]) -> None:
    together = CompletionLoss(model)(collate(rows, "cpu")).losses
    alone = torch.cat([CompletionLoss(model)(collate([row], "cpu")).losses for row in rows])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_order_takes_every_sequence_once_and_depends_on_the_seed_alone() -> None:
    lengths = [(index * 37) % 101 for index in range(150)]
    batches = order(lengths, 8, seed=3)
    assert sorted(index for batch in batches for index in batch) == list(range(150))
    assert batches == order(lengths, 8, seed=3)
    assert batches != order(lengths, 8, seed=4)
    assert max(map(len, batches)) == 8
