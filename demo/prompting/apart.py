"""Take a prompt file apart: its frame, the shots in it and its chain of thought, to count and exchange them.

What a file says of its shots itself counts. Else a text is taken apart only where putting it together
again gives the same text; otherwise all of it is the frame. Knows no folder and no model.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from string import Template

from demo.prompting.files import PromptFile
from demo.prompting.frame import STEPS, Chain, Frame, Parts, escaped, render
from demo.prompting.shots import MOST_SHOTS, Shot
from demo.records import Message

MARK = "\0"
"""Stands for the question while a file is taken apart; no text may hold it."""
_Found = tuple[Frame, tuple[Shot, ...]]


def frame_of(file: PromptFile) -> Frame:
    """The frame of a prompt file, its other variables filled with their defaults."""
    return parts_of(file).frame


def shots_of(file: PromptFile) -> tuple[Shot, ...]:
    """The examples of a prompt file that are shots: the same frame around each of them."""
    return parts_of(file).shots


def chain_of(file: PromptFile) -> Chain:
    """Which chain of thought a prompt file has by itself."""
    return parts_of(file).chain


def parts_of(file: PromptFile) -> Parts:
    """All three."""
    values = dict.fromkeys(file.variables, "") | dict(file.defaults) | {"input": MARK}
    if file.parts:
        return replace(file.parts, frame=_filled_frame(file.parts.frame, values))
    *before, last = (_filled(section, values) for section in file.sections)
    text = last.content.removesuffix(STEPS).rstrip()
    steps: Chain = "steps" if text != last.content else "none"
    frame, shots = _found(tuple(before), text, file.completion)
    return Parts(frame, shots, "worked" if _worked(shots) else steps)


def _worked(shots: tuple[Shot, ...]) -> bool:
    return any(shot.worked for shot in shots)


def _found(before: tuple[Message, ...], text: str, completion: bool) -> _Found:
    if MARK not in text:
        kept = tuple(replace(m, content=_template(m.content)) for m in before)
        return Frame(_template(text), before=kept, completion=completion), ()
    return _completion(text) if completion else _chat(before, text)


def _filled(section: Message, values: Mapping[str, str]) -> Message:
    return replace(section, content=Template(section.content).substitute(values))


def _filled_frame(frame: Frame, values: Mapping[str, str]) -> Frame:
    def filled(text: str) -> str:
        return _template(Template(text).substitute(values))

    before = tuple(replace(m, content=filled(m.content)) for m in frame.before)
    return replace(
        frame, asks=filled(frame.asks), instruction=filled(frame.instruction), before=before
    )


def _template(text: str) -> str:
    # Braces where a letter follows, which would become part of the variable's name.
    return re.sub(MARK + r"(?=\w)", "${input}", escaped(text)).replace(MARK, "$input")


def _chat(before: tuple[Message, ...], last: str) -> _Found:
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


def _completion(text: str) -> _Found:
    """One example is a line, or a block between empty lines where the question's own block has several."""
    whole = Frame(_template(text), completion=True, between="\n\n")
    if MARK not in text.split("\n\n")[-1]:
        return whole, ()
    frame, shots = _by_line(text) or _by_block(text)
    again = render(frame, shots, MARK, "worked" if _worked(shots) else "none")[-1].content
    return (frame, shots) if again == text and len(shots) <= MOST_SHOTS else (whole, ())


def _by_line(text: str) -> _Found | None:
    *blocks, block = text.split("\n\n")
    *lines, line = block.split("\n")
    known = all(_inside(line, part, open_end=True) for part in lines)
    if MARK not in line or not known or not (lines or not blocks):
        return None
    frame = Frame(_template(line), _template("\n\n".join(blocks)), completion=True)
    return frame, tuple(_example(line, part) for part in lines)


def _by_block(text: str) -> _Found:
    *blocks, block = text.split("\n\n")
    known: list[str] = []
    while blocks and _inside(block, blocks[-1], open_end=True):
        known.insert(0, blocks.pop())
    head = _template("\n\n".join(blocks))
    frame = Frame(_template(block), head, completion=True, between="\n\n")
    return frame, tuple(_example(block, part) for part in known)


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
    place = text.rfind("\n\n", 0, text.index(MARK))
    return (text[:place], text[place + 2 :]) if place > 0 else ("", text)
