"""Whether an experiment fits: each prompt into the model's context, all of them into what one visitor may use.

Knows prompts by their length alone.
"""

from collections.abc import Callable, Sequence

from demo.errors import BadInput
from demo.records import AnswerRequest, Message, RenderedPrompt

MOST_READ = 200_000
"""Tokens that one experiment may read: some minutes on two cores."""

Prompts = Sequence[tuple[Message, ...]]


def require_room(
    render: Callable[[AnswerRequest], RenderedPrompt],
    variants: Sequence[Prompts],
    answer_tokens: int,
    shots: int = 0,
) -> None:
    """Refuse what does not fit, before anything is asked.

    What the questions of a variant share is read once, so that a call costs little more than the
    shortest variant does.

    Args:
        render: measures a prompt.
        variants: the prompts of each.
        answer_tokens: what is scored or written after a prompt, at most.
        shots: in the longest prompt, for the message.

    Raises:
        BadInput: a prompt is longer than the context, or all together are too many tokens.
    """
    longest = [max(prompts, key=_characters) for prompts in variants]
    rendered = [render(AnswerRequest(messages=prompt)) for prompt in longest]
    tokens = [len(prompt.ids) for prompt in rendered]
    context = rendered[0].context
    if max(tokens) + answer_tokens > context:
        raise BadInput("shots_too_long", got=max(tokens), high=context, shots=shots)
    calls = sum(len(prompts) for prompts in variants)
    read = sum(tokens) + calls * (min(tokens) + answer_tokens)
    if read > MOST_READ:
        raise BadInput("experiment_too_long", got=read, high=MOST_READ)


def _characters(prompt: tuple[Message, ...]) -> int:
    return sum(len(message.content) for message in prompt)
