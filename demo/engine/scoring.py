"""What is scored of a text that follows a prompt: its ids, and the scores with their words.

Knows tokenizers and rows; not the queue.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from demo.engine.stream import named
from demo.engine.turns.prefixes import common_length
from demo.engine.turns.seat import Seat
from demo.records import Message, Scored, ScoreRequest
from demo.text.tokenizer import LabTokenizer


@dataclass(frozen=True)
class ScoredIds:
    """A prompt and what follows it, in tokens."""

    prompt: tuple[int, ...]
    continuation: tuple[int, ...]


def scored_ids(tokenizer: LabTokenizer, request: ScoreRequest, continuation: str) -> ScoredIds:
    """Prompt and continuation as the tokenization of the whole wherever there is one.

    Of a plain text, a token that holds the end of the prompt and the beginning of the continuation
    is scored with the continuation. Where nothing stands before the first token, it is read only.
    In a chat the continuation stands where the assistant's answer does; its end token is scored
    only where it is asked for.
    """
    if request.completion:
        text = request.messages[-1].content
        prompt = tokenizer.encode(text, start=True)
        whole = tokenizer.encode(text + continuation, start=True)
        seam = max(common_length(prompt, whole), 1)
        return ScoredIds(tuple(whole[:seam]), tuple(whole[seam:]))
    prompt = tokenizer.chat(request.messages, answer=True)
    answer = _answer_ids(tokenizer, request.messages, continuation)
    end = [_end_of_answer(tokenizer)] if request.closed else []
    return ScoredIds(tuple(prompt), (*answer, *end))


def _end_of_answer(tokenizer: LabTokenizer) -> int:
    """The token that the template ends an answer with."""
    whole = tokenizer.chat([Message("user", "a"), Message("assistant", "b")], answer=False)
    return next(token for token in reversed(whole) if token in tokenizer.end_ids)


def _answer_ids(
    tokenizer: LabTokenizer, messages: Sequence[Message], continuation: str
) -> list[int]:
    """The ids of an answer as the template puts it, unless the template changes its text."""
    prompt = tokenizer.chat(messages, answer=True)
    whole = tokenizer.chat([*messages, Message("assistant", continuation)], answer=False)
    rest = whole[len(prompt) :]
    ends = [position for position, token in enumerate(rest) if token in tokenizer.end_ids]
    if whole[: len(prompt)] == prompt and ends:
        answer = rest[: ends[0]]
        if tokenizer.decode(answer, control=True) == continuation:
            return answer
    return tokenizer.encode(continuation)


def scores_of(tokenizer: LabTokenizer, seat: Seat) -> Scored:
    """The scores of a seat that has ended. Raises the error that ended it, if one did."""
    if seat.error is not None:
        raise seat.error
    tokens = tuple(named(tokenizer, choice) for choice in seat.choices)
    return Scored(tokens, seat.prompt_tokens, seat.row.reused)
