"""Tiny random base models, and adapters of every method made and saved by PEFT, for the tests of several rooms."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peft
import torch
from peft import PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, LlamaConfig

from demo.methods import METHODS, good_settings
from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts, base_facts
from demo.methods.method import Label, Work
from demo.methods.reading import read_adaptation
from demo.workspace import write_json

TASK = {"task_type": "CAUSAL_LM"}
LAYERS = ["q_proj", "v_proj", "down_proj"]
VIRTUAL = {"num_virtual_tokens": 5, **TASK}
ENCODED = {"encoder_hidden_size": 32, **VIRTUAL}
BUDGET = {"init_r": 4, "target_r": 2, "total_step": 9, "tinit": 1, "tfinal": 1, "lora_alpha": 8}
LORA = {"r": 4, "lora_alpha": 12, "target_modules": LAYERS, **TASK}

CONFIGS: dict[str, Any] = {
    "lora": lambda: peft.LoraConfig(**LORA),
    "rslora": lambda: peft.LoraConfig(**LORA, use_rslora=True),
    "dora": lambda: peft.LoraConfig(**LORA, use_dora=True),
    "adalora": lambda: peft.AdaLoraConfig(**BUDGET, target_modules=LAYERS, **TASK),
    "ia3": lambda: peft.IA3Config(
        target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"], **TASK
    ),
    "ln": lambda: peft.LNTuningConfig(
        target_modules=["input_layernorm", "post_attention_layernorm", "norm"], **TASK
    ),
    "prefix": lambda: peft.PrefixTuningConfig(**VIRTUAL),
    "prefix_projection": lambda: peft.PrefixTuningConfig(**ENCODED, prefix_projection=True),
    "prompt": lambda: peft.PromptTuningConfig(**VIRTUAL),
    "p_tuning": lambda: peft.PromptEncoderConfig(**ENCODED),
    "shira": lambda: peft.ShiraConfig(r=3, target_modules=LAYERS, **TASK),
}
"""By the names that the tests use."""
IN_PASSING = ("lora", "rslora", "dora", "adalora", "ia3", "ln")
"""Methods that need neither own weights nor virtual tokens."""


def make_base(folder: Path, config: Any = None, **changes: Any) -> Path:
    """Save a tiny random model: Llama's, with grouped attention, unless a config is given."""
    torch.manual_seed(7)
    config = config or LlamaConfig(
        vocab_size=96,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        **{"intermediate_size": 96, "tie_word_embeddings": True, **changes},
    )
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    for weight in model.parameters():
        weight.data.add_(torch.randn_like(weight), alpha=0.05)
    model.save_pretrained(folder)
    return folder


def load(base: Path) -> Any:
    """The base in plain transformers."""
    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()


def make_adapter(
    base: Path, folder: Path, config: Any, seed: int = 1, ranks: dict[str, list[bool]] | None = None
) -> Path:
    """An adapter whose every trained number was changed at random, saved by PEFT.

    Args:
        base: the folder of its base model.
        folder: to be made.
        config: PEFT's.
        seed: of the change.
        ranks: what AdaLoRA's budget kept, by the name of `lora_E`.
    """
    with _quiet():
        model = get_peft_model(load(base), config)
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.requires_grad and "ranknum" not in name:
                weight.add_(torch.randn_like(weight), alpha=0.1)
    if ranks is not None:
        model.peft_config["default"].rank_pattern = ranks
    with _quiet():
        model.save_pretrained(str(folder), save_embedding_layers=False)
    write_json(
        folder / "run.json", {"name": folder.name, "base": {"lineage": "tiny#0", "weights": "0"}}
    )
    (folder / "README.md").write_text("made by a test")
    return folder


LABELS = (Label("yes", (5, 1)), Label("yes and no", (5, 9, 1)), Label("no", (7, 1)))
"""Two of them begin alike."""


def make_own(base: Path, folder: Path, method: str, seed: int = 1, **settings: Any) -> Path:
    """An adapter of a method in the lab's own format, its every trained number changed at random."""
    folder.mkdir()
    work = Work(good_settings(method, **settings), labels=LABELS)
    torch.manual_seed(seed)
    model = METHODS[method].build(load(base).requires_grad_(False), work)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.add_(torch.randn_like(weight), alpha=0.1)
    METHODS[method].save(model, folder, "owner/model")
    write_json(
        folder / "run.json", {"name": folder.name, "base": {"lineage": "tiny#0", "weights": "0"}}
    )
    (folder / "README.md").write_text("made by a test")
    return folder


def as_the_card_says(base: Path, folder: Path, method: str) -> dict[str, Any]:
    """What the card's lines of Python leave behind: `model`, or `classify`."""
    names: dict[str, Any] = {"base": str(base), "folder": str(folder)}
    exec(METHODS[method].loader, names)
    return names


def make_full(base: Path, folder: Path, names: list[str] | None = None) -> Path:
    """Every parameter of the base, or those named, changed at random, in the lab's own format."""
    folder.mkdir()
    torch.manual_seed(3)
    tensors = {
        name: weight.detach() + 0.05 * torch.randn_like(weight)
        for name, weight in load(base).named_parameters()
        if names is None or name in names
    }
    save_file(tensors, folder / "adapter_model.safetensors")
    write_json(folder / "adapter_config.json", {"peft_type": "FULL", "parameters": names})
    return folder


def read(base: Path, folder: Path) -> Adaptation:
    """The adapter as the lab reads it; its folder's name is its key."""
    return read_adaptation(folder, folder.name, facts(base))


def facts(base: Path) -> BaseFacts:
    """What the lab knows of the base."""
    return base_facts(str(base))


def with_peft(base: Path, folder: Path) -> Any:
    """The adapted model as plain PEFT loads it."""
    with _quiet():
        return PeftModel.from_pretrained(load(base), str(folder)).eval()


@contextmanager
def _quiet() -> Iterator[None]:
    """PEFT wonders at norms, and at ranks of zero."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
