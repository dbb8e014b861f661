import pytest

from demo.data.samples import load_sample
from demo.errors import BadInput
from demo.prompting.apart import chain_of, frame_of, shots_of
from demo.prompting.files import PromptFile
from demo.prompting.frame import STEPS, Frame, render
from demo.prompting.library import PromptLibrary
from demo.prompting.shots import Shot, arranged, draw
from demo.records import Message
from demo.settings import ROOT

SHIPPED = PromptLibrary(ROOT / "prompts")
PAIRS = (Shot("sea otter", "loutre de mer"), Shot("peppermint", "menthe poivrée"))
PROBLEMS = load_sample(ROOT / "demo" / "samples" / "word-problems" / "sample.yaml").rows


@pytest.mark.parametrize("file", SHIPPED.all(), ids=lambda file: file.name)
def test_shipped_file_taken_apart_and_put_together_is_the_same_prompt(file: PromptFile) -> None:
    for question in (file.defaults["input"], "It costs $5, $input and $$."):
        values = {**file.defaults, "input": question}
        rendered = render(frame_of(file), shots_of(file), question, chain_of(file))
        assert rendered == file.messages(values)


@pytest.mark.parametrize(
    "file", [f for f in SHIPPED.all() if f.technique.endswith("-shot")], ids=lambda file: file.name
)
def test_every_example_of_a_shipped_file_is_a_shot(file: PromptFile) -> None:
    least = {"zero-shot": 0, "one-shot": 1, "few-shot": 2}[file.technique]
    shots = shots_of(file)
    assert len(shots) == least or (least == 2 and len(shots) > 2)
    assert all(shot.input and shot.output for shot in shots)


def test_shots_are_turns_of_a_chat_before_the_question() -> None:
    frame = Frame.chat("You cost $1.", "French for $input?")
    assert render(frame, PAIRS[:1], "cheese") == (
        Message("system", "You cost $1."),
        Message("user", "French for sea otter?"),
        Message("assistant", "loutre de mer"),
        Message("user", "French for cheese?"),
    )


def test_instruction_is_said_once_before_the_first_question() -> None:
    frame = Frame.chat(instruction="Translate.")
    zero = render(frame, (), "cheese")
    assert zero == (Message("user", "Translate.\n\ncheese"),)
    one = render(frame, PAIRS[:1], "cheese")
    assert [m.content for m in one] == ["Translate.\n\nsea otter", "loutre de mer", "cheese"]


def test_shots_of_a_completion_are_lines_that_the_model_goes_on_with() -> None:
    frame = frame_of(SHIPPED.get("translation-few-shot"))
    (message,) = render(frame, PAIRS, "cheese")
    assert message.content == "sea otter => loutre de mer\npeppermint => menthe poivrée\ncheese =>"
    (message,) = render(frame, (), "cheese")
    assert message.content == "cheese =>"


def test_shots_can_be_put_into_a_file_that_has_none() -> None:
    frame = frame_of(SHIPPED.get("sentiment-zero-shot"))
    rendered = render(frame, [Shot("Lovely.", "positive")], "Bad.")
    assert [m.role for m in rendered] == ["user", "assistant", "user"]
    assert rendered[0].content.endswith("Lovely.")
    assert rendered[0].content.startswith("Is the following review")
    assert rendered[2].content == "Bad."


def test_another_order_changes_nothing_but_the_order() -> None:
    frame = frame_of(SHIPPED.get("sentiment-few-shot"))
    shots = shots_of(SHIPPED.get("sentiment-few-shot"))
    given = render(frame, shots, "Good.")
    other = render(frame, arranged(shots, (4, 3, 2, 1)), "Good.")
    assert sorted(m.content for m in given) == sorted(m.content for m in other)
    assert given != other
    assert given[-1] == other[-1]


@pytest.mark.parametrize("file", SHIPPED.all(), ids=lambda file: file.name)
def test_step_by_step_stands_once_and_last(file: PromptFile) -> None:
    last = render(frame_of(file), shots_of(file), "How many?", "steps")[-1].content
    assert last.endswith(STEPS)
    assert last.count(STEPS) == 1


def test_worked_examples_show_their_steps_and_else_only_the_result() -> None:
    shots = draw(PROBLEMS, 2, 0)
    assert all(shot.worked for shot in shots)
    answers = [m.content for m in render(Frame(), shots, "How many?", "worked")[1::2]]
    assert answers == [shot.output for shot in shots]
    answers = [m.content for m in render(Frame(), shots, "How many?")[1::2]]
    assert answers == [shot.output.rpartition("#### ")[2].replace(",", "") for shot in shots]


def test_worked_examples_without_a_worked_shot_are_refused_with_what_to_do() -> None:
    with pytest.raises(BadInput, match="None of these examples shows its steps"):
        render(Frame(), PAIRS, "How many?", "worked")
    assert len(render(Frame(), (), "How many?", "worked")) == 1


def test_examples_of_another_shape_stay_as_they_are() -> None:
    sections = (
        Message("user", "Hello."),
        Message("assistant", "Hi."),
        Message("user", "Q: $input"),
    )
    file = PromptFile("own", "T", "Talk", "one-shot", "One.", sections, {})
    assert shots_of(file) == ()
    rendered = render(frame_of(file), PAIRS[:1], "cheese")
    assert [m.content for m in rendered] == [
        "Hello.",
        "Hi.",
        "Q: sea otter",
        "loutre de mer",
        "Q: cheese",
    ]


def test_variables_of_a_file_are_filled_with_its_defaults_and_signs_stay() -> None:
    sections = (Message("system", "$who, $$1, $input"), Message("user", "${input}s cost $$2?"))
    file = PromptFile("own", "T", "Talk", "zero-shot", "One.", sections, {"who": "a $b"})
    rendered = render(frame_of(file), [Shot("$x", "$y")], "egg")
    assert [m.content for m in rendered] == ["a $b, $1, egg", "$xs cost $2?", "$y", "eggs cost $2?"]


def test_completion_of_blocks_keeps_its_instruction_in_front() -> None:
    text = "Answer yes or no.\n\nText: A\nYes? yes\n\nText: B\nYes? no\n\nText: $input\nYes?"
    file = PromptFile(
        "own", "T", "NLI", "few-shot", "Two.", (Message("user", text),), {}, "completion"
    )
    assert shots_of(file) == (Shot("A", "yes"), Shot("B", "no"))
    (message,) = render(frame_of(file), shots_of(file)[1:], "C")
    assert message.content == "Answer yes or no.\n\nText: B\nYes? no\n\nText: C\nYes?"
