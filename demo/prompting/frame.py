"""Put shots and a question into a prompt: as turns of a chat, or as one text to be continued.

A frame says what stands around every question, and `render` fills it. Knows no file and no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import Template
from typing import Literal

from demo.errors import BadInput
from demo.prompting.shots import Shot
from demo.records import Message

Chain = Literal["none", "steps", "worked"]
CHAINS: tuple[Chain, ...] = ("none", "steps", "worked")
STEPS = "Let's think step by step."
"""Kojima et al. 2022, "Large Language Models are Zero-Shot Reasoners"."""


@dataclass(frozen=True)
class Frame:
    """What stands around the questions. Every text is a template: `$input` is the question, `$$` a `$`."""

    asks: str = "$input"
    """Around each question, of the shots too; a completion goes on right after it."""
    instruction: str = ""
    """Said once, before the first question."""
    before: tuple[Message, ...] = ()
    """Messages that stay in front: the system prompt, and examples that are no shots."""
    completion: bool = False
    between: str = "\n"
    """In a completion, what parts one shot from the next."""

    @classmethod
    def chat(cls, system: str = "", asks: str = "$input", instruction: str = "") -> "Frame":
        """A chat under a system prompt, both written as they are read, without templates' signs."""
        before = (Message("system", escaped(system)),) if system.strip() else ()
        return cls(asks, escaped(instruction), before)


@dataclass(frozen=True)
class Parts:
    """A whole prompt as its parts."""

    frame: Frame
    shots: tuple[Shot, ...] = ()
    chain: Chain = "none"


def render(
    frame: Frame, shots: Sequence[Shot], question: str, chain: Chain = "none"
) -> tuple[Message, ...]:
    """The prompt: what stands before, the shots as they are ordered, the question.

    Args:
        frame: what stands around the questions.
        shots: none is zero-shot.
        question: what the model shall answer.
        chain: `none` shows results only, `steps` ends with "Let's think step by step.", `worked`
            shows the steps of every shot that has them (Wei et al. 2022).

    Raises:
        BadInput: `worked` was asked for, and no shot shows its steps.
    """
    return tuple(
        Message(m.role, Template(m.content).substitute(input=question))
        for m in template(frame, shots, chain)
    )


def template(frame: Frame, shots: Sequence[Shot], chain: Chain = "none") -> tuple[Message, ...]:
    """The prompt with `$input` where the question will stand, as a prompt file writes it."""
    if chain == "worked" and shots and not any(shot.worked for shot in shots):
        raise BadInput("no_worked_shots")
    pairs = [
        (_asked(frame, shot.input), escaped(shot.output if chain == "worked" else shot.short))
        for shot in shots
    ]
    last = frame.asks
    if chain == "steps":
        last += (" " if frame.completion else "\n\n") + STEPS
    if frame.completion:
        text = frame.between.join([*(f"{asked} {said}" for asked, said in pairs), last])
        return (*frame.before, Message("user", _under(frame.instruction, text)))
    turns = [
        m for asked, said in pairs for m in (Message("user", asked), Message("assistant", said))
    ]
    first, *rest = [*turns, Message("user", last)]
    return (*frame.before, replace(first, content=_under(frame.instruction, first.content)), *rest)


def _under(instruction: str, text: str) -> str:
    return f"{instruction}\n\n{text}" if instruction else text


def _asked(frame: Frame, question: str) -> str:
    return Template(_protected(frame.asks)).safe_substitute(input=escaped(question))


def _protected(text: str) -> str:
    """A template that keeps its `$$` when it is filled once more than it was written for."""
    return text.replace("$$", "$$$$")


def escaped(text: str) -> str:
    """A text as a template that says it."""
    return text.replace("$", "$$")
