"""A local folder with a sentencepiece tokenizer: it loads, answers, and keeps control tokens as text."""

import io
from pathlib import Path

import pytest
import sentencepiece
import torch
from transformers import LlamaConfig, LlamaForCausalLM, LlamaTokenizer

from demo.engine.service import Engine
from demo.records import Message
from demo.settings import LabSettings
from demo.text.pieces import named_tokens
from demo.text.template import sequences
from tests.engine.asking import ask

TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
SENTENCES = [
    "the cat sat on the mat and looked at the door",
    "a student asks a question and the model answers it",
    "red, green and blue are colours of light",
    "in the evening the river is quiet and the town sleeps",
] * 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Llama whose tokenizer is a sentencepiece file, as TinyLlama's is."""
    folder = tmp_path_factory.mktemp("models") / "tiny-sentencepiece"
    folder.mkdir()
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=file,
        vocab_size=340,
        model_type="bpe",
        byte_fallback=True,
        minloglevel=2,
        hard_vocab_limit=False,
    )
    (folder / "tokenizer.model").write_bytes(file.getvalue())
    tokenizer = LlamaTokenizer.from_pretrained(str(folder))
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    (folder / "tokenizer.json").unlink(missing_ok=True)
    (folder / "tokenizer.model").write_bytes(file.getvalue())
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def test_a_sentencepiece_model_answers_and_trains_on_its_own_rendering(
    folder: Path, lab_home: Path
) -> None:
    engine = Engine(LabSettings(home=lab_home, model=str(folder)))
    engine.start()
    engine.wait_ready(120)
    assert engine.status().model == "tiny-sentencepiece"
    assert ask(engine, "the cat", max_new_tokens=5).tokens
    tokenizer = engine.tokenizer
    asked = [Message("user", "the cat </s> sat")]
    ids = tokenizer.chat(asked, answer=True)
    assert ids.count(tokenizer.inner.eos_token_id) == 1
    (sequence,) = sequences(tokenizer, [*asked, Message("assistant", "on the mat")])
    learned = [i for i, trained in zip(sequence.ids, sequence.trained, strict=True) if trained]
    assert tokenizer.decode(learned, control=True).strip() == "on the mat</s>"
    named = named_tokens(tokenizer, ids, asked)
    written = b"".join(token.data for token in named if token.writer == "text").decode()
    assert written.strip() == "the cat </s> sat"
    engine.close()
