"""Put shots and a question into a prompt: as turns of a chat, or as one text to be continued.

A frame says what stands around every question. `render` fills it; `frame_of` and `shots_of` take a
prompt file apart, so that its examples can be counted, exchanged and ordered. Knows no model.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import Template
from typing import Literal

from demo.errors import BadInput
from demo.prompting.files import PromptFile
from demo.prompting.shots import Shot
from demo.records import Message

Chain = Literal["none", "steps", "worked"]
CHAINS: tuple[Chain, ...] = ("none", "steps", "worked")
STEPS = "Let's think step by step."
"""Kojima et al. 2022, "Large Language Models are Zero-Shot Reasoners"."""
MARK = "\0"
"""Stands for the question while a file is taken apart; no text may hold it."""


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
        before = (Message("system", _escaped(system)),) if system.strip() else ()
        return cls(asks, _escaped(instruction), before)


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
        (_asked(frame, shot.input), _escaped(shot.output if chain == "worked" else shot.short))
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
    return Template(_protected(frame.asks)).substitute(input=_escaped(question))


def _protected(text: str) -> str:
    """A template that keeps its `$$` when it is filled once more than it was written for."""
    return text.replace("$$", "$$$$")


def _escaped(text: str) -> str:
    return text.replace("$", "$$")


def frame_of(file: PromptFile) -> Frame:
    """The frame of a prompt file, its other variables filled with their defaults."""
    return _taken_apart(file)[0]


def shots_of(file: PromptFile) -> tuple[Shot, ...]:
    """The examples of a prompt file that are shots: the same frame around each of them."""
    return _taken_apart(file)[1]


def chain_of(file: PromptFile) -> Chain:
    """Which chain of thought a prompt file has by itself."""
    if any(shot.worked for shot in shots_of(file)):
        return "worked"
    return "steps" if file.sections[-1].content.rstrip().endswith(STEPS) else "none"


def _taken_apart(file: PromptFile) -> tuple[Frame, tuple[Shot, ...]]:
    filled = _filled(
        file, {name: value for name, value in file.defaults.items() if name != "input"}
    )
    *before, last = filled
    text = last.content.removesuffix(STEPS).rstrip()
    return _completion(text) if file.completion else _chat(tuple(before), text)


def _filled(file: PromptFile, values: Mapping[str, str]) -> tuple[Message, ...]:
    others = {name: values.get(name, "") for name in file.variables}
    return tuple(
        Message(s.role, Template(s.content).substitute(others | {"input": MARK}))
        for s in file.sections
    )


def _template(text: str) -> str:
    # Braces where a letter follows, which would become part of the variable's name.
    return re.sub(MARK + r"(?=\w)", "${input}", _escaped(text)).replace(MARK, "$input")


def _chat(before: tuple[Message, ...], last: str) -> tuple[Frame, tuple[Shot, ...]]:
    system = before[: len(before) % 2]
    turns = before[len(system) :]
    questions = [_inside(last, turn.content) for turn in turns[::2]]
    if any(question is None for question in questions):
        kept = tuple(Message(m.role, _template(m.content)) for m in before)
        return Frame(_template(last), before=kept), ()
    head, asks = ("", last) if turns else _instruction(last)
    kept = tuple(Message(m.role, _template(m.content)) for m in system)
    shots = tuple(
        Shot(question or "", turn.content)
        for question, turn in zip(questions, turns[1::2], strict=True)
    )
    return Frame(_template(asks), _template(head), kept), shots


def _completion(text: str) -> tuple[Frame, tuple[Shot, ...]]:
    """One example is a line, or a block between empty lines where the question's own block has several."""
    *blocks, block = text.split("\n\n")
    if MARK not in block:
        return Frame(_template(text), completion=True, between="\n\n"), ()
    *lines, line = block.split("\n")
    by_line = MARK in line and "\n" not in line and (lines or not blocks)
    if by_line and all(_inside(line, part, open_end=True) for part in lines):
        head, asks, examples, between = "\n\n".join(blocks), line, lines, "\n"
    else:
        known = [part for part in blocks if _inside(block, part, open_end=True)]
        head, asks, examples, between = (
            "\n\n".join(blocks[: len(blocks) - len(known)]),
            block,
            known,
            "\n\n",
        )
    shots = tuple(_example(asks, part) for part in examples)
    return Frame(_template(asks), _template(head), completion=True, between=between), shots


def _example(asks: str, text: str) -> Shot:
    question = _inside(asks, text, open_end=True) or ""
    return Shot(question, text[len(asks.replace(MARK, question)) :].strip())


def _inside(asks: str, text: str, *, open_end: bool = False) -> str | None:
    """What stands in `text` where `asks` has the question, if the rest is equal."""
    before, _, after = asks.partition(MARK)
    end = re.escape(after) + (r"\s*\S.*" if open_end else "")
    found = re.fullmatch(f"{re.escape(before)}(.+?){end}", text, re.DOTALL)
    return found[1] if found and MARK not in after else None


def _instruction(text: str) -> tuple[str, str]:
    """The paragraphs before the question's, and the rest."""
    paragraphs = text.split("\n\n")
    place = next(i for i, part in enumerate(paragraphs) if MARK in part)
    return "\n\n".join(paragraphs[:place]), "\n\n".join(paragraphs[place:])
