from dataclasses import replace

import pytest
import yaml

from demo.errors import BadInput
from demo.prompting.files import PromptFile, read_prompt
from demo.prompting.library import PromptLibrary
from demo.prompting.markdown import write_prompt
from demo.records import Message
from demo.settings import ROOT

SHIPPED = PromptLibrary(ROOT / "prompts")
OWN = PromptFile("own", "T", "Talk", "zero-shot", "One.", (Message("user", "$input"),), {})


def again(prompt: PromptFile) -> PromptFile:
    return read_prompt(f"{prompt.name}.md", write_prompt(prompt).encode())


@pytest.mark.parametrize("prompt", SHIPPED.all(), ids=lambda prompt: prompt.name)
def test_shipped_prompt_written_and_read_again_is_equal(prompt: PromptFile) -> None:
    assert again(prompt) == prompt


@pytest.mark.parametrize(
    "text",
    ["no", "16", "2026-01-01", "a: b # c", "'\"", "- x\n  y\n\nz", "żółć 🦦", "\t|>", "&a *a"],
)
def test_any_text_survives_the_front_matter(text: str) -> None:
    prompt = replace(OWN, title=text, teaches=text, defaults={"input": text})
    assert again(prompt) == prompt


def test_spaces_and_line_ends_are_as_a_reader_has_them() -> None:
    prompt = replace(OWN, sections=(Message("user", "\r\n a\r\n$input \n"),))
    assert again(prompt).sections == (Message("user", "a\n$input"),)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"sections": (Message("user", "a\n## b\n$input"),)}, "begins with ##"),
        ({"sections": (Message("user", "costs $5 $input"),)}, r"a stray \$"),
        ({"sections": (Message("user", "nothing"),)}, r"\$input is missing"),
        ({"sections": (Message("user", "a"), Message("user", "$input"))}, "by turns"),
        ({"technique": "magic"}, "technique 'magic' is unknown"),
        ({"teaches": "  "}, "field teaches must be text"),
    ],
)
def test_prompt_that_breaks_a_rule_is_not_written(change: dict[str, object], problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        write_prompt(replace(OWN, **change))  # type: ignore[arg-type]


def test_front_matter_is_plain_yaml_for_every_reader() -> None:
    head = write_prompt(SHIPPED.get("sentiment-few-shot")).split("---\n")[1]
    assert yaml.safe_load(head)["answer"] == "label"
