"""The knobs of sampling and of training: one component for each field of its dataclass, and the presets.

Names equal the fields; ranges come from the dataclass, a preset's values from below. Knows no tab.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import gradio as gr

from demo.methods import METHODS
from demo.methods.method import OWN_SETTINGS
from demo.prompting.presets import PRESETS
from demo.records import Sampling
from demo.run_records import TrainSettings
from demo.ui.language import Labels
from demo.ui.shell import AT_ONCE, bound, wire

STEPS = {
    "temperature": 0.05,
    "top_p": 0.01,
    "min_p": 0.01,
    "repetition_penalty": 0.01,
    "dropout": 0.05,
    "eval_share": 0.01,
}
TYPED = ("seed", "learning_rate", "max_steps", "alpha", "max_length", "top_k", "rows")
"""Fields whose range is too wide for a slider to hit a value."""


def sampling_controls(labels: Labels, defaults: Sampling) -> dict[str, Any]:
    """Field name -> component, in the order of `Sampling`."""
    return {f.name: _control(labels, "sampling", f.name, defaults) for f in fields(Sampling)}


def preset_buttons(labels: Labels) -> dict[str, Any]:
    """Preset -> button, each saying the values that it sets."""
    with gr.Row(elem_classes="presets"):
        return {
            name: labels.add(gr.Button, f"presets.{name}", size="sm", min_width=120)
            for name in PRESETS
        }


def wire_presets(buttons: Mapping[str, Any], sampling: Mapping[str, Any]) -> None:
    """A press sets every knob of the preset; longest answer and seed stay."""
    for name, button in buttons.items():
        knobs = [sampling[field] for field in PRESETS[name].values()]
        wire([button.click], bound(preset_values, name), {}, knobs, **AT_ONCE)


def preset_values(name: str) -> list[float]:
    """What the knobs are set to, in the preset's order."""
    return list(PRESETS[name].values().values())


def training_controls(labels: Labels, defaults: TrainSettings) -> dict[str, Any]:
    """Field name -> component for every field of `TrainSettings` but the method, which stands above."""
    numbers = {
        name: _control(labels, "training", name, defaults, visible=_applies(name, defaults.method))
        for name in TrainSettings.RANGES
    }
    template = labels.add(
        gr.Dropdown, "training.template", value=defaults.template, interactive=True
    )
    end = labels.add(gr.Checkbox, "training.train_end", value=defaults.train_end, interactive=True)
    return numbers | {"template": template, "train_end": end}


def _applies(name: str, method: str) -> bool:
    return name not in OWN_SETTINGS or name in METHODS[method].settings


def _control(labels: Labels, group: str, name: str, defaults: Any, *, visible: bool = True) -> Any:
    low, high, kind = defaults.RANGES[name]
    arguments = {"value": getattr(defaults, name), "interactive": True, "visible": visible}
    if name in TYPED:
        # No minimum and maximum here: the browser would clip silently what the lab explains.
        return labels.add(
            gr.Number, f"{group}.{name}", precision=0 if kind is int else None, **arguments
        )
    step = 1 if kind is int else STEPS[name]
    return labels.add(
        gr.Slider, f"{group}.{name}", minimum=low, maximum=high, step=step, buttons=[], **arguments
    )
