"""What travels of one look: small, exact enough, and checked when it comes back."""

import json
from base64 import b64decode

import pytest

from demo.errors import BadInput
from demo.look_records import Attention
from demo.records import AnswerRequest, Message
from demo.ui.glass.attention import kept_of, packed, question_of

QUESTION = AnswerRequest((Message("user", "Where?"),), "base", completion=True)


def test_weights_come_within_half_a_percent() -> None:
    weights = ((0.0, 0.002, 0.1, 0.898), (0.25, 0.25, 0.25, 0.25))
    value = packed(Attention(tuple("abcd"), (weights, weights)), QUESTION)
    assert (value["layers"], value["heads"]) == (2, 2)
    told = [(byte / 255) ** 2 for byte in b64decode(value["weights"])]
    wanted = [w for layer in (weights, weights) for head in layer for w in head]
    assert told == pytest.approx(wanted, abs=0.005)


def test_the_longest_prompt_of_the_embedded_model_stays_small() -> None:
    head = (1 / 512,) * 512
    value = packed(Attention(("token",) * 512, ((head,) * 9,) * 30), QUESTION)
    assert len(json.dumps(value)) < 300_000


def test_another_token_looks_at_the_very_same_question() -> None:
    again = question_of(kept_of(QUESTION), "", "ada")
    assert (again.messages, again.completion, again.visitor) == (QUESTION.messages, True, "ada")


@pytest.mark.parametrize(
    "kept",
    [None, {}, {"messages": [["wizard", "x"]]}, {"messages": 3}, {"messages": [["user"]]}],
)
def test_a_question_that_no_look_has_kept_is_refused(kept: object) -> None:
    with pytest.raises(BadInput):
        question_of(kept, "", "ada")
