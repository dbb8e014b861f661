"""A classifier head: the model stays as it is, and a linear layer learns to choose among labels.

It looks at the last hidden state of the prompt, as a classifier on a frozen encoder does. Does not
know where the labels come from, nor how the head is served.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from demo.methods.facts import BaseFacts
from demo.methods.method import Label, Method, Work
from demo.methods.readers.head import BIAS, WEIGHT
from demo.methods.readers.head import HEAD as READER
from demo.methods.tuning.peft_models import size_of
from demo.workspace import write_json

NAME = "label_head"
"""Under which it stands in the model while it learns."""

LOADER = """\
import json
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer, model = AutoTokenizer.from_pretrained(base), AutoModelForCausalLM.from_pretrained(base)
labels = json.load(open(f"{folder}/adapter_config.json"))["labels"]
head = load_file(f"{folder}/adapter_model.safetensors")


def classify(question):
    chat = [{"role": "user", "content": question}]
    inputs = tokenizer.apply_chat_template(
        chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    hidden = model.model(**inputs).last_hidden_state[0, -1]
    return dict(zip(labels, (head["head.weight"] @ hidden + head["head.bias"]).softmax(-1).tolist()))"""


class LabelHeadLayer(nn.Linear):
    """A linear layer that knows the labels of its outputs. Zeros at first: every label is as likely."""

    def __init__(self, width: int, labels: tuple[Label, ...], device: Any) -> None:
        super().__init__(width, len(labels), device=device)
        self.labels = labels
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)


def head_of(model: Any) -> LabelHeadLayer | None:
    """The head that `build` put into a model, if it did."""
    found = getattr(model, NAME, None)
    return found if isinstance(found, LabelHeadLayer) else None


@torch.no_grad()
def last_hidden(model: Any, ids: Tensor, mask: Tensor) -> Tensor:
    """Hidden states [rows, width] of each row's last token, in fp32; rows are padded on the right."""
    hidden = model.get_decoder()(input_ids=ids, attention_mask=mask).last_hidden_state
    rows = torch.arange(len(ids), device=ids.device)
    found: Tensor = hidden[rows, mask.sum(1) - 1].float()
    return found


def _values(_facts: BaseFacts, work: Work) -> dict[str, Any]:
    return {
        "labels": [label.text for label in work.labels],
        "label_ids": [list(label.ids) for label in work.labels],
    }


def _build(model: PreTrainedModel, work: Work) -> Any:
    width = model.config.get_text_config().hidden_size
    model.add_module(NAME, LabelHeadLayer(width, work.labels, model.device))
    return model


def _save(model: PreTrainedModel, folder: Path, base: str) -> None:
    head = head_of(model)
    assert head is not None
    tensors = {WEIGHT: head.weight, BIAS: head.bias}
    saved = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(saved, folder / "adapter_model.safetensors", {"format": "pt"})
    config = {
        "labels": [label.text for label in head.labels],
        "label_ids": [list(label.ids) for label in head.labels],
        "base_model_name_or_path": base,
    }
    write_json(folder / "adapter_config.json", {"peft_type": "HEAD", **config})


HEAD = Method(
    name="head",
    title="Classifier head",
    view="function",
    family="additive",
    touches=frozenset({"head"}),
    settings=(),
    defaults={"learning_rate": 1e-2},
    source="Howard & Ruder 2018, frozen",
    size=size_of(READER, _values),
    build=_build,
    save=_save,
    objective="labels",
    loader=LOADER,
)
