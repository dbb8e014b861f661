"""A conversation as training sequences: which token ids the model reads, and which it learns.

Uses the same rendering as a chat, so that a model is trained on exactly what it is asked later.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Turns
from dataclasses import dataclass

from demo.records import Message
from demo.text.tokenizer import Asked, LabTokenizer

AT_ONCE = 256
"""Conversations."""
Known = Mapping[Asked, list[int]]
"""Conversations -> their ids."""


@dataclass(frozen=True)
class Sequence:
    """One training example in tokens."""

    ids: tuple[int, ...]
    trained: tuple[bool, ...]
    """True where the token is learned: every assistant turn, its end token included."""


def all_sequences(
    tokenizer: LabTokenizer,
    conversations: Turns[Turns[Message]],
    *,
    template: str = "own",
    train_end: bool = True,
) -> Iterator[list[Sequence]]:
    """What `sequences` gives for each conversation, many of them encoded at once."""
    for start in range(0, len(conversations), AT_ONCE):
        some = [tuple(messages) for messages in conversations[start : start + AT_ONCE]]
        known = _known(tokenizer, some) if template == "own" else {}
        for messages in some:
            yield _sequences(tokenizer, messages, template, train_end, known)


def sequences(
    tokenizer: LabTokenizer,
    messages: Turns[Message],
    *,
    template: str = "own",
    train_end: bool = True,
) -> list[Sequence]:
    """The training sequences of one conversation.

    Args:
        tokenizer: of the base model.
        messages: the conversation.
        template: `own`, as the model is asked; `instruction`, to see what a wrong template does.
        train_end: False leaves the token that ends an answer unlearned.
    """
    (found,) = all_sequences(tokenizer, [messages], template=template, train_end=train_end)
    return found


def _sequences(
    tokenizer: LabTokenizer,
    messages: tuple[Message, ...],
    template: str,
    train_end: bool,
    known: Known,
) -> list[Sequence]:
    own = template == "own"
    found = _own(tokenizer, messages, known) if own else [_instruction(tokenizer, messages)]
    return found if train_end else [_endless(tokenizer, sequence) for sequence in found]


def _known(tokenizer: LabTokenizer, conversations: Turns[tuple[Message, ...]]) -> Known:
    """The ids of every prompt and every answered prompt in some conversations."""
    asked = [
        asking
        for messages in conversations
        for index, message in enumerate(messages)
        if message.role == "assistant"
        for asking in ((messages[:index], True), (messages[: index + 1], False))
    ]
    return dict(zip(asked, tokenizer.chats(asked), strict=True))


def _own(tokenizer: LabTokenizer, messages: tuple[Message, ...], known: Known) -> list[Sequence]:
    """In the model's own template: the sequences of one conversation.

    Usually one. Where the template renders an earlier turn differently once the chat goes on
    (Qwen3 drops thoughts), each assistant turn becomes a sequence of its own, as it was asked.
    """
    result: list[Sequence] = []
    for index, message in enumerate(messages):
        if message.role != "assistant":
            continue
        prompt = known[messages[:index], True]
        whole = known[messages[: index + 1], False]
        completion = _completion(tokenizer, message, prompt, whole)
        before = result[-1] if result else None
        if before is not None and tuple(prompt[: len(before.ids)]) == before.ids:
            result.pop()
            between = len(prompt) - len(before.ids)
            trained = (*before.trained, *[False] * between)
        else:
            trained = (False,) * len(prompt)
        result.append(Sequence((*prompt, *completion), (*trained, *[True] * len(completion))))
    return result


def _instruction(tokenizer: LabTokenizer, messages: Turns[Message]) -> Sequence:
    """In the words that instruction sets were once written with, and no chat template."""
    ids: list[int] = []
    trained: list[bool] = []
    for message in messages:
        learned = message.role == "assistant"
        head = "### Response:\n" if learned else "### Instruction:\n"
        said = tokenizer.encode(message.content)
        end = [tokenizer.inner.eos_token_id] if learned else tokenizer.encode("\n\n")
        before = tokenizer.encode(head)
        ids += [*before, *said, *end]
        trained += [*[False] * len(before), *[learned] * (len(said) + len(end))]
    return Sequence(tuple(ids), tuple(trained))


def _endless(tokenizer: LabTokenizer, sequence: Sequence) -> Sequence:
    """The same with every trained end token unlearned; one that would learn nothing stays as it is."""
    trained = tuple(
        learned and token not in tokenizer.end_ids
        for token, learned in zip(sequence.ids, sequence.trained, strict=True)
    )
    return Sequence(sequence.ids, trained) if any(trained) else sequence


def _completion(
    tokenizer: LabTokenizer, last: Message, prompt: list[int], whole: list[int]
) -> list[int]:
    """The ids of the last turn's content and its end token, as they follow the prompt."""
    end = tokenizer.end_ids
    if whole[: len(prompt)] == prompt:
        rest = whole[len(prompt) :]
        for position, token in enumerate(rest):
            if token in end:
                return rest[: position + 1]
    return [*tokenizer.encode(last.content), tokenizer.inner.eos_token_id]
