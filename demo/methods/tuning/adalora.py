"""AdaLoRA (Zhang et al. 2023): a budget of ranks moves to the layers where they matter most.

Every layer begins with half as many ranks again as it will have on average; while it learns, the
least important ones are set to zero. Does not know how the update is read back or served.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import AdaLoraConfig, PeftModel
from torch import Tensor
from transformers import PreTrainedModel

from demo.methods.facts import BaseFacts
from demo.methods.method import Method, Upkeep, Work
from demo.methods.readers.adalora import ADALORA as READER
from demo.methods.tuning import peft_models

FIRST_SHARE, LAST_SHARE = 10, 4
"""One in so many steps passes before the budget begins to fall, and after it has fallen."""
AVERAGES = ("ipt", "exp_avg_ipt", "exp_avg_unc")
KEPT = "kept"


def _values(facts: BaseFacts, work: Work) -> dict[str, Any]:
    rank = work.settings.rank
    return {
        "target_r": rank,
        "init_r": rank + -(-rank // 2),
        "lora_alpha": work.settings.alpha,
        "lora_dropout": work.settings.dropout,
        "target_modules": peft_models.layer_kinds(facts),
        "total_step": work.steps,
        "tinit": work.steps // FIRST_SHARE,
        "tfinal": work.steps // LAST_SHARE,
    }


def _build(model: PreTrainedModel, work: Work) -> Any:
    return peft_models.wrap(AdaLoraConfig, model, _values(peft_models.own_facts(model), work))


def _save(model: PeftModel, folder: Path, base: str) -> None:
    """With the ranks that were set to zero, so that the file is as large as was announced."""
    config: Any = model.peft_config["default"]
    pattern, config.rank_pattern = config.rank_pattern, None
    try:
        peft_models.save(model, folder, base)
    finally:
        config.rank_pattern = pattern


class Allocation(Upkeep):
    """Shares the ranks out after every step, and keeps the columns of A and B apart from each other."""

    def __init__(self, model: PeftModel) -> None:
        self.tuner: Any = model.base_model
        self.config: Any = model.peft_config["default"]
        self.matrices = [
            (name, weight)
            for name, weight in model.named_parameters()
            if "lora_A" in name or "lora_B" in name
        ]

    def penalty(self) -> Tensor:
        """How far A and B are from orthogonal, on average (equation 4 of the paper)."""
        norms = [torch.linalg.norm(_products(name, weight)) for name, weight in self.matrices]
        return float(self.config.orth_reg_weight) * torch.stack(norms).mean()

    def after_step(self, step: int) -> None:
        """Update what each rank is worth, and take the least worthy away."""
        last = self.config.total_step - self.config.tfinal
        # Of a run of one or two steps nothing was measured that could be shared out.
        if step < last or self.tuner.rankallocator.exp_avg_ipt or self.config.rank_pattern:
            self.tuner.update_and_allocate(step)

    def save(self) -> dict[str, Tensor]:
        """The running averages, and which ranks are kept."""
        allocator = self.tuner.rankallocator
        averages = {
            f"{kind}.{name}": tensor
            for kind in AVERAGES
            for name, tensor in getattr(allocator, kind).items()
        }
        pattern = self.config.rank_pattern or {}
        return averages | {f"{KEPT}.{name}": torch.tensor(kept) for name, kept in pattern.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put them back."""
        found: dict[str, dict[str, Tensor]] = {kind: {} for kind in (*AVERAGES, KEPT)}
        for full, tensor in tensors.items():
            kind, _, name = full.partition(".")
            found[kind][name] = tensor
        for kind in AVERAGES:
            setattr(self.tuner.rankallocator, kind, found[kind])
        self.config.rank_pattern = {n: kept.tolist() for n, kept in found[KEPT].items()} or None


def _products(name: str, weight: Tensor) -> Tensor:
    """Products of the ranks with each other, less those of an orthogonal matrix."""
    own = weight @ weight.T if "lora_A" in name else weight.T @ weight
    return own - torch.eye(len(own), device=own.device, dtype=own.dtype)


ADALORA = Method(
    name="adalora",
    title="AdaLoRA",
    view="parameters",
    family="reparameterized",
    touches=frozenset({"attention", "feed_forward"}),
    settings=("rank", "alpha", "dropout"),
    defaults={"learning_rate": 2e-2, "rank": 8, "alpha": 16},
    source="Zhang et al. 2023",
    size=peft_models.size_of(READER, _values),
    build=_build,
    save=_save,
    upkeep=Allocation,
)
