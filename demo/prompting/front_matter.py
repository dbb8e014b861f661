"""Read what stands before the text of a prompt file: plain fields in YAML, shallow and quickly refused.

Knows no field. Whatever it refuses, it says in words, as `Problem`.
"""

import re
from typing import Any

import yaml

# Every value is text, so `no`, 16 and 2026-01-01 mean what they look like; in C where there is libyaml.
Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
DEEPEST = 3
"""Fields, in them a list of shots, in it their inputs and outputs."""
MOST_FIELD_NODES = 400
"""Names, texts and lists together: many times what 32 shots need."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
FRONT_MATTER = re.compile(r"---\n(.*?\n)---\n(.*)", re.DOTALL)


class Problem(Exception):
    """Why a prompt file is refused; becomes a message that names the file."""


def front_matter(text: str) -> tuple[Any, str]:
    """The fields of a file, not checked yet, and the text after them.

    Raises:
        Problem: there are none, they are no YAML, or they hold what no text should.
    """
    check_characters(text, "\n\t")
    parts = FRONT_MATTER.fullmatch(text)
    if parts is None:
        raise Problem("it does not begin with front matter between two lines of ---")
    try:
        _check_events(parts[1])
        return yaml.load(parts[1], Loader=Loader), parts[2]
    except yaml.YAMLError as error:
        raise Problem("the front matter is not YAML: " + " ".join(str(error).split())) from None
    except (OverflowError, ValueError):
        raise Problem("the front matter is not YAML: no character has such a number") from None


def check_characters(text: str, allowed: str, place: str = "") -> None:
    """Refuse what no keyboard writes: control characters and halves of a character.

    Args:
        text: whatever it is.
        allowed: control characters that may stand in it.
        place: where it stands, for the message; without one, the line is said.

    Raises:
        Problem: it holds one.
    """
    found = next((match for match in CONTROL.finditer(text) if match[0] not in allowed), None)
    if found:
        where = place or f"line {text.count(chr(10), 0, found.start()) + 1}"
        raise Problem(f"{where} holds the control character U+{ord(found[0]):04X}")


def one_of(kind: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuse a value that is none of the choices, and say which there are."""
    if value not in choices:
        shown = repr(value)[:60]
        raise Problem(f"{kind} {shown} is unknown; it must be one of {', '.join(choices)}")


def _check_events(head: str) -> None:
    """Stop at the first event that no field needs: before the loader nests it, repeats it or counts it."""
    depth = 0
    for count, event in enumerate(yaml.parse(head, Loader)):
        if isinstance(event, yaml.AliasEvent):
            raise Problem("an alias (*) would repeat what it names; write it out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise Problem("the front matter is nested too deeply")
        if count > MOST_FIELD_NODES:
            raise Problem("the front matter holds too many fields")
