"""Plain text is learned whole: packed, without a template, to the loss of the packed sequences."""

from typing import Any

import pytest

from demo.data.encode import encode
from demo.records import Message
from demo.run_records import Row
from demo.text.tokenizer import LabTokenizer
from demo.training.loop import train_run
from demo.workspace import read_json


def paragraphs(first: int, last: int) -> list[Row]:
    return [
        Row(n, (Message("assistant", f"Paragraph {n} tells of rivers and bridges."),), raw=True)
        for n in range(first, last)
    ]


@pytest.mark.parametrize("method", ["lora", "prefix"])
def test_a_run_over_plain_text_learns_every_token(
    method: str, order_run: Any, tokenizer: LabTokenizer
) -> None:
    folder = order_run(paragraphs(0, 30), paragraphs(30, 36), method=method, max_length=48)
    assert folder.train_rows() == tuple(paragraphs(0, 30))
    train_run(str(folder.path))
    packed = encode(tokenizer, paragraphs(0, 30), 48)
    state, events = folder.state(), folder.events()
    assert packed.tokens == packed.trained_tokens
    assert (state.status, state.steps) == ("finished", (len(packed.sequences) + 1) // 2)
    assert events[-1].eval_loss is not None
    assert read_json(folder.adapter / "run.json")["losses"]
