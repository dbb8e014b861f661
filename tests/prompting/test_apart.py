"""A file is taken apart only where putting it together again gives the same text."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from demo.errors import BadInput
from demo.prompting.apart import chain_of, frame_of, parts_of, shots_of
from demo.prompting.files import PromptFile, read_prompt
from demo.prompting.frame import STEPS, Frame, Parts, render
from demo.prompting.shots import MOST_SHOTS, Shot
from demo.records import Message

FILE = PromptFile(
    "own", "T", "Talk", "few-shot", "One.", (Message("user", "$input"),), MappingProxyType({})
)
HEAD = "title: T\ntask: Sums\ntechnique: few-shot\nteaches: Adding.\n"
TOLD = """instruction: Add, $$1 each.
shots:
- input: 1 + 1
  output: 2
- input: |-
    two
    lines
  output: $3
"""


def read(head: str, body: str = "## user\nSum: $input\n") -> PromptFile:
    return read_prompt("sums.md", f"---\n{HEAD}{head}---\n{body}".encode())


@pytest.mark.parametrize(
    "text",
    [
        "Say.\n\nQ: a\nA: b\n\nA remark between.\n\nQ: c\nA: d\n\nQ: $input\nA:",
        "Q: a\nA:  two spaces\n\nQ: $input\nA:",
        "a => b \nc => d\n$input =>",
        "a\n\n\nQ: $input\nA:",
        "Q: a\nA: b\n\n\nQ: $input\nA:",
        "About $input.\n\nTL;DR:",
        "$input and $input =>",
    ],
)
def test_completion_put_together_again_is_the_same_text(text: str) -> None:
    file = replace(FILE, sections=(Message("user", text),), format="completion")
    parts = parts_of(file)
    assert render(parts.frame, parts.shots, "x", parts.chain) == file.messages({"input": "x"})


def test_examples_after_a_remark_are_shots_and_those_before_it_stay() -> None:
    text = "Q: a\nA: b\n\nA remark.\n\nQ: c\nA: d\n\nQ: $input\nA:"
    file = replace(FILE, sections=(Message("user", text),), format="completion")
    assert shots_of(file) == (Shot("c", "d"),)
    assert frame_of(file).instruction == "Q: a\nA: b\n\nA remark."


def test_more_examples_than_there_may_be_shots_stay_text() -> None:
    lines = "".join(f"{n} => {n}\n" for n in range(MOST_SHOTS + 1))
    file = replace(FILE, sections=(Message("user", f"{lines}$input =>"),), format="completion")
    assert shots_of(file) == ()
    assert render(frame_of(file), (), "x") == file.messages({"input": "x"})


def test_question_may_stand_in_the_system_prompt_alone() -> None:
    file = replace(FILE, sections=(Message("system", "About $input."), Message("user", "Go.")))
    assert render(frame_of(file), (), "x") == file.messages({"input": "x"})
    assert shots_of(file) == ()


def test_bare_result_without_steps_stays_as_it_is_written() -> None:
    sections = (Message("user", "1 + 1"), Message("assistant", "#### 2"), Message("user", "$input"))
    file = replace(FILE, sections=sections)
    parts = parts_of(file)
    assert render(parts.frame, parts.shots, "x", parts.chain) == file.messages({"input": "x"})


def test_shots_that_a_file_tells_stand_around_its_last_section() -> None:
    file = read(TOLD)
    assert file.messages({"input": "x"}) == (
        Message("user", "Add, $1 each.\n\nSum: 1 + 1"),
        Message("assistant", "2"),
        Message("user", "Sum: two\nlines"),
        Message("assistant", "$3"),
        Message("user", "Sum: x"),
    )
    frame = Frame("Sum: $input", "Add, $$1 each.")
    assert parts_of(file) == Parts(frame, (Shot("1 + 1", "2"), Shot("two\nlines", "$3")))
    assert file.shots == 2


def test_told_shots_of_a_completion_are_parted_as_it_says() -> None:
    file = read("format: completion\nbetween: empty line\n" + TOLD, "## user\nQ: $input\nA:\n")
    (message,) = file.messages({"input": "x"})
    shots = "Q: 1 + 1\nA: 2\n\nQ: two\nlines\nA: $3"
    assert message.content == f"Add, $1 each.\n\n{shots}\n\nQ: x\nA:"


def test_told_chain_and_other_variables_are_kept() -> None:
    head = "defaults:\n  who: a $x\nchain: steps\n" + TOLD
    file = read(head, "## system\nYou are $who.\n\n## user\n$who: $input\n")
    assert chain_of(file) == "steps"
    assert file.variables == ("who", "input")
    rendered = render(frame_of(file), shots_of(file), "x", "steps")
    assert rendered == file.messages({"input": "x"})
    assert rendered[-1].content == f"a $x: x\n\n{STEPS}"


def test_turns_of_a_file_that_tells_its_shots_stay_in_front() -> None:
    body = "## user\nHello.\n\n## assistant\nHi.\n\n## user\n$input\n"
    file = read("shots:\n- {input: a, output: b}\n", body)
    assert [m.content for m in file.messages({"input": "x"})] == ["Hello.", "Hi.", "a", "b", "x"]
    assert shots_of(file) == (Shot("a", "b"),)


@pytest.mark.parametrize(
    ("head", "body", "problem"),
    [
        ("chain: worked\n", "## user\n$input", "the field chain goes with the field shots"),
        ("shots: 3\n", "## user\n$input", "must be a list of 32 at most"),
        ("shots: [" + "{input: a, output: b}," * 33 + "]\n", "## user\n$input", "32 at most"),
        ("shots: [a => b]\n", "## user\n$input", "shot 1 must have an input and an output"),
        ("shots: [{input: a}]\n", "## user\n$input", "shot 1 must have an input and an output"),
        ("shots: [{input: a, output: ' '}]\n", "## user\n$input", "the output of shot 1 must be"),
        ("shots: [{input: a, output: [b]}]\n", "## user\n$input", "nested too deeply"),
        ("shots: []\nchain: long\n", "## user\n$input", "chain 'long' is unknown"),
        ("shots: []\nbetween: '|'\n", "## user\n$input", r"between '\|' is unknown"),
        ("shots: []\ninstruction: $5\n", "## user\n$input", r"stray \$ in the field instruction"),
        ("shots: []\n", "## system\n$input\n\n## user\nGo.", r"last section must hold \$input"),
        (
            "chain: worked\nshots: [{input: a, output: b}]\n",
            "## user\n$input",
            "chain worked needs a shot whose output shows its steps",
        ),
    ],
)
def test_told_shots_that_break_a_rule_are_refused_with_the_place(
    head: str, body: str, problem: str
) -> None:
    with pytest.raises(BadInput, match=r"^sums\.md: .*" + problem):
        read(head, body)
