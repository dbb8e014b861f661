"""Read a prompt file: Markdown with front matter in, checked messages out.

Knows nothing of the model: how messages are rendered is the tokenizer's business, and a prompt of
format `completion` is simply one text to be continued.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Any, Literal, cast

from demo.checks import checked_text, chosen
from demo.errors import BadInput
from demo.prompting.extract import EXTRACTORS
from demo.prompting.frame import CHAINS, Chain, Frame, Parts, template
from demo.prompting.front_matter import Problem, check_characters, front_matter, one_of
from demo.prompting.shots import MOST_SHOTS, Shot
from demo.records import Message, Role

TECHNIQUES = ("zero-shot", "one-shot", "few-shot", "chain-of-thought")
FORMATS = ("chat", "completion")
REQUIRED = ("title", "task", "technique", "teaches")
OPTIONAL = ("defaults", "format", "answer", "language")
OF_SHOTS = ("shots", "chain", "instruction", "between")
"""Also optional: the shots told one by one, where a text could be taken apart wrongly. The last section
is then what stands around each question, and `instruction` is said once before the first."""
BETWEEN = {"line": "\n", "empty line": "\n\n"}
"""What parts the shots of a completion, by the name it has in a file."""
MOST_SECTIONS = 2 * MOST_SHOTS + 2
LONGEST_VALUE = 40_000
"""Characters of one variable; the whole prompt is measured in tokens later."""

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
    parts: Parts | None = None
    """As the file tells them; without, they are found by taking the sections apart."""

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
    except Problem as error:
        problem = str(error)
    raise BadInput("prompt_file", file=file, problem=problem)


def _parse(name: str, text: str) -> PromptFile:
    head, body = front_matter(text)
    fields = _fields(head)
    told = {name: fields.pop(name) for name in OF_SHOTS if name in fields}
    prompt = PromptFile(name=name, sections=_sections(body), **fields)
    if prompt.completion and [s.role for s in prompt.sections] != ["user"]:
        raise Problem("format completion needs exactly one section, ## user")
    _check_templates(prompt.sections)
    if told:
        parts = _parts(prompt, told)
        prompt = replace(prompt, parts=parts, sections=template(*_values(parts)))
    _check_variables(prompt)
    return prompt


def _values(parts: Parts) -> tuple[Frame, tuple[Shot, ...], Chain]:
    return parts.frame, parts.shots, parts.chain


def _fields(given: Any) -> dict[str, Any]:
    """The front matter, complete and free of anything unknown."""
    if not isinstance(given, dict):
        raise Problem("the front matter holds no fields")
    for name in given:
        one_of("field", name, (*REQUIRED, *OPTIONAL, *OF_SHOTS))
    fields = {**given, "defaults": _defaults(given.get("defaults", {}))}
    for name in REQUIRED:
        if name not in fields:
            raise Problem(f"the field {name} is missing")
    for name in fields.keys() - {"defaults", "shots"}:
        _check_text(f"the field {name}", fields[name])
    one_of("technique", fields["technique"], TECHNIQUES)
    one_of("format", fields.get("format", "chat"), FORMATS)
    one_of("answer", fields.get("answer", "none"), tuple(EXTRACTORS))
    return fields


def _defaults(given: Any) -> Mapping[str, str]:
    if not isinstance(given, dict):
        raise Problem("the field defaults must hold names and texts")
    for name, value in given.items():
        _check_text(f"the default of {name}", value)
    return MappingProxyType({name: value.rstrip("\n") for name, value in given.items()})


def _check_text(place: str, value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise Problem(f"{place} must be text")
    check_characters(value, "\n\t\r", place)


def _parts(prompt: PromptFile, told: Mapping[str, Any]) -> Parts:
    """Shots and their frame as the front matter tells them."""
    if "shots" not in told:
        raise Problem(f"the field {next(iter(told))} goes with the field shots")
    one_of("chain", told.get("chain", "none"), CHAINS)
    one_of("between", told.get("between", "line"), tuple(BETWEEN))
    *before, last = prompt.sections
    if "input" not in Template(last.content).get_identifiers():
        raise Problem("the last section must hold $input, around which the shots stand")
    frame = Frame(
        asks=last.content,
        instruction=told.get("instruction", ""),
        before=tuple(before),
        completion=prompt.completion,
        between=BETWEEN[told.get("between", "line")],
    )
    shots, chain = _shots(told["shots"]), cast(Chain, told.get("chain", "none"))
    if chain == "worked" and shots and not any(shot.worked for shot in shots):
        raise Problem("chain worked needs a shot whose output shows its steps before ####")
    return Parts(frame, shots, chain)


def _shots(given: Any) -> tuple[Shot, ...]:
    if not isinstance(given, list) or len(given) > MOST_SHOTS:
        raise Problem(f"the field shots must be a list of {MOST_SHOTS} at most")
    return tuple(_shot(number, shot) for number, shot in enumerate(given, 1))


def _shot(number: int, given: Any) -> Shot:
    if not isinstance(given, dict) or set(given) != {"input", "output"}:
        raise Problem(f"shot {number} must have an input and an output, and nothing else")
    for side, text in given.items():
        _check_text(f"the {side} of shot {number}", text)
    return Shot(given["input"], given["output"])


def _sections(body: str) -> tuple[Message, ...]:
    """The sections in order: system first if at all, then user and assistant by turns, user last."""
    before, *parts = HEADING.split(body)
    if before.strip():
        raise Problem("there is text before the first section")
    if len(parts) > 2 * MOST_SECTIONS:
        raise Problem(f"it has {len(parts) // 2} sections; {MOST_SECTIONS} is the most")
    sections = []
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        role = heading.rstrip()
        one_of("section", role, ("system", "user", "assistant"))
        if not text.strip():
            raise Problem(f"a section ## {role} is empty")
        sections.append(Message(cast(Role, role), text.strip()))
    _check_order([section.role for section in sections])
    return tuple(sections)


def _check_order(roles: list[Role]) -> None:
    turns = roles[1:] if roles[:1] == ["system"] else roles
    if not turns or turns[-1] != "user":
        raise Problem("the last section must be ## user, where the model answers")
    if turns != ["user", "assistant"] * (len(turns) // 2) + ["user"]:
        raise Problem("sections must be ## system, then ## user and ## assistant by turns")


def _check_templates(sections: Sequence[Message]) -> None:
    for section in sections:
        if not Template(section.content).is_valid():
            raise Problem(f"a stray $ in section ## {section.role}; write $$ for the sign itself")


def _check_variables(prompt: PromptFile) -> None:
    if prompt.parts and not Template(prompt.parts.frame.instruction).is_valid():
        raise Problem("a stray $ in the field instruction; write $$ for the sign itself")
    for name in prompt.defaults:
        one_of("default", name, prompt.variables)
    if "input" not in prompt.variables:
        raise Problem("the variable $input is missing")
