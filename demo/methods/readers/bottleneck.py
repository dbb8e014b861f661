"""Reads bottleneck adapters (Houlsby et al. 2019) after attention and feed-forward. The format is the lab's own.

`adapter_config.json` says `{"peft_type": "BOTTLENECK", "width": numbers, "target_modules": [layers]}`;
the file holds two small layers, `down` and `up`, for every target. Does not know training.
"""

from demo.methods.adaptation import Adaptation, Bottleneck
from demo.methods.facts import BaseFacts
from demo.methods.readers.saved import (
    PREFIX,
    Config,
    Reader,
    Refused,
    Saved,
    Shapes,
    names,
    targets,
    whole,
)

WIDEST = 1024
PLACES = {"o_proj", "down_proj"}
"""The last layers of attention and of the feed-forward: what comes out of them goes to the residual."""
PARTS = ("down.weight", "down.bias", "up.weight", "up.bias")


def _shapes(config: Config, facts: BaseFacts) -> Shapes:
    width = whole(config, "width", 1, WIDEST)
    if not {name.rpartition(".")[2] for name in names(config, "target_modules")} <= PLACES:
        raise Refused("its target_modules may only be o_proj and down_proj")
    shapes: Shapes = {}
    for name in targets(config, facts.layers):
        outputs = facts.layers[name][1]
        sizes = ((width, outputs), (width,), (outputs, width), (outputs,))
        shapes |= {f"{PREFIX}{name}.{part}": size for part, size in zip(PARTS, sizes, strict=True)}
    return shapes


def _adapt(saved: Saved) -> Adaptation:
    return Adaptation(
        saved.key,
        bottlenecks={
            name: Bottleneck(*(saved.tensors[f"{PREFIX}{name}.{part}"] for part in PARTS))
            for name in targets(saved.config, saved.facts.layers)
        },
    )


BOTTLENECK = Reader(known=frozenset({"width", "target_modules"}), shapes=_shapes, adapt=_adapt)
