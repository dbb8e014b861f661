"""Tokens that are parts of a character, put together again."""

import pytest

from demo.prompting.characters import marked, pieces


@pytest.mark.parametrize(
    ("tokens", "text", "expected"),
    [
        (["The", " sea"], "The sea", ["The", " sea"]),
        (["a", " \ufffd", "\ufffd", "!"], "a 😀!", ["a", " 😀", "!"]),
        ([" \ufffd", "\ufffd", ".", "\ufffd", "\ufffd"], " 東.京", [" 東", ".", "京"]),
        # An answer that was cut in the middle of a character ends with a mark.
        (["a", "\ufffd", "\ufffd"], "a", ["a", "◌", "◌"]),
        (["a", "\ufffd", "\ufffd"], "a東\ufffd", ["a", "東◌"]),
        # Tokens of another text are marked one by one.
        (["a", "\ufffd", "\ufffd"], "something else", ["a", "◌", "◌"]),
        ([], "", []),
    ],
)
def test_tokens_that_share_a_character_are_one_piece(
    tokens: list[str], text: str, expected: list[str]
) -> None:
    found = pieces(tokens, text)
    assert [piece.text for piece in found] == expected
    told = [place for piece in found for place in range(len(tokens))[piece.places]]
    assert told == list(range(len(tokens)))


def test_a_run_of_parts_is_one_mark() -> None:
    assert marked(" \ufffd\ufffd.") == " ◌."
