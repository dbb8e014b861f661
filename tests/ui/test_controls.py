"""Controls are named as the fields they set."""

from dataclasses import fields

import gradio as gr

from demo.records import Sampling
from demo.run_records import TrainSettings
from demo.ui.controls import sampling_controls, training_controls
from demo.ui.language import Labels, Texts
from demo.ui.memory import EMPTY, recalled


def test_controls_are_named_as_the_fields_they_set() -> None:
    with gr.Blocks():
        labels = Labels(Texts.load())
        sampling = sampling_controls(labels, Sampling())
        training = training_controls(labels, TrainSettings())
    assert set(sampling) == {f.name for f in fields(Sampling)}
    assert set(training) == set(TrainSettings.RANGES)
    assert {name: c.value for name, c in sampling.items()} == {
        name: getattr(Sampling(), name) for name in sampling
    }


def test_memory_drops_what_is_no_text_and_fills_what_is_missing() -> None:
    assert recalled(None) == EMPTY
    assert recalled({"run": ["x"], "language": "xx", "workspace": "w"}) == EMPTY | {
        "workspace": "w"
    }
