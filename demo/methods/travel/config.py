"""A checked config is written anew: only values that this lab understands, by the method's own table.

A name that matches nothing in the base model, a default of some other version of PEFT or a text that
was never looked at does not travel on. Does not read files.
"""

from collections.abc import Callable, Mapping
from typing import Any

from demo.methods import METHODS
from demo.methods.facts import BaseFacts
from demo.methods.readers.saved import Config, Refused, Shapes, names
from demo.methods.reading import reader_of

MOST_ALPHA = 16
"""Times the rank: what is usual is 1 or 2, and far more makes noise of every answer."""
MOST_NAMES = 4096
LONGEST_NAME = 200
PLAIN = {"bias": "none", "fan_in_fan_out": False, "init_lora_weights": True, "lora_dropout": 0.0}
SCHEDULE = {"tinit": 0, "tfinal": 0, "deltaT": 1, "total_step": 1}
"""AdaLoRA's budget has been spent; PEFT only asks that these make sense."""
VIRTUAL = ("num_virtual_tokens", "token_dim", "num_layers")

Table = Callable[[Config, BaseFacts], dict[str, Any]]


def checked_shapes(config: Any, facts: BaseFacts) -> Shapes:
    """What a config from elsewhere announces, once it is within the bounds of its reader and of imports.

    Raises:
        Refused: it is not.
    """
    reader = reader_of(config)
    _bound_names(config)
    shapes = reader.shapes(config, facts)
    rank = config.get("init_r") if config["peft_type"] == "ADALORA" else config.get("r")
    alpha = config.get("lora_alpha")
    if config["peft_type"] in ("LORA", "ADALORA") and alpha > MOST_ALPHA * rank:
        raise Refused(f"its lora_alpha is more than {MOST_ALPHA} times its rank")
    return shapes


def own_config(config: Config, facts: BaseFacts, base: str) -> dict[str, Any]:
    """The config as this lab writes it.

    Args:
        config: that `checked_shapes` has passed.
        facts: of the base model.
        base: the base's model id.
    """
    kind = config["peft_type"]
    own = {"peft_type": kind, "base_model_name_or_path": base, **TABLES[kind](config, facts)}
    if kind in ("BOTTLENECK", "HEAD", "FULL"):
        return own
    return {"task_type": "CAUSAL_LM", "inference_mode": True, **own}


def method_of_config(config: Config) -> str:
    """The method's name in `METHODS`; a QLoRA is a LoRA once it has learned."""
    if config["peft_type"] == "LORA":
        if config.get("use_dora"):
            return "dora"
        return "rslora" if config.get("use_rslora") else "lora"
    return NAMES[config["peft_type"]]


def size_of_config(config: Config) -> str:
    """The method's title with the number that gives it its size, as in "LoRA r=8"."""
    title = METHODS[method_of_config(config)].title
    sizes = (("r", "r"), ("init_r", "r"), ("num_virtual_tokens", "n"), ("width", "w"))
    found = [f"{sign}={config[name]}" for name, sign in sizes if name in config]
    return " ".join([title, *found[:1]])


def _bound_names(config: Config) -> None:
    for name in ("target_modules", "feedforward_modules", "parameters", "labels"):
        value = config.get(name)
        if not isinstance(value, list):
            continue
        texts = [item for item in value if isinstance(item, str)]
        if len(value) > MOST_NAMES or any(len(text) > LONGEST_NAME for text in texts):
            raise Refused(f"its {name} has more or longer names than any model needs")


def _meant(config: Config, name: str, among: Mapping[str, Any]) -> list[str]:
    """The names of a list that mean something in the base model, each once."""
    wanted = dict.fromkeys(names(config, name))
    return sorted(n for n in wanted if any(m == n or m.endswith(f".{n}") for m in among))


def _low_rank(config: Config, facts: BaseFacts) -> dict[str, Any]:
    return {
        "r": config["r"],
        "lora_alpha": config["lora_alpha"],
        "use_rslora": config.get("use_rslora", False),
        "use_dora": config.get("use_dora", False),
        "target_modules": _meant(config, "target_modules", facts.layers),
        **PLAIN,
    }


def _adalora(config: Config, facts: BaseFacts) -> dict[str, Any]:
    return {
        "init_r": config["init_r"],
        "target_r": config["init_r"],
        "lora_alpha": config["lora_alpha"],
        "rank_pattern": config.get("rank_pattern") or None,
        "target_modules": _meant(config, "target_modules", facts.layers),
        **SCHEDULE,
        **PLAIN,
    }


def _ia3(config: Config, facts: BaseFacts) -> dict[str, Any]:
    # Matched by the last characters of a name, as PEFT and the reader do.
    forward = dict.fromkeys(names(config, "feedforward_modules"))
    return {
        "target_modules": _meant(config, "target_modules", facts.layers),
        "feedforward_modules": sorted(
            n for n in forward if any(m.endswith(n) for m in facts.layers)
        ),
    }


def _virtual(config: Config, _facts: BaseFacts) -> dict[str, Any]:
    own = {name: config[name] for name in VIRTUAL} | {"num_transformer_submodules": 1}
    if config["peft_type"] == "PREFIX_TUNING":
        own["num_attention_heads"] = config["num_attention_heads"]
    return own


def _labels(config: Config, _facts: BaseFacts) -> dict[str, Any]:
    labels = config["labels"]
    if not all(isinstance(text, str) and text.isprintable() for text in labels):
        raise Refused("its labels must be texts of one line")
    return {"labels": list(labels), "label_ids": [list(ids) for ids in config["label_ids"]]}


TABLES: dict[str, Table] = {
    "LORA": _low_rank,
    "ADALORA": _adalora,
    "IA3": _ia3,
    "LN_TUNING": lambda c, facts: {"target_modules": _meant(c, "target_modules", facts.norms)},
    "PREFIX_TUNING": _virtual,
    "PROMPT_TUNING": _virtual,
    "P_TUNING": _virtual,
    "SHIRA": lambda c, facts: {
        "r": c["r"],
        "target_modules": _meant(c, "target_modules", facts.layers),
    },
    "BOTTLENECK": lambda c, facts: {
        "width": c["width"],
        "target_modules": _meant(c, "target_modules", facts.layers),
    },
    "HEAD": _labels,
    "FULL": lambda c, _: {"parameters": c.get("parameters")},
}
"""By the `peft_type` of the config, like `READERS`."""

NAMES = {
    "ADALORA": "adalora",
    "IA3": "ia3",
    "LN_TUNING": "layer_norm",
    "PREFIX_TUNING": "prefix",
    "PROMPT_TUNING": "prompt",
    "P_TUNING": "p_tuning",
    "SHIRA": "shira",
    "BOTTLENECK": "bottleneck",
    "HEAD": "head",
    "FULL": "full",
}
