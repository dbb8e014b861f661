"""The fold with runs that fail on purpose: each fills the form, and says what to look for and the cure.

Knows no run; a preset states only what differs from LoRA's own good settings.
"""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from demo.methods import good_settings
from demo.ui.shell import AT_ONCE, Shell, bound, wire
from demo.ui.tuning.choice import Choice, form, refit

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "rate": {"learning_rate": 0.1},
    "by_heart": {"rows": 1, "epochs": 50, "batch_size": 1, "eval_share": 0.02},
    "template": {"template": "instruction"},
    "endless": {"train_end": False},
}
COUNTED = ("by_heart",)
"""Presets that say themselves how long they learn; the dial fits all others into the time there is."""


def lay_out(shell: Shell) -> dict[str, Any]:
    """The fold, closed: preset -> the button that fills the form."""
    labels = shell.labels
    with labels.add(
        gr.Accordion, "breaking.title", open=False, elem_classes="fold", elem_id="breaking"
    ):
        labels.add(gr.HTML, "breaking.intro", elem_classes="hint")
        return {name: _preset(shell, name) for name in PRESETS}


def _preset(shell: Shell, name: str) -> Any:
    with gr.Row(elem_classes="break"):
        shell.labels.add(gr.HTML, f"breaking.{name}")
        return shell.labels.add(
            gr.Button, "breaking.fill", size="sm", scale=0, min_width=130, elem_id=f"break-{name}"
        )


def wire_up(
    shell: Shell, buttons: Mapping[str, Any], choice: Choice, inputs: dict[str, Any]
) -> None:
    """A press fills the form, and the plan follows."""
    for name, button in buttons.items():
        filled = [choice.dial, *choice.form()]
        pressed = wire([button.click], bound(settings_of, name), {}, filled, **AT_ONCE)
        refit(shell, choice, inputs, pressed)


def settings_of(name: str) -> list[Any]:
    """The dial and the form as a preset has them."""
    settings = good_settings("lora", **PRESETS[name])
    return [None if name in COUNTED else "quick", *form(vars(settings))]
