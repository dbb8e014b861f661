"""Zips of adapters, honest and hostile, for the tests of what comes from elsewhere."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save

from demo.methods.reading import CONFIG, TENSORS
from demo.workspace import read_json


def zipped(folder: Path, inside: str = "adapter", **others: bytes) -> bytes:
    """A folder as a zip; other entries by name, with `__` for a dot."""
    entries = {f"{inside}/{file.name}": file.read_bytes() for file in sorted(folder.iterdir())}
    named = {f"{inside}/{name.replace('__', '.')}": data for name, data in others.items()}
    return packed({**entries, **named})


def packed(entries: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def parts(folder: Path) -> dict[str, bytes]:
    """The two files that are read."""
    return {name: (folder / name).read_bytes() for name in (CONFIG, TENSORS)}


def with_config(folder: Path, **changes: Any) -> bytes:
    """A zip whose config says something else."""
    config = json.dumps({**read_json(folder / CONFIG), **changes}).encode()
    return packed({**parts(folder), CONFIG: config})


def with_tensors(folder: Path, change: Any) -> bytes:
    """A zip whose tensors are what `change` makes of them."""
    tensors = load_file(folder / TENSORS)
    return packed({**parts(folder), TENSORS: save(change(tensors))})


def with_header(folder: Path, change: Any) -> bytes:
    """A zip whose tensors have another header, in JSON or in bytes, before the same numbers."""
    data = (folder / TENSORS).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = change(json.loads(data[8 : 8 + length]))
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    whole = len(text).to_bytes(8, "little") + text + data[8 + length :]
    return packed({**parts(folder), TENSORS: whole})
