"""A batch as the page draws it: every token once, greyed, learned or unread, and its numbers in words."""

import re

from demo.records import PromptToken
from demo.run_records import BatchLook, BatchRow
from demo.ui.language import Texts
from demo.ui.tuning.batch import drawn


def row(words: list[str], trained: list[bool], read: int, padding: int = 0) -> BatchRow:
    tokens = tuple(PromptToken(n, word.encode(), "text") for n, word in enumerate(words))
    return BatchRow(tokens, tuple(trained), read, padding)


LOOK = BatchLook(
    step=2,
    steps=9,
    rows=(
        row(["What", " is", "<b>", "tea", "\n"], [False, False, False, True, False], 4, 1),
        row(["What", " is", " it", " ok", "!"], [False, False, False, True, True], 5),
    ),
    shared=2,
    too_long=3,
)


def test_every_token_is_masked_learned_or_unread_and_escaped() -> None:
    html = str(drawn(Texts.load(), "en", LOOK))
    classes = re.findall(r'<span class="(\w+)', html)
    assert classes == ["masked"] * 3 + ["learned", "unread"] + ["masked"] * 3 + ["learned"] * 2
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_numbers_of_the_batch_are_said_in_every_language() -> None:
    for language in ("en", "hu", "pl"):
        html = str(drawn(Texts.load(), language, LOOK))
        text = re.sub(r"<[^>]*>", " ", html)
        for number in ("2", "9", "3", "33"):
            assert number in text
    english = re.sub(r"<[^>]*>", " ", str(drawn(Texts.load(), "en", LOOK)))
    assert "reads 2 rows: 9 tokens, 3 of them learned (33 %), 1 places of padding" in english
    assert "begin with the same 2 tokens" in english
    assert "1 tokens behind the last learned one are cut" in english
