"""Ranges hold wherever a record is made, and messages name the field and the range."""

import pytest

from demo.errors import MESSAGES, BadInput, LabError
from demo.records import Message, Sampling, conversation
from demo.run_records import TrainSettings


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", -0.1),
        ("temperature", 2.1),
        ("temperature", None),
        ("temperature", "warm"),
        ("top_p", 0),
        ("top_p", float("inf")),
        ("top_k", -1),
        ("max_new_tokens", 0),
        ("max_new_tokens", 10**6),
        ("repetition_penalty", 0),
        ("seed", -1),
        ("seed", {}),
        ("seed", 10**400),
        ("max_new_tokens", True),
        ("max_new_tokens", 3.9),
    ],
)
def test_sampling_refuses_what_is_out_of_range(field: str, value: object) -> None:
    with pytest.raises(BadInput, match=f"^{field} must be"):
        Sampling(**{field: value})


def test_a_number_sent_as_text_is_taken_as_a_number() -> None:
    assert Sampling(max_new_tokens="12", temperature="0.5") == Sampling(12, 0.5)  # type: ignore[arg-type]


def test_stored_settings_come_back_equal() -> None:
    settings = TrainSettings(rank=4, learning_rate=2e-4)
    assert TrainSettings.from_json(vars(settings)) == settings


def test_an_empty_system_prompt_is_left_to_the_template() -> None:
    assert conversation("Hi", system="  ") == (Message("user", "Hi"),)
    assert conversation("Hi", system="Be brief.")[0] == Message("system", "Be brief.")


def test_every_message_is_a_sentence_that_can_be_filled() -> None:
    assert str(LabError("out_of_range", field="x", low=1, high=2, got=3)).startswith("x must be")
    assert all(text.endswith((".", "}")) for text in MESSAGES.values())
