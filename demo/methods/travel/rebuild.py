"""An adapter from elsewhere is made anew from checked values and numbers; its own files are never kept.

Does not know workspaces, nor on which base model the adapter was trained.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts
from demo.methods.readers.saved import Refused, Saved
from demo.methods.reading import CONFIG, READERS, TENSORS
from demo.methods.travel.archive import LARGEST_TENSORS, Parcel
from demo.methods.travel.config import checked_shapes, own_config
from demo.methods.travel.strict_json import strict_json
from demo.methods.travel.tensors import announced_tensors
from demo.workspace import write_json

NUMBER_BYTES = 4


@dataclass(frozen=True)
class Rebuilt:
    """An adapter of which nothing is left but what was checked."""

    config: dict[str, Any]
    tensors: dict[str, Tensor]


def rebuilt(parcel: Parcel, facts: BaseFacts, base: str) -> Rebuilt:
    """Check everything, in an order in which nothing large is made before it is known to fit.

    Args:
        parcel: what came.
        facts: of the base model here.
        base: its model id.

    Raises:
        Refused: something is not as it must be; the message says what.
    """
    config = strict_json(parcel.config, CONFIG)
    shapes = checked_shapes(config, facts)
    numbers = sum(torch.Size(shape).numel() for shape in shapes.values())
    if numbers * NUMBER_BYTES > LARGEST_TENSORS:
        raise Refused(f"its weights would have more than {LARGEST_TENSORS // 10**6} MB")
    reader = READERS[config["peft_type"]]
    tensors = announced_tensors(parcel.tensors, shapes, reader.whole)
    own = own_config(config, facts, base)
    as_read = {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in tensors.items()
    }
    try:
        adapter = reader.adapt(Saved(own, as_read, facts, ""))
    except KeyError as error:
        raise Refused(f"the base model's file has no {error}") from error
    _require_finite(adapter)
    return Rebuilt(own, tensors)


def write(adapter: Rebuilt, folder: Path) -> None:
    """Write config and tensors into an existing folder."""
    save_file(adapter.tensors, folder / TENSORS, {"format": "pt"})
    write_json(folder / CONFIG, adapter.config)


def named_base(config: Any) -> str:
    """The model id in a config: `owner/name`, or one bare name; empty where there is none.

    A path says nothing on another machine.
    """
    name = config.get("base_model_name_or_path") if isinstance(config, dict) else None
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= 200:
        return ""
    path_like = name.startswith(("/", ".", "~")) or "\\" in name or ":" in name
    return "" if path_like or name.count("/") > 1 else name


def _require_finite(adapter: Adaptation) -> None:
    """Small numbers can make large ones: a length divided by the length of a column of zeros."""
    for tensor in _tensors(adapter):
        values = tensor.values() if tensor.is_sparse else tensor
        if not bool(torch.isfinite(values).all()):
            raise Refused("its weights hold NaN or infinity once they are put together")


def _tensors(adapter: Adaptation) -> Iterator[Tensor]:
    for pair in adapter.low_rank.values():
        yield from pair
    for group in (adapter.row_scale, adapter.input_scale, adapter.norms, adapter.weights):
        yield from group.values()
