"""Write a prompt as the Markdown file that `files.py` reads: what is read again is equal.

Knows no folder: text out.
"""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import yaml

from demo.errors import BadInput
from demo.prompting.files import FORMATS, HEADING, PromptFile, read_prompt
from demo.records import Message


def write_prompt(prompt: PromptFile) -> str:
    """The file of a prompt.

    Raises:
        BadInput: the prompt breaks a rule of prompt files; the message names its title and the rule.
    """
    prompt = _as_read(prompt)
    if any(HEADING.search(section.content) for section in prompt.sections):
        problem = "a line of its text begins with ##, which is how a section begins"
        raise BadInput("prompt_file", file=prompt.title, problem=problem)
    head = yaml.safe_dump(_fields(prompt), sort_keys=False, allow_unicode=True, width=100)
    body = "\n".join(f"## {s.role}\n{s.content}\n" for s in prompt.sections)
    text = f"---\n{head}---\n{body}"
    if read_prompt(f"{prompt.name}.md", text.encode()) != prompt:
        problem = "it holds characters that a text file would not keep"
        raise BadInput("prompt_file", file=prompt.title, problem=problem)
    return text


def _as_read(prompt: PromptFile) -> PromptFile:
    """The prompt as a reader would have it: one kind of line end, no space around the texts."""
    sections = tuple(Message(s.role, _plain(s.content).strip()) for s in prompt.sections)
    defaults = {name: _plain(value).rstrip("\n") for name, value in prompt.defaults.items()}
    return replace(prompt, sections=sections, defaults=MappingProxyType(defaults))


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
    return fields | ({"defaults": dict(prompt.defaults)} if prompt.defaults else {})
