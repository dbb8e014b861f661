"""What the lens tells and takes: only what is new while an answer streams, and nothing unchecked from a browser."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from demo.errors import BadInput
from demo.prompting.branches import Branch, kept, unpacked
from demo.records import Alternative, Answer, AnswerRequest, Message, Sampling, TokenChoice
from demo.ui.glass import lens
from demo.ui.theme import ASSETS

QUESTION = AnswerRequest(
    (Message("system", "Be brief."), Message("user", "${x} <b>Hi</b>")),
    adapter="restaurants@0.5",
    workspace="a secret",
    visitor="ada",
    sampling=Sampling(max_new_tokens=20, temperature=0.7, seed=3),
    alternatives=5,
)
CHOICES = tuple(
    TokenChoice(n, f" {n}", -0.25, 1, (Alternative(n, f" {n}", -0.25), Alternative(90, " x", -3.0)))
    for n in range(3)
)


def told(sight: lens.Sight, count: int, **fields: Any) -> dict[str, Any]:
    return sight.of(Answer(tokens=count, choices=CHOICES[:count], **fields))


def test_tokens_are_told_as_a_text_that_only_grows() -> None:
    sight = lens.Sight(QUESTION)
    values = [told(sight, n)["lens"] for n in (0, 1, 1, 3)]
    texts = [value["tokens"] for value in values]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert unpacked(texts[-1]) == CHOICES
    assert len({value["key"] for value in values}) == 1
    assert told(sight, 3, done=True)["lens"]["reason"] == "end"


def test_nothing_is_told_while_the_switch_is_off() -> None:
    assert told(lens.Sight(replace(QUESTION, alternatives=0)), 2) == {}
    plain = replace(QUESTION, alternatives=0)
    assert lens.watched(plain, {"watch": False}) == lens.watched(plain, {}) == plain
    assert lens.watched(plain, {"watch": True}).alternatives == lens.ALTERNATIVES


def test_a_branch_is_asked_with_what_its_answer_was_asked_with() -> None:
    kept_question = json.loads(json.dumps(lens.asked_of(QUESTION)))
    assert "a secret" not in str(kept_question)
    again = lens.question_of(kept_question, (1, 2, 3))
    assert again == replace(
        QUESTION,
        workspace="",
        visitor="",
        begun=(1, 2, 3),
        sampling=replace(QUESTION.sampling, max_new_tokens=17),
    )
    assert lens.question_of(kept_question, tuple(range(30))).sampling.max_new_tokens == 1


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [["root", "Hi"]]},
        {"messages": ["Hi"]},
        {"messages": None},
        {"sampling": {}},
        {"sampling": {"temperature": 99}},
    ],
)
def test_a_question_that_a_browser_has_changed_is_checked_again(change: dict[str, Any]) -> None:
    asked = lens.asked_of(QUESTION)
    sampling = asked["sampling"] | change["sampling"] if change.get("sampling") else None
    with pytest.raises(BadInput):
        lens.question_of(asked | change | ({"sampling": sampling} if sampling else {}), (1,))
    with pytest.raises(BadInput):
        lens.question_of(None, (1,))


def test_stopping_marks_what_was_under_way_and_keeps_its_tokens() -> None:
    under_way = kept(Branch(CHOICES[:1], 0, 1))
    ended = kept(Branch(CHOICES, reason="length"))
    value = lens.EMPTY | {"branches": [ended, under_way]}
    settled = lens.settle(value)["branches"]
    assert [b["reason"] for b in settled] == ["length", "stopped"]
    assert settled[1]["tokens"] == under_way["tokens"]
    assert lens.settle("nonsense") == lens.EMPTY


def test_no_text_can_reach_a_template_or_become_markup() -> None:
    script = "".join(
        (ASSETS / name).read_text(encoding="utf-8") for name in ("words.js", "lens.js")
    )
    assert "${" not in lens.TEMPLATE
    assert "{{" not in lens.TEMPLATE
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in script
