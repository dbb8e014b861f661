from pathlib import Path

import pytest

from demo.errors import BadInput
from demo.prompting.apart import shots_of
from demo.prompting.files import TECHNIQUES, PromptFile
from demo.prompting.library import PromptLibrary
from demo.settings import ROOT

SHIPPED = PromptLibrary(ROOT / "prompts")


def test_every_shipped_file_is_read() -> None:
    assert SHIPPED.problems == ()
    assert len(SHIPPED.all()) == len(list((ROOT / "prompts").glob("*.md"))) >= 24


def test_shipped_prompts_span_tasks_techniques_and_languages() -> None:
    prompts = SHIPPED.all()
    assert len({prompt.task for prompt in prompts}) >= 10
    assert {prompt.technique for prompt in prompts} == set(TECHNIQUES)
    assert {prompt.language for prompt in prompts} == {"en", "hu", "pl"}
    assert {prompt.format for prompt in prompts} == {"chat", "completion"}


@pytest.mark.parametrize("prompt", SHIPPED.all(), ids=lambda prompt: prompt.name)
def test_shipped_prompt_works_at_one_click(prompt: PromptFile) -> None:
    assert prompt.messages({})[-1].role == "user"
    assert prompt.defaults["input"] in SHIPPED.messages(prompt.name, {})[-1].content
    assert "marker" in SHIPPED.messages(prompt.name, {"input": "marker"})[-1].content


@pytest.mark.parametrize("prompt", SHIPPED.all(), ids=lambda prompt: prompt.name)
def test_shipped_prompt_shows_as_many_examples_as_its_technique_says(prompt: PromptFile) -> None:
    wanted = {"zero-shot": range(1), "one-shot": range(1, 2), "few-shot": range(2, 33)}
    assert len(shots_of(prompt)) in wanted.get(prompt.technique, range(33))


def test_prompts_are_listed_by_task_and_from_the_plainest_technique() -> None:
    sums = [p.technique for p in SHIPPED.all() if p.task == "Word problem"]
    assert sums == ["zero-shot", "few-shot", "chain-of-thought", "chain-of-thought"]
    tasks = [prompt.task for prompt in SHIPPED.all()]
    assert tasks == sorted(tasks)


def test_broken_file_is_told_and_leaves_the_others_usable(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = (ROOT / "prompts" / "summary-tldr.md").read_text(encoding="utf-8")
    (tmp_path / "good.md").write_text(good, encoding="utf-8")
    (tmp_path / "bad.md").write_text("no front matter", encoding="utf-8")
    library = PromptLibrary(tmp_path)
    assert [prompt.name for prompt in library.all()] == ["good"]
    assert [str(problem)[:8] for problem in library.problems] == ["bad.md: "]
    assert "bad.md" in caplog.text


def test_unknown_name_is_answered_with_the_list_of_names() -> None:
    with pytest.raises(BadInput, match=r"prompt must be one of .*summary-tldr.*got 'nothing'"):
        SHIPPED.messages("nothing", {})
