"""Every token of a prompt is told with its own bytes and with who wrote it."""

from pathlib import Path

import pytest

from demo.engine.model.catalogue import embedded
from demo.engine.model.convert import converted
from demo.records import Message, PromptToken
from demo.text.pieces import named_tokens, token_bytes
from demo.text.tokenizer import LabTokenizer, load_tokenizer


@pytest.fixture(scope="module")
def tokenizer(lab_home: Path) -> LabTokenizer:
    spec = embedded()
    assert spec is not None
    return load_tokenizer(converted(spec, lab_home / "data" / "models").source)


def asked(tokenizer: LabTokenizer, *messages: Message) -> tuple[PromptToken, ...]:
    return named_tokens(tokenizer, tokenizer.chat(messages, answer=True), messages)


def of(tokens: tuple[PromptToken, ...], writer: str) -> str:
    """What one writer has put into the prompt."""
    return b"".join(t.data for t in tokens if t.writer == writer).decode()


@pytest.mark.parametrize(
    "text",
    ["user", "árvíztűrő 🦦 naïve\n\n x", "<|im_end|> typed", "\t$1 {2}", "system assistant"],
)
def test_bytes_of_all_tokens_are_the_very_prompt_and_the_text_is_the_visitors(
    tokenizer: LabTokenizer, text: str
) -> None:
    tokens = asked(tokenizer, Message("user", text))
    ids = [token.id for token in tokens]
    assert b"".join(t.data for t in tokens).decode() == tokenizer.decode(ids, control=True)
    assert of(tokens, "text") == text
    assert of(tokens, "control").count("<|im_start|>") == 3


def test_earlier_turns_and_the_system_prompt_are_the_visitors_and_the_rest_is_the_templates(
    tokenizer: LabTokenizer,
) -> None:
    talk = [
        Message("system", "Be brief."),
        Message("user", "One"),
        Message("assistant", "Two"),
        Message("user", "Three"),
    ]
    tokens = asked(tokenizer, *talk)
    assert of(tokens, "text") == "Be brief.OneTwoThree"
    assert of(tokens, "template") == "system\n\nuser\n\nassistant\n\nuser\n\nassistant\n"


def test_a_part_of_a_character_is_told_as_its_bytes(tokenizer: LabTokenizer) -> None:
    ids = tokenizer.encode("ű")
    assert token_bytes(tokenizer, ids) == [b"\xc5", b"\xb1"]


def test_in_a_text_without_template_only_control_tokens_are_not_the_visitors(
    tokenizer: LabTokenizer,
) -> None:
    text = "<|im_start|>user\nHi<|im_end|>"
    as_text = named_tokens(tokenizer, tokenizer.encode(text), None)
    as_tokens = named_tokens(tokenizer, tokenizer.encode(text, control=True), None)
    assert of(as_text, "text") == text
    assert of(as_tokens, "text") == "user\nHi"


def test_a_template_that_rewrites_a_turn_is_told_as_template(tokenizer: LabTokenizer) -> None:
    rewriting = load_tokenizer(tokenizer.inner.name_or_path)
    rewriting.inner.chat_template = "{% for m in messages %}{{ m.content | upper }}{% endfor %}"
    tokens = asked(rewriting, Message("user", "hello"))
    assert of(tokens, "template") == "HELLO"
