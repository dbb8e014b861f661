"""The page says the same things in every language."""

import string
from typing import Any, get_args

import pytest

from demo.errors import MESSAGES
from demo.records import ModelReason, PrecisionReason
from demo.ui.language import LANGUAGES, Texts, preferred


def leaves(node: Any, path: str = "") -> dict[str, Any]:
    """Every sentence under its dotted key."""
    if not isinstance(node, dict):
        return {path: node}
    return {
        k: v for name, child in node.items() for k, v in leaves(child, f"{path}.{name}").items()
    }


def braces(sentence: str) -> set[str]:
    """The fields that a sentence is filled with."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_has_the_keys_and_fields_of_english(language: str) -> None:
    texts = Texts.load()
    english, other = leaves(texts.trees["en"]), leaves(texts.trees[language])
    assert other.keys() == english.keys()
    for key, sentence in english.items():
        if isinstance(sentence, str):
            assert braces(other[key]) == braces(sentence), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_for_model_and_precision_is_said(language: str) -> None:
    texts = Texts.load()
    for reason in (*get_args(ModelReason), *get_args(PrecisionReason)):
        assert not reason or texts.say(language, f"reasons.{reason}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_choices_have_the_same_values_in_every_language(language: str) -> None:
    texts, key = Texts.load(), "components.framing.technique"
    values = [value for _, value in texts.node(language, key)["choices"]]
    assert values == [value for _, value in texts.node("en", key)["choices"]]


def test_english_errors_are_the_labs_own_messages() -> None:
    assert Texts.load().trees["en"]["errors"] == MESSAGES


@pytest.mark.parametrize(
    ("asked", "stored", "accepted", "language"),
    [
        ("pl", "hu", "en-US", "pl"),
        ("xx", "hu", "en-US", "hu"),
        (None, "", "hu-HU,hu;q=0.9,en;q=0.8", "hu"),
        (None, "", "de-DE,pl;q=0.5", "pl"),
        (None, "", "de-DE", "en"),
        (None, "", None, "en"),
    ],
)
def test_preferred_language_is_the_address_then_the_memory_then_the_browser(
    asked: str | None, stored: str, accepted: str | None, language: str
) -> None:
    assert preferred(asked, stored, accepted) == language


def test_number_is_written_as_the_language_writes_it() -> None:
    texts = Texts.load()
    assert texts.number("en", 1234567) == "1,234,567"
    assert texts.number("hu", 1.5) == "1,50"
    assert texts.number("pl", 8192) == "8\N{NARROW NO-BREAK SPACE}192"
