"""SHiRA (Bhardwaj et al. 2024): few single weights of each matrix are trained, drawn at random.

As many of them as a LoRA of the same rank would have numbers; the change is of high rank all the
same. Does not know how it is read back or served.
"""

from typing import Any

import torch
from peft import ShiraConfig
from transformers import PreTrainedModel

from demo.methods.facts import BaseFacts
from demo.methods.method import Method, Work
from demo.methods.readers.sparse import SHIRA as READER
from demo.methods.tuning.peft_models import layer_kinds, own_facts, save, size_of, wrap

PLACES_SEED = 0
"""The same places in every run, so that one run can go on with another's weights."""


def _values(facts: BaseFacts, work: Work) -> dict[str, Any]:
    return {
        "r": work.settings.rank,
        "target_modules": layer_kinds(facts),
        "random_seed": PLACES_SEED,
    }


def _build(model: PreTrainedModel, work: Work) -> Any:
    # PEFT makes a sparse tensor in every layer and step; its places are right by construction.
    torch.sparse.check_sparse_tensor_invariants.disable()  # type: ignore[no-untyped-call]
    return wrap(ShiraConfig, model, _values(own_facts(model), work))


SHIRA = Method(
    name="shira",
    title="SHiRA",
    view="parameters",
    family="selective",
    touches=frozenset({"attention", "feed_forward"}),
    settings=("rank",),
    defaults={"learning_rate": 1e-2, "rank": 8},
    source="Bhardwaj et al. 2024",
    size=size_of(READER, _values),
    build=_build,
    save=save,
)
