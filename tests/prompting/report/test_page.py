"""A report as one page: every text escaped, nothing fetched, what folds keep in short written out."""

import math
from base64 import b64encode
from html.parser import HTMLParser

import pytest

from demo.prompting.branches import Branch, kept
from demo.prompting.report.page import Look, as_page
from demo.prompting.report.readable import mean_attention, readable
from demo.prompting.report.records import Part, Report
from demo.records import Alternative, TokenChoice

EVIL = "</style></pre><script>alert(1)</script><img src=x onerror=y>\"'"
WORDS = dict.fromkeys(
    [
        "title",
        "answers",
        "you",
        "base",
        "prompt",
        "settings",
        "code",
        "facts",
        "lens",
        "answer",
        "numbers",
        "attention",
    ],
    "w",
) | {"tokens": "{tokens} tokens", "cost": "{tokens} {seconds}", "branch": "Branch {number}"}
LENS = {
    "key": 1,
    "asked": {"adapter": EVIL},
    "question": EVIL,
    "said": "",
    "branches": [
        kept(branch)
        for branch in (
            Branch(
                (TokenChoice(5, EVIL, math.log(0.25), 2, (Alternative(6, " b", -0.1),)),),
                reason="end",
            ),
            Branch((TokenChoice(6, " b", -0.1, 1),), 0, 0, "length"),
        )
    ],
}
NEXT = {
    "after": EVIL,
    "prompt_tokens": 3,
    "candidates": [[1, EVIL, 2.0, 0], [2, "b", 2.0, 1]],
    "tail": [[2.0, 2]],
}
LOOK = {
    "key": 1,
    "tokens": [EVIL, "b"],
    "following": [],
    "virtual": 0,
    "layers": 1,
    "heads": 2,
    "weights": b64encode(bytes([255, 0, 0, 255])).decode(),
    "question": "q",
}


class Elements(HTMLParser):
    """Every element and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)


def page(*parts: Part) -> str:
    turn = {"question": EVIL, "speaker": EVIL, "title": EVIL, "answer": EVIL}
    report = Report(
        facts={"model": EVIL},
        settings={EVIL: EVIL},
        prompt={"text": EVIL, "tokens": 3},
        answers=(turn | {"tokens": 1, "seconds": 0.5},),
        code=EVIL,
        parts=parts,
    )
    return as_page(report, Look("en", WORDS, "p { color: red }")).decode()


@pytest.mark.parametrize(
    "part",
    [
        Part("lens", EVIL, readable("lens", LENS)),
        Part("next_token", EVIL, readable("next_token", NEXT)),
        Part("attention", EVIL, readable("attention", LOOK)),
        Part("draws", EVIL, {"draws": []}, EVIL + '<p class="x">kept</p>'),
        Part("unknown", EVIL, {EVIL: EVIL, "rows": [{EVIL: EVIL}], "more": {EVIL: [EVIL]}}),
    ],
    ids=lambda part: part.name,
)
def test_whatever_was_said_nothing_in_the_page_runs_or_is_fetched(part: Part) -> None:
    found = Elements(page(part))
    assert not found.names & {"script", "img", "link", "iframe", "a", "object", "base"}
    assert not {name for name in found.attributes if name.startswith("on")}
    assert not found.attributes & {"src", "href", "action", "srcset", "id"}


def test_the_lens_is_told_in_probabilities_with_its_branches() -> None:
    told = readable("lens", LENS)
    first, second = told["branches"]
    first["tokens"][0]["probability"] = round(first["tokens"][0]["probability"], 4)
    assert first["tokens"][0] | {"likeliest": 0} == {
        "token": EVIL, "id": 5, "probability": 0.25, "rank": 2, "likeliest": 0,
    }  # fmt: skip
    assert (second["text"], second["leaves"], second["ended"]) == (" b", 0, "length")
    assert "data-sure" in page(Part("lens", "Lens", told))


def test_candidates_have_probabilities_that_count_the_tail() -> None:
    told = readable("next_token", NEXT)
    assert [c["probability"] for c in told["candidates"]] == [0.25, 0.25]
    assert told["other_tokens"] == 2


def test_attention_is_told_head_by_head() -> None:
    told = readable("attention", LOOK)
    assert [row["weights"] for row in told["attention"]] == [[1.0, 0.0], [0.0, 1.0]]
    assert mean_attention(told["attention"]) == [0.5, 0.5]


@pytest.mark.parametrize("name", ["lens", "next_token", "attention", "draws"])
@pytest.mark.parametrize(
    "value", [None, 3, "text", {}, {"html": "x"}, {"branches": [{"tokens": "["}]}, {"tail": 3}]
)
def test_what_a_browser_garbled_is_kept_as_it_is(name: str, value: object) -> None:
    told = readable(name, value)
    given = value if isinstance(value, dict) else {}
    data = {key: one for key, one in given.items() if key != "html"}
    assert (told or {}) in (data, {"as_kept": data})
    if told:
        page(Part(name, name, told))
