"""Read a prompt file: Markdown with front matter in, checked messages out.

Knows nothing of the model: how messages are rendered is the tokenizer's business, and a prompt of
format `completion` is simply one text to be continued.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Any, Literal, cast

import yaml

from demo.checks import checked_text, chosen
from demo.errors import BadInput
from demo.prompting.extract import EXTRACTORS
from demo.records import Message, Role

TECHNIQUES = ("zero-shot", "one-shot", "few-shot", "chain-of-thought")
FORMATS = ("chat", "completion")
REQUIRED = ("title", "task", "technique", "teaches")
OPTIONAL = ("defaults", "format", "answer", "language")
LONGEST_VALUE = 40_000
"""Characters of one variable; the whole prompt is measured in tokens later."""

FRONT_MATTER = re.compile(r"---\n(.*?)\n---\n(.*)", re.DOTALL)
HEADING = re.compile(r"^##[ \t]+(\S.*)$", re.MULTILINE)


@dataclass(frozen=True)
class PromptFile:
    """One prompt of the library. Its name is the file's stem."""

    name: str
    title: str
    task: str
    technique: str
    teaches: str
    """One or two sentences: what a student sees by running it."""
    sections: tuple[Message, ...]
    """Role and text with `$variables`, in the order of the conversation."""
    defaults: Mapping[str, str]
    format: Literal["chat", "completion"] = "chat"
    answer: str = "none"
    """The extractor that finds the answer in what the model wrote."""
    language: str = "en"

    @property
    def variables(self) -> tuple[str, ...]:
        """What can be filled in, in the order of appearance."""
        found = [name for s in self.sections for name in Template(s.content).get_identifiers()]
        return tuple(dict.fromkeys(found))

    @property
    def completion(self) -> bool:
        """Whether the text is continued as it stands, without the chat template."""
        return self.format == "completion"

    @property
    def shots(self) -> int:
        """How many solved examples stand before the question."""
        return sum(section.role == "assistant" for section in self.sections)

    def messages(self, values: Mapping[str, str]) -> tuple[Message, ...]:
        """The conversation with its variables filled in; a `$` inside a value stays a `$`.

        Raises:
            BadInput: a variable has neither value nor default, is empty, or does not exist.
        """
        for name in values:
            chosen("variable", name, self.variables)
        filled = {
            name: checked_text(name, values.get(name, self.defaults.get(name)), LONGEST_VALUE)
            for name in self.variables
        }
        return tuple(Message(s.role, Template(s.content).substitute(filled)) for s in self.sections)


def read_prompt_file(path: Path) -> PromptFile:
    """Read and check one prompt file.

    Raises:
        BadInput: it is not a prompt file as agreed; the message names the file and the problem.
    """
    return read_prompt(path.name, path.read_bytes())


def read_prompt(file: str, content: bytes) -> PromptFile:
    """Check what a file of this name holds, wherever it comes from.

    Raises:
        BadInput: it is not a prompt file as agreed; the message names the file and the problem.
    """
    try:
        # Windows marks UTF-8 with three bytes, and ends lines with two.
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        return _parse(Path(file).stem, text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problem = f"line {line} is not UTF-8"
    except yaml.YAMLError as error:
        problem = "the front matter is not YAML: " + " ".join(str(error).split())
    except RecursionError:
        problem = "the front matter is nested too deeply"
    except _Problem as error:
        problem = str(error)
    raise BadInput("prompt_file", file=file, problem=problem)


class _Problem(Exception):
    """Why a prompt file is refused; becomes a message that names the file."""


def _parse(name: str, text: str) -> PromptFile:
    parts = FRONT_MATTER.fullmatch(text)
    if parts is None:
        raise _Problem("it does not begin with front matter between two lines of ---")
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(parts[1], yaml.BaseLoader)):
        raise _Problem("an alias (*) would repeat what it names; write it out")
    # BaseLoader: every value is text, so `no`, 16 and 2026-01-01 mean what they look like
    fields = _fields(yaml.load(parts[1], Loader=yaml.BaseLoader))
    prompt = PromptFile(name=name, sections=_sections(parts[2]), **fields)
    _check_variables(prompt)
    if prompt.completion and [s.role for s in prompt.sections] != ["user"]:
        raise _Problem("format completion needs exactly one section, ## user")
    return prompt


def _fields(given: Any) -> dict[str, Any]:
    """The front matter, complete and free of anything unknown."""
    if not isinstance(given, dict):
        raise _Problem("the front matter holds no fields")
    for name in given:
        _one_of("field", name, (*REQUIRED, *OPTIONAL))
    fields = {**given, "defaults": _defaults(given.get("defaults", {}))}
    for name in REQUIRED:
        if name not in fields:
            raise _Problem(f"the field {name} is missing")
    for name in fields.keys() - {"defaults"}:
        if not isinstance(fields[name], str) or not fields[name].strip():
            raise _Problem(f"the field {name} must be text")
    _one_of("technique", fields["technique"], TECHNIQUES)
    _one_of("format", fields.get("format", "chat"), FORMATS)
    _one_of("answer", fields.get("answer", "none"), tuple(EXTRACTORS))
    return fields


def _defaults(given: Any) -> Mapping[str, str]:
    if not isinstance(given, dict):
        raise _Problem("the field defaults must hold names and texts")
    for name, value in given.items():
        if not isinstance(value, str) or not value.strip():
            raise _Problem(f"the default of {name} must be text")
    return MappingProxyType({name: value.rstrip("\n") for name, value in given.items()})


def _sections(body: str) -> tuple[Message, ...]:
    """The sections in order: system first if at all, then user and assistant by turns, user last."""
    before, *parts = HEADING.split(body)
    if before.strip():
        raise _Problem("there is text before the first section")
    sections = []
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        role = heading.rstrip()
        _one_of("section", role, ("system", "user", "assistant"))
        if not text.strip():
            raise _Problem(f"a section ## {role} is empty")
        sections.append(Message(cast(Role, role), text.strip()))
    _check_order([section.role for section in sections])
    return tuple(sections)


def _check_order(roles: list[Role]) -> None:
    turns = roles[1:] if roles[:1] == ["system"] else roles
    if not turns or turns[-1] != "user":
        raise _Problem("the last section must be ## user, where the model answers")
    if turns != ["user", "assistant"] * (len(turns) // 2) + ["user"]:
        raise _Problem("sections must be ## system, then ## user and ## assistant by turns")


def _check_variables(prompt: PromptFile) -> None:
    for section in prompt.sections:
        if not Template(section.content).is_valid():
            raise _Problem(f"a stray $ in section ## {section.role}; write $$ for the sign itself")
    for name in prompt.defaults:
        _one_of("default", name, prompt.variables)
    if "input" not in prompt.variables:
        raise _Problem("the variable $input is missing")


def _one_of(kind: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise _Problem(f"{kind} {value!r} is unknown; it must be one of {', '.join(choices)}")
