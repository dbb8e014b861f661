"""Bottleneck adapters (Houlsby et al. 2019): a small network after attention and after the feed-forward.

Down to a few numbers, a nonlinearity, up again, added to what came in. PEFT has no such method, so
the module is here. Does not know how it is read back or served.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from demo.methods.facts import BaseFacts
from demo.methods.method import Method, Work
from demo.methods.readers.bottleneck import BOTTLENECK as READER
from demo.methods.readers.saved import PREFIX
from demo.methods.tuning.peft_models import own_facts, size_of
from demo.workspace import write_json

TARGETS = ["down_proj", "o_proj"]
"""The last layers of feed-forward and attention in all models of the catalogue."""
SPREAD = 0.02
"""Of the first weights on the way down; the way up begins with zeros, so the base is unchanged."""

LOADER = """\
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(base)
tensors = load_file(f"{folder}/adapter_model.safetensors")


def bottleneck(name):
    parts = ("down.weight", "down.bias", "up.weight", "up.bias")
    down, a, up, b = (tensors[f"base_model.model.{name}.{part}"] for part in parts)
    return lambda module, inputs, y: y + torch.relu(y @ down.T + a) @ up.T + b


for key in tensors:
    if key.endswith(".up.bias"):
        name = key.removeprefix("base_model.model.").removesuffix(".up.bias")
        model.get_submodule(name).register_forward_hook(bottleneck(name))"""


class BottleneckLayer(nn.Module):
    """A linear layer of the base, and the small network that its output goes through."""

    def __init__(self, base_layer: nn.Linear, width: int) -> None:
        super().__init__()
        self.base_layer = base_layer
        place: Any = {"device": base_layer.weight.device, "dtype": torch.float32}
        self.down = nn.Linear(base_layer.out_features, width, **place)
        self.up = nn.Linear(width, base_layer.out_features, **place)
        nn.init.normal_(self.down.weight, std=SPREAD)
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """[rows, length, in] to [rows, length, out]."""
        y: Tensor = self.base_layer(x)
        change: Tensor = self.up(torch.relu(self.down(y.to(self.down.weight.dtype))))
        return y + change.to(y.dtype)


def _values(_facts: BaseFacts, work: Work) -> dict[str, Any]:
    return {"width": work.settings.width, "target_modules": TARGETS}


def _build(model: PreTrainedModel, work: Work) -> Any:
    for name in own_facts(model).layers:
        if name.endswith(tuple(TARGETS)):
            layer: Any = model.get_submodule(name)
            model.set_submodule(name, BottleneckLayer(layer, work.settings.width))
    return model


def _save(model: PreTrainedModel, folder: Path, base: str) -> None:
    tensors: dict[str, Tensor] = {}
    width = 0
    for name, module in model.named_modules():
        if isinstance(module, BottleneckLayer):
            width = module.down.out_features
            for part in ("down", "up"):
                for key, tensor in module.get_submodule(part).state_dict().items():
                    tensors[f"{PREFIX}{name}.{part}.{key}"] = tensor.cpu().contiguous()
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
    config = {"width": width, "target_modules": TARGETS, "base_model_name_or_path": base}
    write_json(folder / "adapter_config.json", {"peft_type": "BOTTLENECK", **config})


BOTTLENECK = Method(
    name="bottleneck",
    title="Bottleneck adapter",
    view="function",
    family="additive",
    touches=frozenset({"after_attention", "after_feed_forward"}),
    settings=("width",),
    defaults={"learning_rate": 3e-3, "width": 16},
    source="Houlsby et al. 2019",
    size=size_of(READER, _values),
    build=_build,
    save=_save,
    loader=LOADER,
)
