"""The lines of "Show me the code" for adapters in the lab's own formats, which PEFT does not know.

Bottlenecks are hooks on the layers whose outputs go through them; a classifier head takes the place of
generating. Writes text and runs nothing.
"""

from collections.abc import Sequence

from demo.prompting.code_adapters import Worn, quoted
from demo.records import Sampling


def bottleneck_lines(worn: Sequence[Worn], *, wrapped: bool) -> list[str]:
    """The lines after which outputs go through bottlenecks; all of them look at the same ones.

    Args:
        worn: bottleneck adapters.
        wrapped: whether `model` is PEFT's by now, whose names begin as those in the file do.
    """
    if not worn:
        return []
    layer = "name" if wrapped else 'name.removeprefix("base_model.model.")'
    return [
        "bottlenecks = [",
        *(f"    (load_file({quoted(_weights(w))}), {w.strength!r})," for w in worn),
        "]",
        "",
        "",
        "def through(name):",
        "    def after(layer, inputs, y):",
        "        change = 0",
        "        for tensors, strength in bottlenecks:",
        '            parts = ("down.weight", "down.bias", "up.weight", "up.bias")',
        '            down, a, up, b = (tensors[f"{name}.{part}"].to(y) for part in parts)',
        "            change = change + strength * (torch.relu(y @ down.T + a) @ up.T + b)",
        "        return y + change",
        "",
        "    return after",
        "",
        "",
        "for key in bottlenecks[0][0]:",
        '    if key.endswith(".up.bias"):',
        '        name = key.removesuffix(".up.bias")',
        f"        model.get_submodule({layer}).register_forward_hook(through(name))",
    ]


def head_lines(worn: Worn, sampling: Sampling) -> list[str]:
    """The lines that choose a label, with `ids` of the prompt at hand."""
    drawn = sampling.temperature > 0
    weights = f"(scores / {sampling.temperature!r}).softmax(-1)"
    chosen = f"torch.multinomial({weights}, 1)" if drawn else "scores.argmax()"
    return [
        f"with open({quoted(worn.folder + '/adapter_config.json')}) as file:",
        '    labels = json.load(file)["labels"]',
        f"head = load_file({quoted(_weights(worn))})",
        "with torch.no_grad():",
        "    hidden = model.get_decoder()(ids).last_hidden_state[0, -1].float().cpu()",
        'scores = head["head.weight"] @ hidden + head["head.bias"]',
        "print(dict(zip(labels, scores.softmax(-1).tolist())))",
        *([f"torch.manual_seed({sampling.seed})"] if drawn else []),
        "# The lab spells the label token by token, so labels that begin alike are weighed together first.",
        f"print(labels[int({chosen})])",
    ]


def _weights(worn: Worn) -> str:
    return f"{worn.folder}/adapter_model.safetensors"
