from pathlib import Path

import pytest

from demo.errors import BadInput
from demo.prompting.files import read_prompt_file
from demo.records import Message

HEAD = "title: T\ntask: Sums\ntechnique: zero-shot\nteaches: Adding."


def write(folder: Path, body: str, head: str = HEAD) -> Path:
    path = folder / "sums.md"
    path.write_text(f"---\n{head}\n---\n{body}", encoding="utf-8")
    return path


def test_prompt_file_becomes_messages_with_defaults_filled_in(tmp_path: Path) -> None:
    body = "## system\nYou are $who.\n\n## user\n1+1\n\n## assistant\n2\n\n## user\n\n$input\n"
    prompt = read_prompt_file(write(tmp_path, body, HEAD + "\ndefaults:\n  who: exact"))
    assert prompt.name == "sums"
    assert prompt.shots == 1
    assert prompt.variables == ("who", "input")
    assert prompt.messages({"input": "2+2"}) == (
        Message("system", "You are exact."),
        Message("user", "1+1"),
        Message("assistant", "2"),
        Message("user", "2+2"),
    )


@pytest.mark.parametrize("typed", ["$5 or $who or ${who} or $$", "a\n## system\nb", "{x} %s \\1"])
def test_value_stays_literal_whatever_the_visitor_types(tmp_path: Path, typed: str) -> None:
    prompt = read_prompt_file(write(tmp_path, "## user\nIt costs $$1: $input\n"))
    assert prompt.messages({"input": typed}) == (Message("user", f"It costs $1: {typed}"),)


def test_completion_is_one_text_to_be_continued(tmp_path: Path) -> None:
    prompt = read_prompt_file(
        write(tmp_path, "## user\n\n$input =>\n\n", HEAD + "\nformat: completion")
    )
    assert prompt.completion
    assert prompt.messages({"input": "cheese"}) == (Message("user", "cheese =>"),)


def test_default_that_looks_like_a_number_or_a_date_is_text(tmp_path: Path) -> None:
    head = HEAD + "\nlanguage: no\ndefaults:\n  input: 2026-99-99\n  sign: 16"
    prompt = read_prompt_file(write(tmp_path, "## user\n$input $sign\n", head))
    assert prompt.language == "no"
    assert prompt.messages({}) == (Message("user", "2026-99-99 16"),)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "input is empty"),
        ({"input": "  "}, "input is empty"),
        ({"input": "1", "color": "red"}, "variable must be one of input; got 'color'"),
        ({"input": "\ud800"}, "input holds characters"),
        ({"input": "x" * 40_001}, "input has 40001 characters"),
    ],
)
def test_values_are_refused_with_the_name_of_the_variable(
    tmp_path: Path, values: dict[str, str], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        read_prompt_file(write(tmp_path, "## user\n$input\n")).messages(values)


@pytest.mark.parametrize(
    ("head", "body", "problem"),
    [
        (HEAD + "\ncolour: red", "## user\n$input", "field 'colour' is unknown"),
        (HEAD + "\nanswer: eval", "## user\n$input", "answer 'eval' is unknown"),
        (HEAD + "\nformat: poem", "## user\n$input", "format 'poem' is unknown"),
        (HEAD.replace("zero-shot", "magic"), "## user\n$input", "technique 'magic' is unknown"),
        (HEAD + "\nanswer: [none]", "## user\n$input", "field answer must be text"),
        ("title: T", "## user\n$input", "field task is missing"),
        ("- a\n- b", "## user\n$input", "holds no fields"),
        ("title: [", "## user\n$input", "not YAML"),
        (HEAD + "\ndefaults: 1", "## user\n$input", "defaults must hold"),
        (HEAD + "\ndefaults:\n  input: [5]", "## user\n$input", "default of input must be text"),
        (HEAD + "\ndefaults:\n  inptu: a", "## user\n$input", "default 'inptu' is unknown"),
        (HEAD, "## user\nno variable", r"variable \$input is missing"),
        (HEAD, "## user\n$input costs $5", r"a stray \$ in section ## user"),
        (HEAD, "## user\n\n## assistant\na\n\n## user\n$input", "section ## user is empty"),
        (HEAD, "## user\n$input\n\n## assistant\na", "last section must be ## user"),
        (HEAD, "## assistant\na\n\n## user\n$input", "by turns"),
        (HEAD, "## user\na\n\n## user\n$input", "by turns"),
        (HEAD, "## user\na\n\n## system\nb\n\n## user\n$input", "by turns"),
        (HEAD, "## system\n$input", "last section must be ## user"),
        (HEAD, "## robot\na", "section 'robot' is unknown"),
        (HEAD, "hello\n## user\n$input", "text before the first section"),
        (HEAD, "", "last section must be ## user"),
        (HEAD + "\nformat: completion", "## system\na\n\n## user\n$input", "exactly one section"),
    ],
)
def test_prompt_file_is_refused_with_file_and_problem(
    tmp_path: Path, head: str, body: str, problem: str
) -> None:
    with pytest.raises(BadInput, match=r"^sums\.md: .*" + problem):
        read_prompt_file(write(tmp_path, body, head))


@pytest.mark.parametrize("content", [b"", b"## user\n$input", b"---\n", b"\xff\xfe---"])
def test_file_that_is_no_prompt_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.md"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"^other\.md: "):
        read_prompt_file(path)
