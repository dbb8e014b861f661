"""Step 2 of Fine-tune: one method, one dial, and behind folds every setting that applies to it.

Knows neither the data nor the run; what a choice would take is told by `costs`.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.errors import LabError
from demo.methods import METHODS, own_settings
from demo.methods.method import OWN_SETTINGS
from demo.run_records import TrainSettings
from demo.ui.controls import training_controls
from demo.ui.shell import AT_ONCE, QUIET, Shell, chain, wire
from demo.ui.tabs.data_step import settings_of
from demo.ui.tuning import costs
from demo.ui.tuning.about import about

LENGTH = ("epochs", "max_steps")
"""What the dial sets."""


@dataclass(frozen=True)
class Choice:
    """The step's components."""

    dial: Any
    plan: Any
    about: Any
    cost: Any
    name: Any
    settings: dict[str, Any]
    """Field of `TrainSettings` -> control, the method first."""

    def told(self) -> list[Any]:
        """What `costs.plan` fills."""
        return [self.plan, self.cost, self.about]

    def form(self) -> list[Any]:
        """What `form` fills."""
        return list(self.settings.values())


def lay_out(shell: Shell) -> Choice:
    """The method and the dial; its story and its settings folded."""
    labels = shell.labels
    with gr.Row(elem_classes="method-row"):
        method = labels.add(
            gr.Dropdown, "methods.method", value="lora", interactive=True,
            elem_id="method", scale=3, min_width=260,
        )  # fmt: skip
        dial = labels.add(
            gr.Radio, "tuning.dial", value="quick", interactive=True,
            elem_id="dial", scale=2, min_width=240,
        )  # fmt: skip
    plan = gr.HTML("", elem_id="plan")
    with labels.add(
        gr.Accordion, "methods.about", open=False, elem_classes="fold", elem_id="about-method"
    ):
        told = gr.HTML(about(shell.texts, "en", "lora"))
    with labels.add(
        gr.Accordion, "finetune.advanced", open=False, elem_classes="fold", elem_id="advanced"
    ):
        name, settings, cost = _advanced(shell)
    return Choice(dial, plan, told, cost, name, {"method": method} | settings)


def _advanced(shell: Shell) -> tuple[Any, dict[str, Any], Any]:
    with gr.Row(elem_classes="beside"):
        with gr.Column(scale=3, min_width=320):
            name = shell.labels.add(gr.Textbox, "finetune.name", max_lines=1, interactive=True)
            with gr.Row(elem_classes="knobs"):
                settings = training_controls(shell.labels, TrainSettings())
        with gr.Column(scale=2, min_width=300):
            cost = gr.HTML("", elem_id="costs", elem_classes="costs-place")
    return name, settings, cost


def wire_up(shell: Shell, choice: Choice, inputs: dict[str, Any]) -> None:
    """Connect the step's parts with each other.

    Args:
        shell: of the page.
        choice: the step.
        inputs: what a plan is computed from.
    """
    settings, planned = choice.settings, shell.bind(costs.plan)
    chosen = wire([settings["method"].input], choose, inputs, choice.form(), **AT_ONCE)
    turned = wire(
        [choice.dial.input], shell.bind(turn), turn_inputs(choice, inputs), length(choice), **QUIET
    )
    refit(shell, choice, inputs, chosen)
    by_hand = [settings[name].input for name in LENGTH]
    wire(by_hand, _own_length, {}, choice.dial, **AT_ONCE)
    changes = [control.change for control in settings.values()]
    wire(changes, planned, inputs, choice.told(), trigger_mode="always_last", **QUIET)
    chain(turned, planned, inputs, choice.told(), **QUIET)


def refit(shell: Shell, choice: Choice, inputs: dict[str, Any], event: Any) -> Any:
    """After an event: the dial set anew, then the plan; returns the last of both."""
    turned = chain(event, shell.bind(turn), turn_inputs(choice, inputs), length(choice), **QUIET)
    return chain(turned, shell.bind(costs.plan), inputs, choice.told(), **QUIET)


def turn_inputs(choice: Choice, inputs: dict[str, Any]) -> dict[str, Any]:
    """What the dial is turned with."""
    return inputs | {"dial": choice.dial}


def length(choice: Choice) -> list[Any]:
    """What the dial sets."""
    return [choice.settings[name] for name in LENGTH]


def choose(**given: Any) -> list[Any]:
    """A method's own good settings in the form; what every method has stays as it was set."""
    method = METHODS.get(str(given["method"]), METHODS["lora"])
    kept = {name: given[name] for name in vars(TrainSettings())}
    return form(kept | own_settings(method))


def form(values: dict[str, Any]) -> list[Any]:
    """The form's controls with these values; those that do not apply to the method are hidden."""
    applies = METHODS[values["method"]].settings
    order = ("method", *(name for name in _fields() if name != "method"))
    return [
        gr.update(value=values[name], visible=name not in OWN_SETTINGS or name in applies)
        for name in order
    ]


def _fields() -> tuple[str, ...]:
    """The fields of a run's settings in the order of their controls."""
    others = (name for name in vars(TrainSettings()) if name not in TrainSettings.RANGES)
    return (*TrainSettings.RANGES, *others)


def turn(shell: Shell, **given: Any) -> list[Any]:
    """Epochs and steps as the dial asks; untouched where it asks nothing, or nothing can be planned."""
    dial = given.pop("dial", None)
    untouched = [gr.skip() for _ in LENGTH]
    if not dial or not given["dataset"]:
        return untouched
    try:
        workspace = shell.open_workspace(given["memory"])
        fitted = shell.lab.fit_run(workspace, given["dataset"], settings_of(given), dial)
    except LabError:
        return untouched  # The plan beside says why.
    return [
        gr.skip() if getattr(fitted, name) == given[name] else getattr(fitted, name)
        for name in LENGTH
    ]


def _own_length() -> None:
    """The visitor has counted epochs or steps: no position of the dial stands for that."""
