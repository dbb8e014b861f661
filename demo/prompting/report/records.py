"""What is kept of a visit to the Playground, as plain values: a document, and pictures of its parts.

Knows no file format.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """What one fold has found."""

    name: str
    """The fold's."""
    title: str
    """For people, in their language."""
    data: Any
    """As the browser kept it: text, numbers, lists and mappings."""
    picture: str = ""
    """The fold's own HTML, as a browser sent it: not to be trusted."""


@dataclass(frozen=True)
class Report:
    """Everything that was on the screen."""

    facts: Mapping[str, str]
    """When, which model, precision, device and versions."""
    settings: Mapping[str, Any]
    """Who answers, and every knob of the sampling."""
    prompt: Mapping[str, Any]
    """`text`, `tokens` and `ids`: exactly what the model reads."""
    answers: tuple[Mapping[str, Any], ...]
    """The chat's turns: `question`, `speaker`, `answer` and what they cost."""
    code: str
    """The lines that ask the same."""
    parts: tuple[Part, ...] = ()

    def document(self) -> dict[str, Any]:
        """All of it under its names; the pictures are left out."""
        return {
            "facts": dict(self.facts),
            "settings": dict(self.settings),
            "prompt": dict(self.prompt),
            "answers": [dict(answer) for answer in self.answers],
            **{part.name: part.data for part in self.parts},
            "code": self.code,
        }
