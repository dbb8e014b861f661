"""Controls are named as the fields they set."""

from dataclasses import fields

import gradio as gr
import pytest

from demo.prompting.presets import PRESETS
from demo.records import Sampling
from demo.run_records import TrainSettings
from demo.ui.controls import preset_buttons, preset_values, sampling_controls, training_controls
from demo.ui.language import LANGUAGES, Labels, Texts
from demo.ui.memory import EMPTY, recalled


def test_controls_are_named_as_the_fields_they_set() -> None:
    with gr.Blocks():
        labels = Labels(Texts.load())
        sampling = sampling_controls(labels, Sampling())
        training = training_controls(labels, TrainSettings())
    assert set(sampling) == {f.name for f in fields(Sampling)}
    assert set(training) == {f.name for f in fields(TrainSettings)} - {"method"}
    assert {name: c.value for name, c in sampling.items()} == {
        name: getattr(Sampling(), name) for name in sampling
    }


def test_memory_drops_what_is_no_text_and_fills_what_is_missing() -> None:
    assert recalled(None) == EMPTY
    assert recalled({"run": ["x"], "language": "xx", "workspace": "w"}) == EMPTY | {
        "workspace": "w"
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PRESETS)
def test_button_of_a_preset_says_the_values_that_it_sets(name: str, language: str) -> None:
    texts = Texts.load()
    said = texts.node(language, f"components.presets.{name}")["value"]
    for field, value in PRESETS[name].stated().items():
        word = texts.node(language, "fields")[field]
        number = f"{value:g}" if language == "en" else f"{value:g}".replace(".", ",")
        assert f"{word} {number}" in said


def test_preset_gives_a_value_to_each_knob_that_shapes_the_distribution() -> None:
    with gr.Blocks():
        buttons = preset_buttons(Labels(Texts.load()))
    assert list(buttons) == list(PRESETS)
    assert preset_values("balanced") == [0.7, 0, 0.9, 0.0, 1.0]
