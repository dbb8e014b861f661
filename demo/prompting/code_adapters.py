"""The lines of "Show me the code" that put adapters on a base model: whole, at a strength, or as a sum.

Each way is exact for its methods: what an adapter adds is a difference to the base, so strengths
multiply it and two of them add up. Writes text and runs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

FULL = "FULL"
"""Full tuning is the lab's own format: whole weights under the base model's own names."""
BOTTLENECK, HEAD = "BOTTLENECK", "HEAD"
"""Two more formats of the lab's own."""
ADDABLE = "LORA"
"""The method whose sums PEFT itself makes exactly: low-rank matrices side by side."""


@dataclass(frozen=True)
class Worn:
    """An adapter at a strength."""

    folder: str
    strength: float
    method: str
    """PEFT's name of the method; `DORA` for a LoRA that also scales."""
    note: str = ""
    """Where the folder comes from."""


def adapter_imports(worn: Sequence[Worn]) -> tuple[list[str], list[str]]:
    """Imports from the standard library, and others."""
    own = (FULL, BOTTLENECK, HEAD)
    others = ["from peft import PeftModel"] if any(w.method not in own for w in worn) else []
    if any(w.method in own for w in worn):
        others += ["from safetensors.torch import load_file"]
    standard = ["import json"] if any(w.method == HEAD for w in worn) else []
    return [*standard, *(["from copy import deepcopy"] if _mixed(_weighed(worn)) else [])], others


def adapter_lines(worn: Sequence[Worn]) -> list[str]:
    """The lines after which `model` answers with these adapters."""
    notes = [f"# {w.folder}: {w.note}" for w in worn if w.note]
    weighed = _weighed(worn)
    if not weighed:
        return notes
    if _mixed(weighed):
        return [*notes, *_differences(weighed)]
    if len(weighed) == 1 and weighed[0].strength == 1:
        return [*notes, _whole(weighed[0])]
    return [*notes, *_side_by_side(weighed)]


def is_wrapped(worn: Sequence[Worn]) -> bool:
    """Whether `model` is PEFT's after these lines."""
    weighed = _weighed(worn)
    return bool(weighed) and not _mixed(weighed) and weighed[0].method != FULL


def _weighed(worn: Sequence[Worn]) -> list[Worn]:
    """Those that change weights, or what stands before the prompt."""
    return [w for w in worn if w.method not in (BOTTLENECK, HEAD)]


def _mixed(worn: Sequence[Worn]) -> bool:
    """Whether the sum has to be made from the weights themselves."""
    whole = len(worn) == 1 and worn[0].strength == 1
    return bool(worn) and not whole and any(w.method != ADDABLE for w in worn)


def _whole(worn: Worn) -> str:
    if worn.method == FULL:
        file = f"{worn.folder}/adapter_model.safetensors"
        return f"model.load_state_dict(load_file({quoted(file)}), strict=False)"
    return f"model = PeftModel.from_pretrained(model, {quoted(worn.folder)})"


def _side_by_side(worn: Sequence[Worn]) -> list[str]:
    names = [f"adapter_{n}" for n in range(1, len(worn) + 1)]
    first, *others = zip(names, worn, strict=True)
    strengths = [w.strength for w in worn]
    return [
        f"model = PeftModel.from_pretrained(model, {quoted(first[1].folder)}, adapter_name={quoted(first[0])})",
        *(
            f"model.load_adapter({quoted(w.folder)}, adapter_name={quoted(name)})"
            for name, w in others
        ),
        "# Their matrices stand side by side, each times its strength: the exact sum.",
        f'model.add_weighted_adapter([{", ".join(map(quoted, names))}], {strengths}, "blend", combination_type="cat")',
        'model.set_adapter("blend")',
    ]


def _differences(worn: Sequence[Worn]) -> list[str]:
    lines = ["base = deepcopy(model)"]
    for one in worn:
        adapted = (
            f"load_file({quoted(one.folder + '/adapter_model.safetensors')})"
            if one.method == FULL
            else f"PeftModel.from_pretrained(deepcopy(base), {quoted(one.folder)}).merge_and_unload().state_dict()"
        )
        lines += [
            f"adapted = {adapted}",
            "with torch.no_grad():",
            "    for name, weight in base.named_parameters():",
            "        if name in adapted:",
            f"            model.get_parameter(name).add_({one.strength!r} * (adapted[name] - weight))",
        ]
    return lines


def quoted(text: str) -> str:
    """A Python literal on one line, in double quotes where that needs no escape."""
    plain = repr(text)
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in text else plain
