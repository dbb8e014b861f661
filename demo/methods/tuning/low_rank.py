"""LoRA and its kin: each linear layer gets a trained update of low rank, B A x times a scale.

LoRA (Hu et al. 2021) scales by alpha / rank, rsLoRA (Kalajdzievski 2023) by alpha / sqrt(rank);
QLoRA (Dettmers et al. 2023) learns beside a base in 4-bit NormalFloat; DoRA (Liu et al. 2024) gives
each output a trained length as well. Does not know how the update is read back or served.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from peft import LoraConfig
from transformers import PreTrainedModel

from demo.methods.facts import BaseFacts
from demo.methods.method import Method, Work
from demo.methods.readers.low_rank import LORA as READER
from demo.methods.tuning.peft_models import layer_kinds, own_facts, save, size_of, wrap


def _values(facts: BaseFacts, work: Work, **switches: bool) -> dict[str, Any]:
    return {
        "r": work.settings.rank,
        "lora_alpha": work.settings.alpha,
        "lora_dropout": work.settings.dropout,
        "target_modules": layer_kinds(facts),
        **switches,
    }


def _method(
    name: str, title: str, source: str, defaults: Mapping[str, Any], **switches: bool
) -> Method:
    """LoRA with some of its switches on."""

    def values(facts: BaseFacts, work: Work) -> dict[str, Any]:
        return _values(facts, work, **switches)

    def build(model: PreTrainedModel, work: Work) -> Any:
        return wrap(LoraConfig, model, values(own_facts(model), work))

    return Method(
        name=name,
        title=title,
        view="parameters",
        family="reparameterized",
        touches=frozenset({"attention", "feed_forward"}),
        settings=("rank", "alpha", "dropout"),
        defaults=defaults,
        source=source,
        size=size_of(READER, values),
        build=build,
        save=save,
    )


GOOD = {"learning_rate": 2e-3, "rank": 8, "alpha": 16}

LORA = _method("lora", "LoRA", "Hu et al. 2021", GOOD)
QLORA = replace(
    _method("qlora", "QLoRA", "Dettmers et al. 2023", GOOD),
    base_precision="nf4",
)
DORA = _method("dora", "DoRA", "Liu et al. 2024", GOOD, use_dora=True)
RSLORA = _method(
    "rslora",
    "rsLoRA",
    "Kalajdzievski 2023",
    # Its scale is larger by the square root of the rank.
    {**GOOD, "learning_rate": 1e-3},
    use_rslora=True,
)
