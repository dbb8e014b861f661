"""What training by a fine-tuning method consists of: the parts that every method brings, in this order.

Does not know any method, how training works, nor how adapters are read for answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from torch import Tensor
from transformers import PreTrainedModel

from demo.methods.facts import BaseFacts
from demo.run_records import TrainSettings

View = Literal["parameters", "input", "function"]
Family = Literal["selective", "reparameterized", "additive"]
BlockPart = Literal[
    "embeddings",
    "attention",
    "keys_values",
    "after_attention",
    "feed_forward",
    "after_feed_forward",
    "norms",
    "head",
]


@dataclass(frozen=True)
class AdapterSize:
    """What a method adds to a base model."""

    trainable: int
    """Weights that are trained."""
    bytes: int
    """Size of `adapter_model.safetensors`."""


@dataclass(frozen=True)
class Label:
    """One of the answers that a classifier chooses from."""

    text: str
    ids: tuple[int, ...]
    """Its tokens, the end of the answer included."""


@dataclass(frozen=True)
class Work:
    """What a method has to know of a run beforehand."""

    settings: TrainSettings
    steps: int = 1
    labels: tuple[Label, ...] = ()
    """The distinct answers of the rows, for a method whose objective they are."""


class Upkeep:
    """What a method does beside the optimizer's steps; most methods do nothing, and keep this one."""

    def penalty(self) -> Tensor | None:
        """A number that is minimized together with the loss."""
        return None

    def after_step(self, step: int) -> None:
        """Called after every step of the optimizer, while its gradients still stand; counts from 1."""

    def save(self) -> dict[str, Tensor]:
        """What stands in no trained weight, so that a run can go on as if it had never stopped."""
        return {}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `save` gave."""


@dataclass(frozen=True)
class Method:
    """One fine-tuning method."""

    name: str
    """As in `TrainSettings.method`."""
    title: str
    """For people."""
    view: View
    """What is touched: weights, what the model reads, or what it computes."""
    family: Family
    """Whether own weights are chosen, expressed by fewer numbers, or new ones are put in."""
    touches: frozenset[BlockPart]
    """Where in a transformer it acts, for the diagram."""
    settings: tuple[str, ...]
    """Fields of `TrainSettings` that only some methods have, and this one does."""
    defaults: Mapping[str, Any]
    """Its own good values of `TrainSettings`, measured on the embedded model."""
    source: str
    """Authors and year."""
    size: Callable[[BaseFacts, Work], AdapterSize]
    """From the base model's facts alone, without building anything."""
    build: Callable[[PreTrainedModel, Work], Any]
    """Put the method's weights into a base model; they alone are trainable in what is returned, a
    `PeftModel` or the model itself."""
    save: Callable[[Any, Path, str], None]
    """Write `adapter_config.json` and `adapter_model.safetensors`, naming the base's model id."""
    upkeep: Callable[[Any], Upkeep] = field(default=lambda _: Upkeep())
    """What has to be done beside the steps, for a model that `build` returned."""
    base_precision: Literal["fp32", "nf4"] = "fp32"
    """nf4: the base is quantized while it learns."""
    objective: Literal["tokens", "labels"] = "tokens"
    """Whether it learns to write, or to choose among labels."""
    loader: str = ""
    """Lines of Python that load what it saved, where PEFT itself cannot; for the card."""

    def relevant(self, settings: TrainSettings) -> dict[str, Any]:
        """The settings that apply: those of every run, and this method's own."""
        return {
            name: value
            for name, value in vars(settings).items()
            if name not in OWN_SETTINGS or name in self.settings
        }


OWN_SETTINGS = ("rank", "alpha", "dropout", "virtual_tokens", "width")
"""Fields of `TrainSettings` that no run has but those of a method that names them."""
