from typing import Any

from demo.run_records import TrainSettings
from demo.text.tokenizer import LabTokenizer
from demo.training import readings
from demo.training.readings import Held, Readings


def test_equal_rows_are_encoded_once_and_other_settings_anew(
    tokenizer: LabTokenizer, make_rows: Any
) -> None:
    kept = Readings()
    first = kept.of(tokenizer, make_rows(9), TrainSettings())
    assert kept.of(tokenizer, make_rows(9), TrainSettings(learning_rate=0.01)) is first
    assert kept.of(tokenizer, make_rows(9), TrainSettings(seed=1)) is not first
    assert kept.of(tokenizer, make_rows(8), TrainSettings()) is not first
    endless = kept.of(tokenizer, make_rows(9), TrainSettings(train_end=False))
    assert endless.train.trained_tokens < first.train.trained_tokens


def test_what_is_remembered_stays_bounded(
    tokenizer: LabTokenizer, make_rows: Any, monkeypatch: Any
) -> None:
    kept = Readings()
    first = kept.of(tokenizer, make_rows(9), TrainSettings())
    monkeypatch.setattr(readings, "MOST_TOKENS", first.tokens + 1)
    second = kept.of(tokenizer, make_rows(9), TrainSettings(seed=1))
    assert kept.of(tokenizer, make_rows(9), TrainSettings(seed=1)) is second
    assert kept.of(tokenizer, make_rows(9), TrainSettings()) is not first
    monkeypatch.setattr(readings, "MOST_TOKENS", 1)
    whole = kept.of(tokenizer, make_rows(7), TrainSettings())
    assert kept.of(tokenizer, make_rows(7), TrainSettings()) is not whole


def test_one_request_reads_a_large_dataset_once(
    tokenizer: LabTokenizer, make_rows: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(readings, "MOST_TOKENS", 1)
    shared = Readings()
    held = Held(shared)
    first = held.of(tokenizer, make_rows(9), TrainSettings())
    assert held.of(tokenizer, make_rows(9), TrainSettings(max_steps=5)) is first
    assert held.of(tokenizer, make_rows(9), TrainSettings(seed=1)) is not first
    assert shared.of(tokenizer, make_rows(9), TrainSettings()) is not first
