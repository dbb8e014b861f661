"""The methods that can be trained, by the name that `TrainSettings.method` gives; one file each."""

from typing import Any

from demo.checks import chosen
from demo.methods.method import OWN_SETTINGS, Method
from demo.methods.tuning.adalora import ADALORA
from demo.methods.tuning.bottleneck import BOTTLENECK
from demo.methods.tuning.full import FULL
from demo.methods.tuning.head import HEAD
from demo.methods.tuning.ia3 import IA3
from demo.methods.tuning.layer_norm import LAYER_NORM
from demo.methods.tuning.low_rank import DORA, LORA, QLORA, RSLORA
from demo.methods.tuning.sparse import SHIRA
from demo.methods.tuning.virtual_tokens import P_TUNING, PREFIX, PROMPT
from demo.run_records import TrainSettings

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        LORA,
        QLORA,
        DORA,
        ADALORA,
        RSLORA,
        PROMPT,
        PREFIX,
        P_TUNING,
        IA3,
        LAYER_NORM,
        SHIRA,
        BOTTLENECK,
        HEAD,
        FULL,
    )
}


def method_of(name: str) -> Method:
    """A method by its name. Raises `BadInput` with the names that there are."""
    return METHODS[chosen("method", name, tuple(METHODS))]


def good_settings(method: str, **given: Any) -> TrainSettings:
    """A method's own good settings, and what was given in place of them. Raises `BadInput`."""
    return TrainSettings(**{**method_of(method).defaults, **given, "method": method})


def own_settings(method: Method) -> dict[str, Any]:
    """What changes where a method is chosen: its name, its own good settings, and those of no other."""
    start = {name: getattr(TrainSettings(), name) for name in (*OWN_SETTINGS, "learning_rate")}
    return start | dict(method.defaults) | {"method": method.name}
