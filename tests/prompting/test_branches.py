"""A tree of answers keeps what the decode told, and every branch can be gone on from its tokens."""

import json
from dataclasses import replace
from typing import Any

import pytest

from demo.errors import BadInput
from demo.prompting.branches import (
    DEEPEST,
    MOST_BRANCHES,
    Branch,
    Packing,
    Tree,
    kept,
    packed,
    tree_of,
    unpacked,
)
from demo.records import Alternative, TokenChoice


def choice(token: int) -> TokenChoice:
    """A token with three alternatives, itself the likeliest of them."""
    others = tuple(Alternative(token + n, f" {token + n}", -0.5 - n) for n in range(3))
    return TokenChoice(token, f" {token}", -0.5, 1, others)


def answered(*tokens: int) -> Tree:
    return Tree((Branch(tuple(map(choice, tokens)), reason="end"),))


def said(tree: Tree, *tokens: int) -> Tree:
    """The newest branch with what the model said after its first token."""
    *others, last = tree.branches
    grown = (*last.tokens, *map(choice, tokens))
    return Tree((*others, replace(last, tokens=grown, reason="end")))


def ids(tree: Tree, number: int) -> list[int]:
    return [token.id for token in tree.path(number)]


def test_a_branch_keeps_what_came_before_its_place_and_begins_with_the_alternative() -> None:
    tree = answered(10, 20, 30, 40).forked(0, 2, 31)
    assert tree.begun() == (10, 20, 31)
    grown = said(tree, 50, 60)
    assert ids(grown, 1) == [10, 20, 31, 50, 60]
    assert ids(grown, 0) == [10, 20, 30, 40]


def test_the_taken_alternative_is_judged_as_its_place_was_and_nothing_is_computed_anew() -> None:
    first = answered(10, 20).forked(0, 1, 22).branches[1].tokens[0]
    assert (first.text, first.logprob, first.rank) == (" 22", -2.5, 3)
    assert first.alternatives == choice(20).alternatives


def test_a_branch_of_a_branch_keeps_both_forks() -> None:
    tree = said(answered(10, 20, 30).forked(0, 1, 21), 50, 60)
    tree = tree.forked(1, 3, 61)
    assert tree.begun() == (10, 21, 50, 61)
    assert (tree.branches[2].parent, tree.depth(2)) == (1, 2)


def test_another_token_where_a_branch_left_the_answer_is_a_branch_of_the_answer() -> None:
    tree = said(answered(10, 20, 30).forked(0, 1, 21), 50)
    for place, token in ((0, 12), (1, 22)):
        beside = tree.forked(1, place, token)
        assert (beside.branches[2].parent, beside.depth(2)) == (0, 1)
    assert tree.forked(1, 1, 22).begun() == (10, 22)


@pytest.mark.parametrize(
    ("number", "place", "token", "key"),
    [
        (1, 0, 10, "out_of_range"),
        (0, 3, 10, "out_of_range"),
        (0, -1, 10, "out_of_range"),
        (0, "x", 10, "not_a_number"),
        (0, 0, 99, "branch_token"),
        (0, 0, None, "branch_token"),
    ],
)
def test_a_fork_that_nothing_was_told_of_is_refused(
    number: int, place: Any, token: Any, key: str
) -> None:
    with pytest.raises(BadInput) as caught:
        answered(10, 20, 30).forked(number, place, token)
    assert caught.value.key == key


def test_number_and_depth_of_branches_are_bounded() -> None:
    wide = answered(10)
    for _ in range(MOST_BRANCHES):
        wide = wide.forked(0, 0, 11)
    with pytest.raises(BadInput, match=f"{MOST_BRANCHES} branches already"):
        wide.forked(0, 0, 11)
    deep = answered(10, 20)
    for number in range(DEEPEST):
        deep = deep.forked(number, number + 1, deep.path(number)[number + 1].id + 1)
        deep = said(deep, 50)
    assert deep.depth(DEEPEST) == DEEPEST
    with pytest.raises(BadInput, match=f"{DEEPEST} forks deep"):
        deep.forked(DEEPEST, DEEPEST + 1, 51)


def test_a_tree_comes_back_from_a_browser_as_it_went() -> None:
    tree = said(answered(10, 20, 30).forked(0, 1, 21), 50)
    assert tree_of(json.loads(json.dumps([kept(b) for b in tree.branches]))) == tree


def test_packed_tokens_only_grow_and_keep_every_character() -> None:
    odd = [choice(n) for n in (10, 20)] + [TokenChoice(7, '\u2028"\n<b>${x}', -1.0, 2)]
    assert all(packed(odd).startswith(packed(odd[:n])) for n in range(4))
    assert packed(odd).count("\n") == 3
    assert unpacked(packed(odd)) == tuple(odd)
    packing = Packing(packed(odd[:1]))
    assert [packing.grown(odd[1:n]) for n in (1, 2, 2, 3)][-1] == packed(odd)


GOOD = {"tokens": "", "parent": -1, "place": 0, "reason": ""}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "tree",
        [1],
        [{}],
        [GOOD | {"parent": 0}],
        [GOOD, GOOD],
        [GOOD, GOOD | {"parent": 1}],
        [GOOD, GOOD | {"parent": 0, "place": -1}],
        [GOOD | {"tokens": "[1]"}],
        [GOOD | {"tokens": "{}"}],
        [GOOD | {"tokens": "[" * 4000}],
        [GOOD | {"tokens": None}],
        [GOOD | {"tokens": '[1,"a",0,1,[[1]]]'}],
        [GOOD] * (MOST_BRANCHES + 2),
    ],
)
def test_what_is_no_tree_is_refused(value: Any) -> None:
    with pytest.raises(BadInput, match="lost the answer"):
        tree_of(value)
