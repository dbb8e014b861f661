"""A preset is within the ranges of sampling and states what it sets."""

import pytest

from demo.prompting.presets import PRESETS
from demo.records import Sampling


@pytest.mark.parametrize("name", PRESETS)
def test_preset_makes_a_sampling_within_its_ranges(name: str) -> None:
    values = PRESETS[name].values()
    sampling = Sampling(**values)  # type: ignore[arg-type]
    assert {field: getattr(sampling, field) for field in values} == values


def test_presets_state_their_values() -> None:
    stated = {name: preset.stated() for name, preset in PRESETS.items()}
    assert stated == {
        "greedy": {"temperature": 0.0},
        "balanced": {"temperature": 0.7, "top_p": 0.9},
        "creative": {"temperature": 1.2, "min_p": 0.05},
        "neutral": {"temperature": 1.0},
    }
