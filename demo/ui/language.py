"""Every sentence of the page in every language: read from `text/`, said with values, switched at once.

Knows no tab and no model; a component's texts are the keyword arguments that stand under its key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import gradio as gr
import yaml

FOLDER = Path(__file__).parent / "text"
LANGUAGES = tuple(
    sorted((file.stem for file in FOLDER.glob("*.yaml")), key=lambda n: (n != "en", n))
)
"""English first: it is what a page says that speaks none of the visitor's languages."""
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True)
class Texts:
    """The sentences of all languages under dotted keys, as in `playground.send`."""

    trees: Mapping[str, Mapping[str, Any]]

    @classmethod
    def load(cls) -> "Texts":
        """Read every language: its own file, and what the files of its folder add to that."""
        return cls({name: _tree(name) for name in LANGUAGES})

    def node(self, language: str, key: str) -> Any:
        """What stands under a dotted key: a sentence, or a component's texts."""
        found: Any = self.trees[known(language)]
        for part in key.split("."):
            found = found[part]
        return found

    def say(self, language: str, key: str, **values: Any) -> str:
        """A sentence with its braces filled; numbers are written as the language writes them."""
        written = {name: self.number(language, value) for name, value in values.items()}
        return str(self.node(language, f"say.{key}")).format(**written)

    def choices(self, language: str, key: str) -> list[tuple[str, str]]:
        """Labels and values of a fixed choice."""
        return [(label, value) for value, label in self.node(language, f"choices.{key}").items()]

    def number(self, language: str, value: Any) -> str:
        """Integers with thousands apart, fractions with the language's own mark; text as it is."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return str(value)
        written = f"{value:,}" if isinstance(value, int) else f"{value:,.{digits(value)}f}"
        if known(language) == "en":
            return written
        return written.replace(",", NARROW_SPACE).replace(".", ",")


def _tree(language: str) -> dict[str, Any]:
    files = [FOLDER / f"{language}.yaml", *sorted((FOLDER / language).glob("*.yaml"))]
    tree: dict[str, Any] = {}
    for file in files:
        _add(tree, yaml.safe_load(file.read_text(encoding="utf-8")), file.name)
    return tree


def _add(tree: dict[str, Any], more: Mapping[str, Any], file: str) -> None:
    """Put a file's branches into the tree; no sentence may be there twice."""
    for key, node in more.items():
        if isinstance(node, dict) and isinstance(tree.get(key), dict):
            _add(tree[key], node, file)
        elif key in tree:
            raise ValueError(f"{file}: {key} stands in another file already")
        else:
            tree[key] = node


def digits(value: float) -> int:
    """Decimals that a reader can use: two below ten, one below a hundred, none above."""
    size = abs(value)
    if size == int(size) and size >= 10:
        return 0
    return 2 if size < 10 else 1 if size < 100 else 0


def known(language: Any) -> str:
    """`language` if the page speaks it, else English."""
    return language if language in LANGUAGES else "en"


def preferred(asked: str | None, stored: str | None, accepted: str | None) -> str:
    """The page's language: the address wins, then the visitor's last choice, then the browser."""
    for language in (asked, stored):
        if language in LANGUAGES:
            return language
    for part in (accepted or "").split(","):
        language = part.split(";")[0].strip().lower()[:2]
        if language in LANGUAGES:
            return language
    return "en"


@dataclass(frozen=True)
class Labels:
    """The components whose texts follow the language."""

    texts: Texts
    entries: list[tuple[Any, str]] = field(default_factory=list)

    def add(self, kind: type, key: str, **arguments: Any) -> Any:
        """Make a component with the English texts under `components.<key>` and remember it."""
        component = kind(**self.texts.node("en", f"components.{key}"), **arguments)
        self.entries.append((component, key))
        return component

    @cached_property
    def components(self) -> list[Any]:
        """What a switch of language writes to."""
        return [component for component, _ in self.entries]

    def switched(self, language: str) -> list[Any]:
        """One update for each component, in order; values that were typed stay."""
        return [
            gr.update(**self.texts.node(language, f"components.{key}")) for _, key in self.entries
        ]
