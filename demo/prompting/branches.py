"""A tree of answers: what was said, and what would have been said after another token.

Every token is as the real decode judged it; its texts are never made anew. Knows no model and no page;
the browser keeps a tree, so whatever is read back from one is checked.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from demo.checks import bounded
from demo.errors import BadInput
from demo.records import Alternative, TokenChoice

MOST_BRANCHES = 12
"""Beside the answer itself."""
DEEPEST = 4
"""Branches of branches."""


@dataclass(frozen=True)
class Branch:
    """The tokens that one branch adds to what it left."""

    tokens: tuple[TokenChoice, ...] = ()
    """The first is the alternative that was taken; the answer itself begins with its own first."""
    parent: int = -1
    """The branch that it left, older than itself; -1 for the answer."""
    place: int = 0
    """How many tokens of the parent's whole text it keeps."""
    reason: str = ""
    """Why it ended; empty while it grows."""


@dataclass(frozen=True)
class Tree:
    """An answer and its branches, in the order in which they were begun."""

    branches: tuple[Branch, ...] = field(default=(Branch(),))

    def path(self, number: int) -> tuple[TokenChoice, ...]:
        """Every token of a branch from the answer's first on."""
        branch = self.branches[number]
        kept = () if branch.parent < 0 else self.path(branch.parent)[: branch.place]
        return (*kept, *branch.tokens)

    def depth(self, number: int) -> int:
        """How many forks lie between the answer and a branch."""
        parent = self.branches[number].parent
        return 0 if parent < 0 else 1 + self.depth(parent)

    def forked(self, number: int, place: int, token: int) -> "Tree":
        """A new branch, last in the tree, that says one of the alternatives told at a place.

        Args:
            number: the branch that is left.
            place: which of its tokens, counted from the answer's first, is replaced.
            token: id of the alternative.

        Raises:
            BadInput: there is no such branch, place or alternative, or the tree is full.
        """
        number = bounded("branch", number, 0, len(self.branches) - 1, int)
        path = self.path(number)
        place = bounded("place", place, 0, len(path) - 1, int)
        if len(self.branches) > MOST_BRANCHES:
            raise BadInput("branches_full", high=MOST_BRANCHES)
        owner = self._owner(number, place)
        if self.depth(owner) >= DEEPEST:
            raise BadInput("branches_deep", high=DEEPEST)
        first = _taken(path[place], token)
        return Tree((*self.branches, Branch((first,), owner, place)))

    def begun(self) -> tuple[int, ...]:
        """Token ids that the newest branch begins with."""
        return tuple(token.id for token in self.path(len(self.branches) - 1))

    def _owner(self, number: int, place: int) -> int:
        """The branch that said the token of a place: another token there is a fork of that one."""
        branch = self.branches[number]
        if branch.parent < 0 or place > branch.place:
            return number
        return self._owner(branch.parent, place)


def _taken(choice: TokenChoice, token: int) -> TokenChoice:
    """An alternative as the token of its place, with what the model thought of that place."""
    for rank, other in enumerate(choice.alternatives, 1):
        if other.id == token:
            return TokenChoice(other.id, other.text, other.logprob, rank, choice.alternatives)
    raise BadInput("branch_token")


def packed(choices: Sequence[TokenChoice]) -> str:
    """A line of JSON for each token: a text that only grows is cheap to send as it grows."""
    return "".join(
        json.dumps(
            [
                c.id,
                c.text,
                round(c.logprob, 4),
                c.rank,
                [[a.id, a.text, round(a.logprob, 4)] for a in c.alternatives],
            ],
            ensure_ascii=False,
            separators=(",", ":"),
        )
        + "\n"
        for c in choices
    )


class Packing:
    """Tokens packed as they come, each once.

    Args:
        before: packed tokens that stand before them.
    """

    def __init__(self, before: str = "") -> None:
        self._packed = before
        self._count = 0

    def grown(self, choices: Sequence[TokenChoice]) -> str:
        """Everything so far; `choices` are those of before and perhaps more."""
        self._packed += packed(choices[self._count :])
        self._count = len(choices)
        return self._packed


def unpacked(text: str) -> tuple[TokenChoice, ...]:
    """What `packed` wrote. Raises `BadInput` for anything else."""
    try:
        lines = [json.loads(line) for line in text.split("\n") if line]
        return tuple(_choice(*line) for line in lines)
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        raise BadInput("branch_tree") from None


def _choice(
    token: Any, text: Any, logprob: Any, rank: Any, alternatives: Sequence[Sequence[Any]]
) -> TokenChoice:
    others = tuple(Alternative(int(i), str(t), float(p)) for i, t, p in alternatives)
    return TokenChoice(int(token), str(text), float(logprob), int(rank), others)


def tree_of(value: Any) -> Tree:
    """The tree that a browser kept. Raises `BadInput` when it is none."""
    entries = value if isinstance(value, list) else []
    if not 0 < len(entries) <= MOST_BRANCHES + 1:
        raise BadInput("branch_tree")
    branches: list[Branch] = []
    for number, entry in enumerate(entries):
        try:
            tokens = unpacked(entry["tokens"])
            parent, place = int(entry["parent"]), int(entry["place"])
            reason = str(entry["reason"])
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError):
            raise BadInput("branch_tree") from None
        # Older than itself: no branch can be its own ancestor.
        if not -1 <= parent < number or (parent < 0) != (number == 0) or place < 0:
            raise BadInput("branch_tree")
        branches.append(Branch(tokens, parent, place, reason))
    return Tree(tuple(branches))


def kept(branch: Branch) -> dict[str, Any]:
    """A branch as the browser keeps it; `tree_of` reads a list of them."""
    return {
        "tokens": packed(branch.tokens),
        "parent": branch.parent,
        "place": branch.place,
        "reason": branch.reason,
    }
