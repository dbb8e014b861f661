"""IA3 (Liu et al. 2022): a trained factor for every key, value and inner number of the feed-forward.

Does not know how the factors are read back or served.
"""

from typing import Any

from peft import IA3Config
from transformers import PreTrainedModel

from demo.methods.facts import BaseFacts
from demo.methods.method import Method, Work
from demo.methods.readers.ia3 import IA3 as READER
from demo.methods.tuning.peft_models import own_facts, save, size_of, wrap

TARGETS = ["down_proj", "k_proj", "v_proj"]
INPUTS = ["down_proj"]
"""Whose inputs are scaled, not outputs."""


def _values(_facts: BaseFacts, _work: Work) -> dict[str, Any]:
    return {"target_modules": TARGETS, "feedforward_modules": INPUTS}


def _build(model: PreTrainedModel, work: Work) -> Any:
    return wrap(IA3Config, model, _values(own_facts(model), work))


IA3 = Method(
    name="ia3",
    title="IA3",
    view="function",
    family="additive",
    touches=frozenset({"keys_values", "feed_forward"}),
    settings=(),
    defaults={"learning_rate": 5e-2},
    source="Liu et al. 2022",
    size=size_of(READER, _values),
    build=_build,
    save=save,
)
