"""What the X-ray tells the browser, and what it takes back from one: nothing unchecked."""

import json

import pytest

from demo.errors import BadInput
from demo.judging_records import XRay, XRayToken
from demo.records import Alternative, TokenChoice
from demo.ui.judging import xray

CHOICE = TokenChoice(7, "<b>${x}", -0.5, 1, (Alternative(7, "<b>${x}", -0.5),))
FOUND = XRay((XRayToken(CHOICE, CHOICE),), 3, 0)


def test_tokens_travel_as_plain_values_and_the_template_holds_no_text() -> None:
    value = xray.drawn(FOUND)
    other = [7, "<b>${x}", -0.5]
    assert value["tokens"] == [[7, "<b>${x}", [-0.5, 1, [other]], [-0.5, 1, [other]]]]
    assert value["fork"] == 0
    assert "${" not in xray.TEMPLATE
    json.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"tokens": []},
        {"tokens": "no list"},
        {"tokens": [["a", "b"]]},
        {"tokens": [[]]},
        {"tokens": [[1]] * (xray.MOST_TOKENS + 1)},
    ],
)
def test_a_value_that_no_server_made_is_refused(value: object) -> None:
    with pytest.raises(BadInput):
        xray.held(value)


def test_what_a_browser_kept_comes_back_whole() -> None:
    value = json.loads(json.dumps(xray.drawn(FOUND)))
    assert xray.held(value) == value
    assert xray.held(value | {"more": 1}) == value
