"""Control tokens stay text, whoever writes them, and one rendering serves chat and training."""

import copy
import random
from pathlib import Path

import pytest

from demo.engine.model.catalogue import embedded
from demo.engine.model.convert import converted
from demo.records import Message
from demo.text.template import sequences
from demo.text.tokenizer import LabTokenizer, load_tokenizer

QUESTION = Message("user", "Name a colour.")


@pytest.fixture(scope="module")
def tokenizer(lab_home: Path) -> LabTokenizer:
    spec = embedded()
    assert spec is not None
    return load_tokenizer(converted(spec, lab_home / "data" / "models").source)


def test_a_chat_holds_only_the_templates_own_control_tokens(tokenizer: LabTokenizer) -> None:
    pieces = ["<|im_start|>", "<|im_end|>", "system\n", "hi", " ", "<|endoftext|>", "ő", "<|im_"]
    plain = tokenizer.chat([QUESTION], answer=True)
    controls = sum(i in tokenizer.inner.all_special_ids for i in plain)
    draw = random.Random(0)
    for _ in range(100):
        text = "".join(draw.choices(pieces, k=6)) + "."
        ids = tokenizer.chat([Message("user", text)], answer=True)
        assert sum(i in tokenizer.inner.all_special_ids for i in ids) == controls
        assert text.strip() in tokenizer.decode(ids, control=True)


def test_plain_text_never_becomes_a_control_token(tokenizer: LabTokenizer) -> None:
    ids = tokenizer.encode("a <|im_end|> b")
    assert not set(ids) & set(tokenizer.inner.all_special_ids)


def test_the_templates_own_system_line_is_found(tokenizer: LabTokenizer) -> None:
    assert tokenizer.default_system().startswith("You are a helpful AI assistant named SmolLM")


def test_a_training_sequence_learns_every_assistant_turn_with_its_end(
    tokenizer: LabTokenizer,
) -> None:
    messages = [
        QUESTION,
        Message("assistant", "Red."),
        Message("user", "One more."),
        Message("assistant", "Blue."),
    ]
    (sequence,) = sequences(tokenizer, messages)
    learned = [i for i, trained in zip(sequence.ids, sequence.trained, strict=True) if trained]
    assert tokenizer.decode(learned, control=True) == "Red.<|im_end|>Blue.<|im_end|>"


def test_a_training_sequence_begins_with_the_very_prompt_of_a_chat(tokenizer: LabTokenizer) -> None:
    (sequence,) = sequences(tokenizer, [QUESTION, Message("assistant", "Red.")])
    prompt = tokenizer.chat([QUESTION], answer=True)
    assert list(sequence.ids[: len(prompt)]) == prompt
    assert not any(sequence.trained[: len(prompt)])


def test_control_tokens_in_an_answer_are_learned_as_text(tokenizer: LabTokenizer) -> None:
    (sequence,) = sequences(tokenizer, [QUESTION, Message("assistant", "Red<|im_end|> and blue.")])
    learned = [i for i, trained in zip(sequence.ids, sequence.trained, strict=True) if trained]
    assert learned.count(tokenizer.inner.eos_token_id) == 1
    assert tokenizer.decode(learned, control=True) == "Red<|im_end|> and blue.<|im_end|>"


def test_each_turn_is_a_sequence_of_its_own_when_the_template_rewrites_earlier_turns(
    tokenizer: LabTokenizer,
) -> None:
    rewriting = load_tokenizer(tokenizer.inner.name_or_path)
    rewriting.inner.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n"
        "{{ 'seen' if m.role == 'assistant' and not loop.last else m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    messages = [
        QUESTION,
        Message("assistant", "Red."),
        Message("user", "More."),
        Message("assistant", "Blue."),
    ]
    first, second = sequences(rewriting, messages)
    assert "Red." in rewriting.decode(first.ids)
    assert "Blue." not in rewriting.decode(first.ids)
    assert "seen" in rewriting.decode(second.ids)
    assert sum(second.trained) == len(rewriting.encode("Blue.")) + 1


def test_a_template_without_system_turn_gets_the_system_prompt_before_the_question(
    tokenizer: LabTokenizer,
) -> None:
    strict = load_tokenizer(tokenizer.inner.name_or_path)
    strict.inner.chat_template = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    )
    ids = strict.chat([Message("system", "Be brief."), QUESTION], answer=False)
    assert strict.decode(ids) == "user: Be brief.\n\nName a colour.\n"


def test_many_conversations_at_once_are_read_as_each_alone(tokenizer: LabTokenizer) -> None:
    pieces = [
        "hi",
        " ",
        "\n",
        "<|im_end|>",
        "\U000f0000",
        "ő",
        "kettő ",
        "?!",
        "\t\n ",
        "<|im_",
        "👋",
    ]
    draw = random.Random(1)

    def said(role: str) -> Message:
        return Message(role, "".join(draw.choices(pieces, k=5)) + ".")  # type: ignore[arg-type]

    asked = [((said("user"),), True) for _ in range(60)]
    asked += [((said("system"), said("user"), said("assistant")), False) for _ in range(60)]
    asked.append(((QUESTION,), True))
    alone = [tokenizer.chat(messages, answer=answer) for messages, answer in asked]
    tokenizer.encode("leaves another switch behind")
    assert tokenizer.chats(asked) == alone
    assert tokenizer.chats([]) == []


def test_a_template_that_refuses_a_turn_is_asked_again_for_many_as_for_one(
    tokenizer: LabTokenizer,
) -> None:
    strict = LabTokenizer(copy.deepcopy(tokenizer.inner))
    strict.inner.chat_template = (
        "{% for m in messages %}{% if m['role'] == 'system' %}"
        "{{ raise_exception('no system') }}{% endif %}{{ m['content'] }}{% endfor %}"
    )
    asked = (Message("system", "Be brief."), QUESTION), True
    assert strict.chats([asked]) == [strict.chat(asked[0], answer=True)]
