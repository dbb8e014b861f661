"""Show me the code: a question on the screen as the few lines of transformers and PEFT that ask it.

Writes text and runs nothing. What visitors typed stands in it as Python literals only. Knows no model:
what is loaded, and from where, it is told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from demo.prompting.code_adapters import (
    BOTTLENECK,
    HEAD,
    Worn,
    adapter_imports,
    adapter_lines,
    is_wrapped,
    quoted,
)
from demo.prompting.code_own import bottleneck_lines, head_lines
from demo.records import AnswerRequest, Sampling

WIDTH = 96
"""Of a line; longer texts are broken at their own line ends alone, or after so many characters."""


@dataclass(frozen=True)
class Loaded:
    """The base model as plain transformers would load it."""

    source: str
    """A hub id, the name of a folder, or the Python package that carries `gguf`."""
    note: str
    """Where the source is found, as a comment."""
    ends: tuple[int, ...]
    """Token ids that end an answer."""
    revision: str = ""
    gguf: str = ""
    """The file inside the package."""
    precision: str = "fp32"
    """In which numbers the lab answers."""
    device: str = "cpu"
    thinks: bool = False
    """Its chat template can be asked not to think aloud."""
    template: str = ""
    """A chat template for a tokenizer that has none."""


def code(
    request: AnswerRequest,
    turns: Sequence[Mapping[str, str]],
    loaded: Loaded,
    worn: Sequence[Worn] = (),
) -> str:
    """The lines that answer a request as the lab does.

    Args:
        request: the question.
        turns: its messages as the chat template takes them; not looked at for a completion.
        loaded: the base model.
        worn: the adapters that answer, none for the base.
    """
    prompt = _completion(request) if request.completion else _chat(turns, loaded)
    narrow = [w for w in worn if w.method == BOTTLENECK]
    heads = [w for w in worn if w.method == HEAD]
    said = [
        "answer = output[0, ids.shape[1] :]",
        "print(tokenizer.decode(answer, skip_special_tokens=True))",
    ]
    blocks = [
        _imports(loaded, worn),
        _base(loaded),
        adapter_lines(worn),
        bottleneck_lines(narrow, wrapped=is_wrapped(worn)),
        [*prompt, *_begun(request.begun), *_moved(loaded)],
        *([head_lines(heads[0], request.sampling)] if heads else [_generate(request.sampling), said]),
    ]  # fmt: skip
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def base_code(loaded: Loaded) -> tuple[str, str]:
    """Imports, and the lines after which `model` and `tokenizer` stand for the base model."""
    return "\n".join(_imports(loaded, ())), "\n".join(_base(loaded))


def _imports(loaded: Loaded, worn: Sequence[Worn]) -> list[str]:
    names = ["AutoModelForCausalLM", "AutoTokenizer", "GenerationConfig"]
    names += ["BitsAndBytesConfig"] if loaded.precision == "nf4" or _eight_bit(loaded) else []
    standard, others = adapter_imports(worn)
    standard += ["from importlib.util import find_spec"] if loaded.gguf else []
    lines = [*standard, *([""] if standard else []), "import torch", *others]
    return [*lines, f"from transformers import {', '.join(sorted(names))}"]


def _base(loaded: Loaded) -> list[str]:
    where = "BASE"
    lines = [f"# {loaded.note}"]
    if loaded.gguf:
        lines += [
            f"BASE = find_spec({quoted(loaded.source)}).submodule_search_locations[0]",
            f"FILE = {quoted(loaded.gguf)}",
        ]
        where += ", gguf_file=FILE"
    else:
        lines += [f"BASE = {quoted(loaded.source)}"]
        where += f", revision={quoted(loaded.revision)}" if loaded.revision else ""
    lines += [f"tokenizer = AutoTokenizer.from_pretrained({where})"]
    if loaded.template:
        lines += [f"tokenizer.chat_template = {literal(loaded.template)}"]
    return [
        *lines,
        *_precision_note(loaded),
        f"model = AutoModelForCausalLM.from_pretrained({where}, {_numbers(loaded)})",
        "# Nothing but what is asked for below: a model's own file may bring other defaults.",
        f"model.generation_config = GenerationConfig(eos_token_id={list(loaded.ends)})",
    ]


def _eight_bit(loaded: Loaded) -> bool:
    return loaded.precision == "int8" and loaded.device == "cuda"


def _precision_note(loaded: Loaded) -> list[str]:
    if loaded.precision != "int8" or _eight_bit(loaded):
        return []
    return [
        "# The lab rounds these weights to 8 bits to be fast; in fp32 a token may now and then differ."
    ]


def _numbers(loaded: Loaded) -> str:
    """Arguments for the precision in which the lab answers, where plain transformers has it."""
    placed = ', device_map="cuda"' if loaded.device == "cuda" else ""
    if _eight_bit(loaded):
        config = "BitsAndBytesConfig(load_in_8bit=True)"
        return f"dtype=torch.float16, quantization_config={config}{placed}"
    if loaded.precision == "nf4":
        config = (
            'BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4",'
            " bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16)"
        )
        return f"dtype=torch.bfloat16, quantization_config={config}{placed}"
    return f"dtype=torch.{'bfloat16' if loaded.precision == 'bf16' else 'float32'}{placed}"


def _chat(turns: Sequence[Mapping[str, str]], loaded: Loaded) -> list[str]:
    thinking = ["    enable_thinking=False,"] if loaded.thinks else []
    return [
        "messages = [",
        *(
            f'    {{"role": {quoted(t["role"])}, "content": {literal(t["content"], 4)}}},'
            for t in turns
        ),
        "]",
        "ids = tokenizer.apply_chat_template(",
        "    messages,",
        "    add_generation_prompt=True,",
        "    sanitize_control_tokens=True,  # what was typed stays text",
        *thinking,
        '    return_tensors="pt",',
        "    return_dict=False,",
        ")",
    ]


def _completion(request: AnswerRequest) -> list[str]:
    split = "" if request.control else ", split_special_tokens=True"
    return [
        f"text = {literal(request.messages[-1].content)}",
        f'ids = tokenizer.encode(text{split}, return_tensors="pt")',
    ]


def _begun(begun: Sequence[int]) -> list[str]:
    if not begun:
        return []
    return [
        f"begun = torch.tensor([{list(begun)}])  # the answer goes on after these tokens",
        "ids = torch.cat([ids, begun], dim=1)",
    ]


def _moved(loaded: Loaded) -> list[str]:
    return ["ids = ids.to(model.device)"] if loaded.device != "cpu" else []


def _generate(sampling: Sampling) -> list[str]:
    chosen = list(_chosen(sampling))
    seeded = sampling.temperature > 0
    return [
        *(["# The same distribution as in the lab, but other dice: texts differ from seed to seed.",
           f"torch.manual_seed({sampling.seed})"] if seeded else []),
        "output = model.generate(",
        "    input_ids=ids,",
        "    attention_mask=torch.ones_like(ids),",
        f"    max_new_tokens={sampling.max_new_tokens},",
        *(f"    {argument}," for argument in chosen),
        ")",
    ]  # fmt: skip


def _chosen(sampling: Sampling) -> Iterable[str]:
    """The arguments in use; `top_k` always where tokens are drawn, because its default is 50."""
    drawn = sampling.temperature > 0
    yield f"do_sample={drawn}"
    if drawn:
        yield f"temperature={sampling.temperature!r}"
        yield f"top_k={sampling.top_k}"
        if sampling.top_p < 1:
            yield f"top_p={sampling.top_p!r}"
        if sampling.min_p > 0:
            yield f"min_p={sampling.min_p!r}"
    if sampling.repetition_penalty != 1:
        yield f"repetition_penalty={sampling.repetition_penalty!r}"


def literal(text: str, indent: int = 0) -> str:
    """A text as a Python literal; one of several lines or of many characters in several pieces.

    What cannot be seen, such as marks that turn the direction of writing, is written as an escape.
    """
    pieces = [
        line[at : at + WIDTH]
        for line in text.splitlines(keepends=True)
        for at in range(0, len(line), WIDTH)
    ]
    if len(pieces) < 2:
        return quoted(text)
    inner = " " * (indent + 4)
    lines = "\n".join(f"{inner}{quoted(piece)}" for piece in pieces)
    return f"(\n{lines}\n{' ' * indent})"
