"""What the methods of the PEFT library share: building from a config, saving, and the size of the file.

Does not know any of their configs.
"""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from peft import PeftConfig, PeftModel, get_peft_model
from torch import Tensor
from transformers import PreTrainedModel

from demo.errors import BadInput
from demo.methods.facts import BaseFacts, facts_of
from demo.methods.file_size import count, file_bytes
from demo.methods.method import AdapterSize, Work
from demo.methods.readers.saved import Reader, Refused
from demo.workspace import read_json, write_json

Values = Callable[[BaseFacts, Work], dict[str, Any]]
"""What an adapter's config says, from the base and the run."""


def layer_kinds(facts: BaseFacts) -> list[str]:
    """The last parts of all linear layers' names: what PEFT calls targets."""
    return sorted({name.rpartition(".")[2] for name in facts.layers})


def wrap(kind: Callable[..., PeftConfig], model: PreTrainedModel, values: Mapping[str, Any]) -> Any:
    """The base with a fresh adapter in it; only the adapter's weights are trainable."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PEFT wonders at norms as targets.
        adapted = get_peft_model(model, kind(task_type="CAUSAL_LM", **values))
    assert isinstance(adapted, PeftModel)
    return adapted


def own_facts(model: PreTrainedModel) -> BaseFacts:
    """The facts of a model in memory, whose weights nobody will ask for."""
    nothing: dict[str, Tensor] = {}
    return facts_of(model, nothing.__getitem__)


def size_of(reader: Reader, values: Values) -> Callable[[BaseFacts, Work], AdapterSize]:
    """The size of what a reader announces for a config; every tensor in it was trained.

    It raises `BadInput` where the method finds nothing to train in a base, or has no room for it.
    """

    def size(facts: BaseFacts, work: Work) -> AdapterSize:
        try:
            shapes = reader.shapes(values(facts, work), facts)
        except Refused as refusal:
            raise BadInput("method_not_here", problem=str(refusal)) from refusal
        trained = {
            name: shape
            for name, shape in shapes.items()
            if not (reader.whole and name.endswith(reader.whole))
        }
        return AdapterSize(count(trained), file_bytes(shapes, reader.whole))

    return size


def save(model: PeftModel, folder: Path, base: str) -> None:
    """Write an adapter's config and tensors.

    Args:
        model: the trained adapter on its base.
        folder: an existing folder.
        base: the base's model id; a local path would mean nothing on another machine.
    """
    # "auto" would ask a hub whether the vocabulary grew.
    model.save_pretrained(str(folder), save_embedding_layers=False)
    path = folder / "adapter_config.json"
    config = {**read_json(path), "base_model_name_or_path": base}
    for name in ("target_modules", "feedforward_modules"):
        if isinstance(
            config.get(name), list
        ):  # PEFT writes a set, in an order of its own each time.
            config[name] = sorted(config[name])
    write_json(path, config)
