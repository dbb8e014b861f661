"""How a question is framed: files, shots from every source, own prompts; with the real model's tokens."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from demo.errors import BadInput
from demo.lab import Lab
from demo.prompting.frame import STEPS
from demo.prompting.own import PREFIX
from demo.settings import ROOT, LabSettings
from demo.ui import own_prompts, prompt_choice, shot_builder
from demo.ui.asking import (
    Framing,
    answer_rule,
    composed,
    frame_title,
    framed,
    framing,
    show_shots,
)
from demo.ui.language import Labels, Texts
from demo.ui.memory import browser_memory, recalled
from demo.ui.shell import Shell

REQUEST = gr.Request(session_hash="a visitor")
PROBLEMS = {"shot_source": "dataset", "shot_dataset": "sample:word-problems"}
TYPED = {"shot_source": "typed", "shot_typed": "sea otter => loutre de mer\nbread => pain"}


@pytest.fixture(scope="module")
def page(own_home: Path) -> Iterator[tuple[Shell, Framing]]:
    """The folds over a lab of its own that shares the converted model."""
    lab, texts = Lab(LabSettings(home=own_home)), Texts.load()
    with gr.Blocks():
        language = gr.Radio(["en"], value="en")
        shell = Shell(lab, texts, Labels(texts), browser_memory(), language)
        parts = framing(shell, gr.Textbox())
    lab.engine.start()
    lab.engine.wait_ready(240)
    yield shell, parts
    lab.engine.close()


@pytest.fixture
def shell(page: tuple[Shell, Framing]) -> Shell:
    return page[0]


@pytest.fixture
def given(page: tuple[Shell, Framing]) -> dict[str, Any]:
    """What the components hold at first."""
    held = {name: part.value for name, part in page[1].inputs().items()}
    return held | {"message": "How many?", "memory": None, "language": "en"}


def contents(shell: Shell, given: dict[str, Any]) -> list[str]:
    return [message.content for message in framed(shell, REQUEST, given).messages]


def test_question_without_a_file_or_shots_goes_on_with_the_chat(
    shell: Shell, given: dict[str, Any]
) -> None:
    assert contents(shell, given) == ["How many?"]
    assert contents(shell, given | {"system": "Be brief."}) == ["Be brief.", "How many?"]
    assert frame_title(shell, given) == ""
    assert answer_rule(shell, given) == "none"


@pytest.mark.parametrize(
    "name", ["sentiment-few-shot", "word-problem-worked-steps", "summary-tldr"]
)
def test_chosen_file_asks_as_it_is_written(shell: Shell, given: dict[str, Any], name: str) -> None:
    file = shell.lab.prompts.get(name)
    _, message, count, chain, order = prompt_choice.choose_file(shell, name, "", "file", None)
    controls = {"shot_count": count, "shot_chain": chain, "shot_order": order}
    question = given | controls | {"file": name, "message": message["value"]}
    assert contents(shell, question) == [m.content for m in file.messages({})]
    assert frame_title(shell, question) == file.title
    assert answer_rule(shell, question) == file.answer


def test_shots_of_a_dataset_stand_before_the_question(shell: Shell, given: dict[str, Any]) -> None:
    asked = given | PROBLEMS | {"shot_count": 3, "shot_seed": 5}
    shots = shell.lab.prompt_files.shots("", "sample:word-problems", 3, 5)
    assert contents(shell, asked)[::2] == [*(shot.input for shot in shots), "How many?"]
    assert contents(shell, asked)[1::2] == [shot.short for shot in shots]
    worked = asked | {"shot_chain": "worked"}
    assert contents(shell, worked)[1::2] == [shot.output for shot in shots]
    assert frame_title(shell, worked) == "shots: 3 · worked examples"
    assert (answer_rule(shell, asked), answer_rule(shell, worked)) == (
        "last_number",
        "after_hashes",
    )


def test_question_that_is_asked_is_never_its_own_shot(shell: Shell, given: dict[str, Any]) -> None:
    asked = given | PROBLEMS | {"shot_count": 32}
    first = contents(shell, asked)[0]
    again = contents(shell, asked | {"message": first})
    assert again.count(first) == 1
    assert again[-1] == first


def test_typed_shots_are_taken_in_the_written_order(shell: Shell, given: dict[str, Any]) -> None:
    asked = given | TYPED | {"shot_count": 2, "shot_order": "2 1", "message": "cheese"}
    assert contents(shell, asked) == ["bread", "pain", "sea otter", "loutre de mer", "cheese"]
    in_file = asked | {"file": "translation-few-shot"}
    assert contents(shell, in_file) == ["bread => pain\nsea otter => loutre de mer\ncheese =>"]


def test_step_by_step_ends_the_question(shell: Shell, given: dict[str, Any]) -> None:
    assert contents(shell, given | {"shot_chain": "steps"})[-1] == f"How many?\n\n{STEPS}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shot_count": 33}, "count must be between 0 and 32"),
        ({"shot_source": "disk"}, "source must be one of"),
        ({"shot_chain": "magic"}, "chain must be one of"),
        (TYPED | {"shot_typed": "no arrow", "shot_count": 1}, "Example 1"),
        (TYPED | {"shot_count": 2, "shot_order": "1 x"}, "order must be a number"),
        (TYPED | {"shot_count": 2, "shot_chain": "worked"}, "shows its steps"),
        ({"file": "nothing"}, "prompt must be one of"),
    ],
)
def test_control_out_of_range_is_refused(
    shell: Shell, given: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        framed(shell, REQUEST, given | change)
    assert show_shots(shell, REQUEST, **given | change)


def test_fold_tells_shots_and_tokens(shell: Shell, given: dict[str, Any]) -> None:
    assert show_shots(shell, REQUEST, **given) == ""
    shown = show_shots(shell, REQUEST, **given | TYPED | {"shot_count": 2})
    tokens = len(shell.lab.render(framed(shell, REQUEST, given | TYPED | {"shot_count": 2})).ids)
    assert f"shots: 2 · prompt: {tokens} of 8,064 tokens" in shown
    assert shown.count("<li>") == 2


def test_shots_that_overflow_the_context_say_how_many_fit(
    shell: Shell, given: dict[str, Any]
) -> None:
    line = f"{'word ' * 900}=> {'no ' * 100}\n"
    asked = given | {"shot_source": "typed", "shot_typed": line * 8, "shot_count": 8}
    shown = str(show_shots(shell, REQUEST, **asked))
    assert "With 8 shots the prompt has" in shown
    assert "The first 7 would fit" in shown
    fitting = framed(shell, REQUEST, asked | {"shot_count": 7})
    assert len(shell.lab.render(fitting).ids) <= 8192 - 128
    too_long = framed(shell, REQUEST, asked)
    with pytest.raises(BadInput, match="must fit into 8192"):
        next(shell.lab.answer(too_long))


def test_texts_in_shots_are_escaped(shell: Shell, given: dict[str, Any]) -> None:
    shown = show_shots(
        shell, REQUEST, **given | TYPED | {"shot_typed": "<img src=x> => ${1}", "shot_count": 1}
    )
    assert "&lt;img src=x&gt;" in shown


def test_saved_prompt_asks_the_very_same(shell: Shell, given: dict[str, Any]) -> None:
    asked = given | PROBLEMS | {"shot_count": 2, "shot_chain": "worked", "system": "Cost: $5."}
    saved = own_prompts.save(shell, composed, **asked, title=" My  problems ")
    memory, chosen = saved[0], saved[1]["value"]
    assert chosen == f"{PREFIX}my-problems"
    again = given | {"file": chosen, "memory": memory, "shot_count": 2, "shot_chain": "worked"}
    assert contents(shell, again) == contents(shell, asked)
    offered = [name for _, name in prompt_choice.files_of(shell, "en", "", "", memory)]
    assert offered[:2] == ["", chosen]
    download, delete = own_prompts.offer_download(shell, chosen, memory, "en")
    assert Path(download["value"]).read_text(encoding="utf-8").startswith("---\ntitle: My problems")
    assert delete["interactive"]
    gone = own_prompts.delete(shell, chosen, memory, "en")
    assert gone[1]["value"] == ""
    assert prompt_choice.own_of(shell, memory) == []


def test_save_without_a_title_says_so_and_changes_nothing(
    shell: Shell, given: dict[str, Any]
) -> None:
    *unchanged, told, _, _ = own_prompts.save(shell, composed, **given, title=" ")
    assert "title is empty" in told
    assert len(unchanged) == 4


def test_imported_file_is_chosen_and_a_broken_one_refused(shell: Shell, tmp_path: Path) -> None:
    good = ROOT / "prompts" / "summary-tldr.md"
    memory, file, *_ = own_prompts.upload(shell, str(good), None, "en")
    assert file["value"] == f"{PREFIX}summary-tldr"
    assert recalled(memory)["workspace"]
    broken = tmp_path / "mine.md"
    broken.write_text("## user\n$input", encoding="utf-8")
    *_, told = own_prompts.upload(shell, str(broken), memory, "en")
    assert "mine.md: it does not begin with front matter" in told


def test_files_are_narrowed_by_task_and_technique(shell: Shell) -> None:
    files, teaches, tasks = prompt_choice.narrow(shell, "few-shot", "Sentiment", None, "en")
    names = [name for _, name in files["choices"]]
    assert names == ["", "sentiment-few-shot", "sentiment-wrong-labels"]
    assert teaches == ""
    assert ("Addition", "Addition") in tasks["choices"]


def test_source_brings_a_number_of_shots_that_it_can_give(shell: Shell) -> None:
    page = {"memory": None, "language": "en", "by_hand": TYPED["shot_typed"]}
    for source, count in (("file", 4), ("typed", 2), ("dataset", shot_builder.FIRST_SHOTS)):
        chosen = page | {"source": source, "count": 0, "file": "sentiment-few-shot"}
        dataset, _, typed, wanted, order = shot_builder.choose_source(shell, **chosen)
        assert (wanted, order) == (count, "")
        assert (dataset["visible"], typed["visible"]) == (source == "dataset", source == "typed")


def test_order_is_shuffled_and_swapped_in_writing(shell: Shell) -> None:
    assert sorted(shot_builder.shuffle(4).split()) == ["1", "2", "3", "4"]

    def swapped(order: str, first: int, second: int) -> tuple[Any, Any]:
        given = {"order": order, "count": 3, "first": first, "second": second, "language": "en"}
        return shot_builder.swap(shell, **given)

    assert swapped("3 1 2", 1, 3) == ("2 1 3", gr.skip())
    assert swapped("", 1, 2) == ("2 1 3", gr.skip())
    unchanged, said = swapped("", 1, 9)
    assert unchanged == gr.skip()
    assert "place must be between 1 and 3" in said
    assert shot_builder.count_typed("a => b\nc", 1) == (1, "")


def test_held_out_question_is_asked(shell: Shell) -> None:
    question = shot_builder.ask_held_out(shell, "sample:word-problems", None, "en")
    held_out = shell.lab.prompt_files.held_out("", "sample:word-problems")
    assert question in {shot.input for shot in held_out}
