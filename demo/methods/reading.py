"""An adapter folder becomes an `Adaptation`: the readers by `peft_type`, and what all of them demand.

The file must hold exactly the tensors that the config announces, in exactly these shapes, and
finite; nothing is ever unpickled. Does not know where folders come from.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from demo.errors import BadInput
from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts
from demo.methods.readers.adalora import ADALORA
from demo.methods.readers.bottleneck import BOTTLENECK
from demo.methods.readers.full import FULL
from demo.methods.readers.head import HEAD
from demo.methods.readers.ia3 import IA3
from demo.methods.readers.layer_norm import LAYER_NORM
from demo.methods.readers.low_rank import LORA
from demo.methods.readers.saved import Reader, Refused, Saved, Shapes, check_switches
from demo.methods.readers.sparse import SHIRA
from demo.methods.readers.virtual_tokens import P_TUNING, PREFIX_TUNING, PROMPT_TUNING
from demo.workspace import read_json

CONFIG, TENSORS = "adapter_config.json", "adapter_model.safetensors"

READERS: dict[str, Reader] = {
    "LORA": LORA,
    "ADALORA": ADALORA,
    "IA3": IA3,
    "LN_TUNING": LAYER_NORM,
    "PREFIX_TUNING": PREFIX_TUNING,
    "PROMPT_TUNING": PROMPT_TUNING,
    "P_TUNING": P_TUNING,
    "SHIRA": SHIRA,
    "BOTTLENECK": BOTTLENECK,
    "HEAD": HEAD,
    "FULL": FULL,
}
"""By the `peft_type` of the config."""


def read_adaptation(folder: Path, key: str, facts: BaseFacts, title: str = "") -> Adaptation:
    """Read and check the adapter in `folder`.

    Args:
        folder: with `adapter_config.json` and `adapter_model.safetensors`.
        key: SHA-256 of both files.
        facts: of the base model that it is for.
        title: what the adapter is called in an error.

    Raises:
        BadInput: it cannot be served exactly; the message says why.
    """
    try:
        return _read(folder, key, facts)
    except Refused as refusal:
        raise BadInput(
            "adapter_broken", adapter=title or folder.name, problem=str(refusal)
        ) from refusal


def reader_of(config: Any) -> Reader:
    """The reader of a config, once its switches are known.

    Raises:
        Refused: the method or a switch is unknown.
    """
    if not isinstance(config, dict):
        raise Refused("its config is no JSON object")
    kind = config.get("peft_type")
    if not isinstance(kind, str) or kind not in READERS:
        raise Refused(f"it is of type {str(kind)[:40]}, and this lab reads {', '.join(READERS)}")
    check_switches(config, READERS[kind].known)
    return READERS[kind]


def _read(folder: Path, key: str, facts: BaseFacts) -> Adaptation:
    try:
        config = read_json(folder / CONFIG)
    except (OSError, ValueError, RecursionError) as error:
        raise Refused("its config is no JSON") from error
    reader = reader_of(config)
    tensors = _tensors(folder / TENSORS, reader.shapes(config, facts), reader.whole)
    try:
        return reader.adapt(Saved(config, tensors, facts, key))
    except KeyError as error:
        raise Refused(f"the base model's file has no {error}") from error


def _tensors(path: Path, expected: Shapes, whole: str) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            if found != expected:
                raise Refused(
                    f"its tensors do not match its config ({_difference(found, expected)})"
                )
            return {name: _checked(name, file.get_tensor(name), whole) for name in found}
    except (SafetensorError, OSError) as error:
        raise Refused("its weights cannot be read") from error


def _difference(found: Shapes, expected: Shapes) -> str:
    """The first tensor that is not as announced."""
    name = min(
        name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)
    )
    if name not in found:
        return f"{name[:120]} is missing"
    if name not in expected:
        return f"{name[:120]} is not expected"
    return f"{name[:120]} is {list(found[name])}, not {list(expected[name])}"


def _checked(name: str, tensor: Tensor, whole: str) -> Tensor:
    if whole and name.endswith(whole):
        if tensor.dtype not in (torch.int32, torch.int64):
            raise Refused(f"{name[:120]} holds no whole numbers")
        return tensor
    if tensor.dtype not in (torch.float32, torch.float16, torch.bfloat16):
        raise Refused(f"{name[:120]} is neither fp32 nor fp16 nor bf16")
    tensor = tensor.float()
    if not bool(torch.isfinite(tensor).all()):
        raise Refused("its weights hold NaN or infinity")
    return tensor
