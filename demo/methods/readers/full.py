"""Reads full tuning: whole parameters of the base model, trained. The format is the lab's own.

`adapter_config.json` says `{"peft_type": "FULL", "parameters": [names]}`, without `parameters`
where every parameter was trained; `adapter_model.safetensors` holds each of these under the base
model's own name and in its shape. Tensors that the base shares (a tied head) are there once. Does
not know training.
"""

from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts
from demo.methods.readers.saved import Config, Reader, Refused, Saved, Shapes, names


def _shapes(config: Config, facts: BaseFacts) -> Shapes:
    if config.get("parameters") is None:
        return dict(facts.parameters)
    wanted = names(config, "parameters")
    if not wanted or not set(wanted) <= set(facts.parameters):
        raise Refused("its parameters must be a list of names that the base model has")
    return {name: facts.parameters[name] for name in wanted}


def _adapt(saved: Saved) -> Adaptation:
    return Adaptation(
        saved.key,
        weights={
            name: trained - saved.facts.weight(name) for name, trained in saved.tensors.items()
        },
    )


FULL = Reader(known=frozenset({"parameters"}), shapes=_shapes, adapt=_adapt)
