"""The bytes of a safetensors file from elsewhere become exactly the tensors that were announced.

The header is read as plain data, and names, shapes, types and places are compared before any tensor
is made. Does not know where the bytes come from, nor what the tensors mean.
"""

from collections.abc import Mapping
from math import prod
from typing import Any

import torch
from safetensors.torch import load
from torch import Tensor

from demo.methods.readers.saved import Refused, Shapes
from demo.methods.travel.strict_json import strict_json

LARGEST_HEADER = 2**20
LARGEST_VALUE = 1e3
"""Trained numbers stay far below; products of larger ones leave what fp32 can hold."""
LENGTH_BYTES = 8
PLACE = "the header of adapter_model.safetensors"
FLOATS = {"F32": 4, "F16": 2, "BF16": 2}
WHOLES = {"I32": 4, "I64": 8}
"""Bytes of one number."""


def announced_tensors(data: bytes, expected: Shapes, whole: str = "") -> dict[str, Tensor]:
    """The tensors of a safetensors file, as they were saved.

    Args:
        data: the whole file.
        expected: names and shapes, as a reader computes them from a checked config.
        whole: the ending of names whose tensors hold whole numbers.

    Raises:
        Refused: names, shapes, types, places or values are not as they must be.
    """
    header = _header(data)
    if set(header) != set(expected):
        name = min(set(header) ^ set(expected))
        said = "is missing" if name in expected else "is not expected"
        raise Refused(f"its tensors do not match its config ({name[:120]!a} {said})")
    ends = sorted(
        _place(name, entry, expected[name], FLOATS if not _is(name, whole) else WHOLES)
        for name, entry in header.items()
    )
    starts = [0, *(end for _, end in ends)]
    length = len(data) - LENGTH_BYTES - int.from_bytes(data[:LENGTH_BYTES], "little")
    if [start for start, _ in ends] != starts[:-1] or starts[-1] != length:
        raise Refused(f"{PLACE} puts tensors over one another, or leaves gaps")
    return _bounded(_loaded(data))


def _is(name: str, whole: str) -> bool:
    return bool(whole) and name.endswith(whole)


def _header(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    if len(data) < LENGTH_BYTES or length > min(LARGEST_HEADER, len(data) - LENGTH_BYTES):
        raise Refused(f"{PLACE} is longer than it may be, or than the file")
    header = strict_json(data[LENGTH_BYTES : LENGTH_BYTES + length], PLACE)
    if not isinstance(header, dict):
        raise Refused(f"{PLACE} is no JSON object")
    header.pop("__metadata__", None)
    return header


def _place(
    name: str, entry: Any, shape: tuple[int, ...], types: Mapping[str, int]
) -> tuple[int, int]:
    """Where a tensor begins and ends, once its type and shape are the right ones."""
    facts = entry if isinstance(entry, dict) else {}
    kind = facts.get("dtype")
    if not isinstance(kind, str) or kind not in types:
        raise Refused(f"{name[:120]} is of a type that is none of {', '.join(types)}")
    if facts.get("shape") != list(shape):
        raise Refused(f"{name[:120]} has not the shape {list(shape)} that its config announces")
    start, end = _offsets(facts.get("data_offsets"))
    if end - start != types[kind] * prod(shape):
        raise Refused(f"{name[:120]} does not fill the bytes that {PLACE} gives it")
    return start, end


def _offsets(value: Any) -> tuple[int, int]:
    if isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value):
        return value[0], value[1]
    raise Refused(f"{PLACE} does not say where its tensors lie")


def _loaded(data: bytes) -> dict[str, Tensor]:
    try:
        return dict(load(data))
    except Exception as error:  # Whatever the library finds that was not looked for here.
        raise Refused("its weights cannot be read") from error


def _bounded(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and tensor.numel():
            largest = tensor.abs().max().float()
            if not bool(torch.isfinite(largest)) or float(largest) > LARGEST_VALUE:
                raise Refused(
                    f"{name[:120]} holds NaN, infinity or numbers above {LARGEST_VALUE:g}"
                )
    return tensors
