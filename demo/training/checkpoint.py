"""A run's checkpoint: all that a broken run needs to go on as if it had never stopped.

`progress.json` names the tensor files of its step and is written last, by rename: the checkpoint is
complete or absent, at whatever moment the process dies. Beside the trained weights it holds the
optimizer's moments, the best weights so far and what a method keeps outside of its weights. Random
numbers need no state: every step draws from a seed of its own. Does not know when to write one.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from demo.training.trainer import Progress, Trainer
from demo.workspace import read_json, write_json

MOMENTS = ("exp_avg", "exp_avg_sq", "step")
"""What AdamW remembers of each weight."""


def save(folder: Path, trainer: Trainer, *, optimizer: bool = True) -> None:
    """Write the trainer's state; the checkpoint before it goes once this one is in place.

    Args:
        folder: `checkpoint/` of the run; made where it is missing.
        trainer: between two steps.
        optimizer: False once nothing will be learned any more; another run may still begin here.
    """
    folder.mkdir(exist_ok=True)
    progress = trainer.progress
    files = {"weights": _named(trainer.weights, "weight") | _method_state(trainer)}
    if optimizer:
        files["weights"] |= _moments(trainer)
        if trainer.best is not None and progress.best_step != progress.step:
            files["best"] = _named(trainer.best, "weight")
    names = {kind: f"{kind}-{progress.step}.safetensors" for kind in files}
    for kind, tensors in files.items():
        aside = folder / f".{names[kind]}"
        save_file(tensors, aside)
        aside.replace(folder / names[kind])
    write_json(folder / "progress.json", {**asdict(progress), "files": names})
    _drop_others(folder, {*names.values(), "progress.json"})


def exists(folder: Path) -> bool:
    """Whether there is a complete checkpoint."""
    return (folder / "progress.json").is_file()


def load(folder: Path, trainer: Trainer) -> bool:
    """Put a fresh trainer where the checkpoint stands; False, and nothing changed, where none can be read."""
    try:
        stored = read_json(folder / "progress.json")
        files = {kind: load_file(folder / name) for kind, name in stored.pop("files").items()}
        progress = Progress(**stored)
    except (OSError, ValueError, TypeError, KeyError, SafetensorError):
        return False
    _fill(trainer.weights, files["weights"])
    _restore_moments(trainer, files["weights"])
    trainer.upkeep.restore({n[6:]: t for n, t in files["weights"].items() if n[:6] == "state."})
    best = files.get("best", files["weights"]) if progress.best_step else None
    trainer.go_on(progress, None if best is None else _only(best, trainer.weights))
    return True


def start_from(folder: Path, trainer: Trainer) -> None:
    """Begin with another run's trained weights, and nothing else of it.

    Raises:
        OSError: there is no checkpoint.
        KeyError: it was another method, or had other sizes.
    """
    stored = read_json(folder / "progress.json")
    tensors = load_file(folder / stored["files"].get("best", stored["files"]["weights"]))
    _fill(trainer.weights, tensors)


def _named(weights: Mapping[str, Tensor], kind: str) -> dict[str, Tensor]:
    return {f"{kind}.{name}": weight.detach().contiguous() for name, weight in weights.items()}


def _method_state(trainer: Trainer) -> dict[str, Tensor]:
    return {f"state.{name}": tensor for name, tensor in trainer.upkeep.save().items()}


def _moments(trainer: Trainer) -> dict[str, Tensor]:
    return {
        f"{moment}.{name}": trainer.optimizer.state[weight][moment]
        for name, weight in trainer.weights.items()
        if weight in trainer.optimizer.state
        for moment in MOMENTS
    }


def _restore_moments(trainer: Trainer, tensors: Mapping[str, Tensor]) -> None:
    for name, weight in trainer.weights.items():
        if f"step.{name}" in tensors:
            kept: dict[str, Any] = {m: tensors[f"{m}.{name}"].to(weight.device) for m in MOMENTS}
            # AdamW counts its steps on the CPU, wherever the weights are.
            trainer.optimizer.state[weight] = kept | {"step": kept["step"].cpu()}


def _only(tensors: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensors[f"weight.{name}"].to(w.device) for name, w in weights.items()}


def _fill(weights: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    kept = _only(tensors, weights)
    if any(kept[name].shape != weight.shape for name, weight in weights.items()):
        raise KeyError("other sizes")
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(kept[name])


def _drop_others(folder: Path, kept: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in kept:
            with suppress(OSError):
                path.unlink()
