"""What training by a fine-tuning method consists of: the parts every method brings, in this order.

Does not know any method, how training works, nor how adapters are read for answers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from peft import PeftModel
from transformers import PreTrainedModel

from demo.methods.layers import LinearLayer
from demo.run_records import TrainSettings


@dataclass(frozen=True)
class AdapterSize:
    """What a method adds to a base model."""

    trainable: int
    """Weights that are trained."""
    bytes: int
    """Size of `adapter_model.safetensors`."""


@dataclass(frozen=True)
class Method:
    """One fine-tuning method."""

    title: str
    """For people."""
    settings: tuple[str, ...]
    """Fields of `TrainSettings` that only some methods have, and this one does."""
    size: Callable[[tuple[LinearLayer, ...], TrainSettings], AdapterSize]
    """From the base model's layers alone, without building anything."""
    build: Callable[[PreTrainedModel, TrainSettings], PeftModel]
    """Wrap a base model; only the method's own weights are trainable afterwards."""
    save: Callable[[PeftModel, Path, str], None]
    """Write `adapter_config.json` and `adapter_model.safetensors`, naming the base's model id."""
