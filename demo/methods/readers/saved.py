"""How an adapter folder is checked, whatever its method: known switches, announced tensors.

A switch that a reader ignored would give wrong answers without a word, so every value that is not
known to be harmless is refused. Knows no method; each brings a `Reader`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts

Config = Mapping[str, Any]
Shapes = dict[str, tuple[int, ...]]

PREFIX = "base_model.model."
"""What PEFT puts before the name of a base model's module."""
HARMLESS = frozenset(
    {
        "peft_type",
        "peft_version",
        "base_model_name_or_path",
        "revision",
        "auto_mapping",
        "inference_mode",
    }
)
"""Config values of every method that change nothing once the tensors are there."""


class Refused(Exception):
    """An adapter cannot be served exactly; the text says why, and follows "cannot be used:"."""


@dataclass(frozen=True)
class Saved:
    """An adapter folder whose config and tensors were checked."""

    config: Config
    tensors: Mapping[str, Tensor]
    """Floating ones in fp32, exactly those that the reader announced."""
    facts: BaseFacts
    key: str


@dataclass(frozen=True)
class Reader:
    """How one method's folders become an `Adaptation`."""

    known: frozenset[str]
    """Config values that `shapes` checks, or that change nothing once the tensors are there."""
    shapes: Callable[[Config, BaseFacts], Shapes]
    """Check the config and announce the tensors; raises `Refused`."""
    adapt: Callable[[Saved], Adaptation]
    """Bring the tensors to the few kinds; raises `Refused` where their values cannot be right."""
    whole: str = ""
    """The ending of tensors that hold whole numbers."""


def check_switches(config: Config, known: frozenset[str]) -> None:
    """Refuse every value that is neither known nor off, and every task but text generation."""
    for name, value in config.items():
        if name in HARMLESS or name in known or name == "task_type":
            continue
        if value and (name, value) != ("bias", "none"):
            raise Refused(f"its adapter_config.json sets {name[:40]}, which this lab does not know")
    if config.get("task_type") not in (None, "CAUSAL_LM"):
        raise Refused("its task_type is not CAUSAL_LM")


def whole(config: Config, name: str, low: int, high: int) -> int:
    """A whole number of the config within [low, high]."""
    value = config.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Refused(f"its {name} must be a whole number between {low} and {high}")
    return value


def switch(config: Config, name: str) -> bool:
    """A switch of the config; off where it is missing."""
    value = config.get(name, False)
    if not isinstance(value, bool):
        raise Refused(f"its {name} must be true or false")
    return value


def names(config: Config, name: str) -> tuple[str, ...]:
    """A list of names in the config, not a pattern."""
    value = config.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise Refused(f"its {name} must be a list of layer names")
    return tuple(value)


def targets(config: Config, among: Mapping[str, Any]) -> list[str]:
    """The modules that `target_modules` means: by full name or by its last parts, as in PEFT."""
    wanted = names(config, "target_modules")
    if not wanted:
        raise Refused("its target_modules must be a list of layer names")
    found = [
        module
        for module in among
        if module in wanted or module.endswith(tuple(f".{name}" for name in wanted))
    ]
    if not found:
        raise Refused("its target_modules name nothing that this base model has")
    return found
