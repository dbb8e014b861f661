"""Tokens that are only parts of a character, put together again with the help of the whole text.

A byte-level vocabulary cuts rare characters between tokens; such a token alone reads as U+FFFD. Knows no
model and no page.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

REPLACEMENT = "\ufffd"
PART = "◌"
"""Stands for what is only a part of a character."""


@dataclass(frozen=True)
class Piece:
    """A stretch of a text that whole tokens make up."""

    text: str
    first: int
    """The place of the first of its tokens."""
    count: int = 1

    @property
    def places(self) -> slice:
        """Its tokens among all."""
        return slice(self.first, self.first + self.count)


def marked(token: str) -> str:
    """A text with a mark where it holds only a part of a character."""
    return re.sub(f"{REPLACEMENT}+", PART, token)


def pieces(tokens: Sequence[str], text: str) -> tuple[Piece, ...]:
    r"""A text's tokens, those that share a character as one; marked one by one where they are another text's.

    `pieces(["a", " \ufffd", "\ufffd"], "a 😀")` is `a` and ` 😀`.
    """
    found: list[Piece] = []
    at = 0
    for broken, run in groupby(range(len(tokens)), key=lambda place: REPLACEMENT in tokens[place]):
        places = list(run)
        following = _until_broken(tokens[places[-1] + 1 :])
        end = _end(text, at, following, places[-1] + 1 + len(following) == len(tokens))
        if broken and end > at:
            found.append(Piece(marked(text[at:end]), places[0], len(places)))
            at = end
            continue
        found += [Piece(marked(tokens[place]), place) for place in places]
        at += 0 if broken else sum(len(tokens[place]) for place in places)
    if "".join(piece.text for piece in found).replace(PART, "") == marked(text).replace(PART, ""):
        return tuple(found)
    return tuple(Piece(marked(token), place) for place, token in enumerate(tokens))


def _until_broken(tokens: Sequence[str]) -> list[str]:
    """The whole tokens that come next."""
    stop = next((n for n, token in enumerate(tokens) if REPLACEMENT in token), len(tokens))
    return list(tokens[:stop])


def _end(text: str, at: int, following: Sequence[str], last: bool) -> int:
    """Where a run of parts ends: at the whole tokens that follow it, or with the text."""
    rest = "".join(following)
    return len(text) - len(rest) if last else text.find(rest, at + 1)
