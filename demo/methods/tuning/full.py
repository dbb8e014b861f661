"""Full tuning: every weight of the model is trained; the yardstick of all other methods.

Does not know whether there is room for what it saves, nor how that is read back.
"""

from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from transformers import PreTrainedModel

from demo.methods.facts import BaseFacts
from demo.methods.file_size import count, file_bytes
from demo.methods.method import AdapterSize, Method, Work
from demo.workspace import write_json

LOADER = """\
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(base)
model.load_state_dict(load_file(f"{folder}/adapter_model.safetensors"), strict=False)
model.tie_weights()"""


def _size(facts: BaseFacts, _work: Work) -> AdapterSize:
    return AdapterSize(count(facts.parameters), file_bytes(facts.parameters))


def _build(model: PreTrainedModel, _work: Work) -> Any:
    return model.requires_grad_(True)


def _save(model: PreTrainedModel, folder: Path, base: str) -> None:
    tensors = {
        name: weight.detach().float().cpu().contiguous()
        for name, weight in model.named_parameters()
    }
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
    config = {"peft_type": "FULL", "base_model_name_or_path": base}
    write_json(folder / "adapter_config.json", config)


FULL = Method(
    name="full",
    title="Full tuning",
    view="parameters",
    family="selective",
    touches=frozenset({"embeddings", "attention", "feed_forward", "norms"}),
    settings=(),
    defaults={"learning_rate": 1e-4},
    source="the yardstick",
    size=_size,
    build=_build,
    save=_save,
    loader=LOADER,
)
