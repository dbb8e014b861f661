import pytest

from demo.prompting.extract import EXTRACTORS, taken


@pytest.mark.parametrize(
    ("name", "text", "answer"),
    [
        ("none", "  as it is\n", "as it is"),
        ("first_line", "\n\n fromage \ncheese => x", "fromage"),
        ("first_line", " \n ", ""),
        ("last_number", "16 / 2 = 8, and half of 8 is 4.", "4"),
        ("last_number", "So 1,200.50 are left.", "1200.50"),
        ("last_number", "It fell to -3 degrees", "-3"),
        ("last_number", "Three numbers: 1, 2,3", "3"),
        ("last_number", "none at all", ""),
        ("after_hashes", "6 x 8 = 48\n#### 1,048\n", "1048"),
        ("after_hashes", "#### 1\nagain\n#### 2", "2"),
        ("after_hashes", "no mark, 7", ""),
        ("label", "Sentiment: Positive.", "positive"),
        ("label", "jó!", "jó"),
        ("label", "**Negative**, because", "negative"),
        ("label", "1.", ""),
        ("json", 'Sure: {"a": {"b": [1, 2]}} and more', '{"a":{"b":[1,2]}}'),
        ("json", 'set {x} then {"név": "Ödön"}', '{"név":"Ödön"}'),
        ("json", "{broken", ""),
    ],
)
def test_extractor_finds_the_bare_answer(name: str, text: str, answer: str) -> None:
    assert EXTRACTORS[name](text) == answer


@pytest.mark.parametrize("name", EXTRACTORS)
@pytest.mark.parametrize("text", ["", "\n", "{" * 500, "#### ", ":", "🦦"])
def test_extractor_never_fails_whatever_a_model_writes(name: str, text: str) -> None:
    assert isinstance(EXTRACTORS[name](text), str)


@pytest.mark.parametrize(
    ("rule", "text", "place"),
    [
        ("none", "  as it is\n", "as it is"),
        ("first_line", "\n\n fromage \ncheese => x", "fromage"),
        ("last_number", "So 1,200.50 are left.", "1,200.50"),
        ("after_hashes", "6 x 8 = 48\n#### 1,048 \n", "1,048"),
        ("label", "Positive mood: Positive.", "Positive"),
        ("json", 'Sure: {"a": 1} and more', '{"a": 1}'),
        ("last_number", "none at all", ""),
    ],
)
def test_place_of_the_answer_is_where_it_was_taken_from(rule: str, text: str, place: str) -> None:
    found = taken(rule, text)
    assert text[found.start : found.end] == place
    assert bool(found.answer) == bool(place)


def test_label_after_a_colon_is_the_one_that_is_marked() -> None:
    assert taken("label", "Positive mood: Positive.").start == 15


def test_hashes_with_nothing_behind_them_are_no_answer() -> None:
    assert taken("after_hashes", "#### 3\n####\nmore") == taken("after_hashes", "#### 3")
