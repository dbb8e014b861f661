"""The exact size of a safetensors file from the shapes of its tensors, before any of them exists.

Knows the file format only: a length, a header in JSON padded to 8 bytes, then the numbers.
"""

import json
from collections.abc import Mapping
from math import prod
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]
NUMBER_BYTES = 4


def file_bytes(shapes: Shapes, whole: str = "") -> int:
    """Bytes of a file with these tensors.

    Args:
        shapes: tensor name -> shape.
        whole: the ending of names whose tensors are int32; all others are fp32.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in sorted(
        shapes.items(), key=lambda item: (_is_whole(item[0], whole), item[0])
    ):
        start, end = end, end + NUMBER_BYTES * prod(shape)
        header[name] = {
            "dtype": "I32" if _is_whole(name, whole) else "F32",
            "shape": list(shape),
            "data_offsets": [start, end],
        }
    header_bytes = len(json.dumps(header, separators=(",", ":")))
    return 8 + -(-header_bytes // 8) * 8 + end


def count(shapes: Shapes) -> int:
    """How many numbers these tensors hold."""
    return sum(prod(shape) for shape in shapes.values())


def _is_whole(name: str, ending: str) -> bool:
    return bool(ending) and name.endswith(ending)
