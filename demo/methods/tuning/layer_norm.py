"""LayerNorm tuning (Zhao et al. 2023): the norms' own weights are trained, and nothing else.

Does not know how they are read back or served.
"""

from typing import Any

from peft import LNTuningConfig
from transformers import PreTrainedModel

from demo.methods.facts import BaseFacts
from demo.methods.method import Method, Work
from demo.methods.readers.layer_norm import LAYER_NORM as READER
from demo.methods.tuning.peft_models import own_facts, save, size_of, wrap


def _values(facts: BaseFacts, _work: Work) -> dict[str, Any]:
    return {"target_modules": sorted({name.rpartition(".")[2] for name in facts.norms})}


def _build(model: PreTrainedModel, work: Work) -> Any:
    return wrap(LNTuningConfig, model, _values(own_facts(model), work))


LAYER_NORM = Method(
    name="layer_norm",
    title="LayerNorm tuning",
    view="function",
    family="selective",
    touches=frozenset({"norms"}),
    settings=(),
    defaults={"learning_rate": 1e-2},
    source="Zhao et al. 2023",
    size=size_of(READER, _values),
    build=_build,
    save=save,
)
