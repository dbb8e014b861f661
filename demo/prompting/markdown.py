"""Write a prompt as the Markdown file that `files.py` reads: what is read again is equal.

Shots stand in the text as long as they can be found there again; else the front matter tells them.
Knows no folder: text out.
"""

import re
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import yaml

from demo.errors import BadInput
from demo.prompting.apart import parts_of
from demo.prompting.files import BETWEEN, FORMATS, HEADING, PromptFile, read_prompt
from demo.prompting.frame import Parts, template
from demo.records import Message


def write_prompt(prompt: PromptFile) -> str:
    """The file of a prompt.

    Raises:
        BadInput: the prompt breaks a rule of prompt files; the message names its title and the rule.
    """
    prompt = _as_read(prompt)
    sections = _sections(prompt)
    if any(HEADING.search(section.content) for section in sections):
        problem = "a line of its text begins with ##, which is how a section begins"
        raise BadInput("prompt_file", file=prompt.title, problem=problem)
    head = yaml.dump(
        _fields(prompt), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )
    body = "\n".join(f"## {s.role}\n{s.content}\n" for s in sections)
    text = f"---\n{head}---\n{body}"
    if read_prompt(f"{prompt.name}.md", text.encode("utf-8", "replace")) != prompt:
        problem = "it holds characters that a text file would not keep"
        raise BadInput("prompt_file", file=prompt.title, problem=problem)
    return text


def with_parts(prompt: PromptFile, parts: Parts) -> PromptFile:
    """A prompt of these parts, which it tells one by one only where its text would not tell them.

    Args:
        prompt: everything but the sections.
        parts: what its sections are made of.
    """
    parts = _readable(parts)
    plain = replace(prompt, sections=template(parts.frame, parts.shots, parts.chain), parts=None)
    try:
        again = read_prompt(f"{plain.name}.md", write_prompt(plain).encode())
    except BadInput:
        again = None
    if again and again.sections == plain.sections and parts_of(again) == parts:
        return plain
    return replace(plain, parts=parts)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stand as they are read, not between quotes."""


def _written(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # A block loses the space that it begins with, and any other kind of line end.
    lines = "\n" in text and not text[:1].isspace() and not re.search("[\r\x85\u2028\u2029]", text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if lines else None)


_Dumper.add_representer(str, _written)


def _sections(prompt: PromptFile) -> tuple[Message, ...]:
    """What stands in the text: all of it, or the frame of the shots that are told before."""
    if prompt.parts is None:
        return prompt.sections
    frame = prompt.parts.frame
    return (*frame.before, Message("user", frame.asks))


def _as_read(prompt: PromptFile) -> PromptFile:
    """The prompt as a reader would have it: one kind of line end, no space around the texts."""
    defaults = {name: _plain(value).rstrip("\n") for name, value in prompt.defaults.items()}
    prompt = replace(prompt, defaults=MappingProxyType(defaults))
    if prompt.parts is None:
        return replace(prompt, sections=_stripped(prompt.sections))
    parts = _readable(prompt.parts)
    return replace(prompt, parts=parts, sections=template(parts.frame, parts.shots, parts.chain))


def _readable(parts: Parts) -> Parts:
    frame = parts.frame
    asks, before = _plain(frame.asks).strip(), _stripped(frame.before)
    return replace(parts, frame=replace(frame, asks=asks, before=before))


def _stripped(sections: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(Message(s.role, _plain(s.content).strip()) for s in sections)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _fields(prompt: PromptFile) -> dict[str, Any]:
    """The front matter; what has its usual value is left out."""
    fields: dict[str, Any] = {
        "title": prompt.title,
        "task": prompt.task,
        "technique": prompt.technique,
    }
    usual = {"language": "en", "format": FORMATS[0]}
    fields |= {
        name: getattr(prompt, name)
        for name, value in usual.items()
        if getattr(prompt, name) != value
    }
    fields["teaches"] = prompt.teaches
    if prompt.answer != "none":
        fields["answer"] = prompt.answer
    if prompt.defaults:
        fields["defaults"] = dict(prompt.defaults)
    return fields | (_told(prompt.parts) if prompt.parts else {})


def _told(parts: Parts) -> dict[str, Any]:
    """The fields that tell a prompt's shots."""
    frame = parts.frame
    between = next((name for name, text in BETWEEN.items() if text == frame.between), "line")
    fields: dict[str, Any] = {"between": between} if between != "line" else {}
    if frame.instruction:
        fields["instruction"] = frame.instruction
    shots = [{"input": shot.input, "output": shot.output} for shot in parts.shots]
    return fields | {"chain": parts.chain, "shots": shots}
