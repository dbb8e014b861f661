"""What the page shows of a batch is what the trainer reads: the same tokens, the same mask."""

from typing import Any

import pytest
import torch

from demo.data.encode import encode_for
from demo.data.split import split
from demo.errors import BadInput
from demo.records import Message
from demo.run_records import Row, TrainSettings
from demo.text.tokenizer import LabTokenizer
from demo.training.look import batch_at
from demo.training.readings import Readings
from demo.training.trainer import Trainer

SETTINGS = TrainSettings(batch_size=4, epochs=2, seed=3, eval_share=0.2)


class Model(torch.nn.Linear):
    """As much of a model as the order of batches asks for."""

    class config:
        model_type = "llama"

    class active_peft_config:
        is_prompt_learning = False


@pytest.mark.parametrize("step", [1, 3, 6])
def test_batch_holds_the_ids_and_the_mask_that_the_trainer_reads_at_this_step(
    tokenizer: LabTokenizer, make_rows: Any, step: int
) -> None:
    rows = make_rows(15)
    learned, held_out = split(rows, SETTINGS.eval_share, SETTINGS.seed)
    encoded, evaluation = (encode_for(tokenizer, part, SETTINGS) for part in (learned, held_out))
    trainer = Trainer(Model(1, 1), encoded.sequences, evaluation.sequences, SETTINGS)
    expected = list(trainer._batches())[step - 1]
    look = batch_at(tokenizer, rows, SETTINGS, step, Readings())
    assert (look.step, look.steps, look.shared) == (step, trainer.steps, expected.shared)
    for index, row in enumerate(look.rows):
        ids = [token.id for token in row.tokens[: row.read]]
        assert ids == expected.ids[index, : row.read].tolist()
        assert list(row.trained[: row.read]) == expected.trained[index, : row.read].tolist()
        assert row.read + row.padding == expected.ids.shape[1]
        assert not any(row.trained[row.read :])


def test_prompt_is_masked_and_the_answer_with_its_end_is_trained(tokenizer: LabTokenizer) -> None:
    rows = [Row(1, (Message("user", "What is tea?"), Message("assistant", "A drink.")))] * 2
    settings = TrainSettings(eval_share=0.0, batch_size=1)
    (row,) = batch_at(tokenizer, rows, settings, 1, Readings()).rows
    learned = b"".join(t.data for t, on in zip(row.tokens, row.trained, strict=True) if on)
    assert learned == b"A drink.<|im_end|>"
    assert b"".join(t.data for t in row.tokens[: row.read]).endswith(learned)
    assert b"What is tea?" in b"".join(t.data for t in row.tokens)


@pytest.mark.parametrize("step", [0, 7, "x", None])
def test_step_that_the_run_has_not_is_refused(
    tokenizer: LabTokenizer, make_rows: Any, step: Any
) -> None:
    with pytest.raises(BadInput, match="step must be"):
        batch_at(tokenizer, make_rows(15), SETTINGS, step, Readings())


def test_rows_that_are_all_too_long_are_refused(tokenizer: LabTokenizer) -> None:
    rows = [Row(n, (Message("user", "a " * 99), Message("assistant", "b"))) for n in (1, 2)]
    with pytest.raises(BadInput, match="longer than"):
        batch_at(tokenizer, rows, TrainSettings(max_length=32), 1, Readings())
