"""The embedded GGUF file, converted once to safetensors and verified at every start.

Knows nothing of devices or precisions.
"""

import shutil
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from demo.engine.model.catalogue import ModelSpec, file_hash
from demo.workspace import new_id, read_json, write_json

MANIFEST = "manifest.json"
FORMAT = 1
"""Raised when a conversion would be written differently."""


def converted(spec: ModelSpec, cache: Path) -> ModelSpec:
    """The spec of a folder that plain transformers loads: `spec` itself unless it is a GGUF file.

    The conversion is kept under `cache` with the SHA-256 of every file; one that does not match
    its hashes is made again, never served.
    """
    if not spec.gguf:
        return spec
    gguf = Path(spec.source) / spec.gguf
    folder = cache / f"{gguf.stem}-{file_hash(gguf)[:16]}-{FORMAT}"
    if not intact(folder):
        _convert(gguf, folder)
    return ModelSpec(spec.title, str(folder), spec.lineage)


def intact(folder: Path) -> bool:
    """Whether a conversion is complete and every byte is as it was written."""
    try:
        hashes = read_json(folder / MANIFEST)["sha256"]
        return all(file_hash(folder / name) == digest for name, digest in hashes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _convert(gguf: Path, folder: Path) -> None:
    """Write the model in fp32, then put the finished folder in place in one step."""
    temporary = folder.with_name(f".{folder.name}.{new_id()}")
    temporary.mkdir(parents=True)
    try:
        AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(temporary)
        loaded = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, dtype=torch.float32
        )
        config = loaded.config
        del config.quantization_config
        # The object that the GGUF loader returns refuses to be saved; a fresh one saves well.
        fresh = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        fresh.load_state_dict(loaded.state_dict())
        fresh.generation_config = loaded.generation_config
        fresh.save_pretrained(temporary)
        hashes = {file.name: file_hash(file) for file in sorted(temporary.iterdir())}
        write_json(temporary / MANIFEST, {"from": gguf.name, "sha256": hashes})
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
