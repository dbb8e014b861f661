"""What a scoreboard asks: one question for every prompt, in the frame that its column was given."""

from demo.experiments.questions import (
    MOST_CHARACTERS,
    MOST_REFERENCES,
    Pose,
    questions_of,
    shots_for,
)
from demo.judging_records import Column
from demo.prompting.apart import parts_of
from demo.prompting.files import read_prompt_file
from demo.prompting.frame import STEPS
from demo.prompting.shots import Shot
from demo.records import Message
from demo.run_records import Row
from demo.settings import ROOT


def row(question: str, answer: str, line: int = 1, system: str = "") -> Row:
    before = (Message("system", system),) if system else ()
    return Row(line, (*before, Message("user", question), Message("assistant", answer)))


ROWS = [row("a?", "A"), row("b?", "B1"), row("b?", "B2"), row("b?", "B1"), row("c?", " ")]


def test_rows_that_ask_the_same_are_one_question_with_several_answers() -> None:
    assert [(q.asked, q.references) for q in questions_of(ROWS, 9)] == [
        ("a?", ("A",)), ("b?", ("B1", "B2")),
    ]  # fmt: skip


def test_a_question_has_only_so_many_answers_and_characters_to_be_compared_with() -> None:
    (many,) = questions_of([row("a?", f"answer {n}") for n in range(99)], 1)
    assert len(many.references) == MOST_REFERENCES
    (long,) = questions_of([row("a?", f"{n}" * 900) for n in range(1, 6)], 1)
    assert [len(one) for one in long.references] == [900, 900]
    (longer,) = questions_of([row("a?", "x" * 9000), row("a?", "y")], 1)
    assert [len(one) for one in longer.references] == [MOST_CHARACTERS]


def test_plain_text_asks_nothing() -> None:
    assert questions_of([Row(1, (Message("user", "once upon a time"),), raw=True)], 9) == ()


def test_no_shot_gives_a_question_away() -> None:
    questions = questions_of(ROWS[:1], 9)
    shots = shots_for(Column(shots=4), [*ROWS[:2], ROWS[0]], questions, seed=0)
    assert [shot.input for shot in shots] == ["b?"]


def test_shots_stand_as_turns_behind_the_row_s_own_system_prompt() -> None:
    (question,) = questions_of([row("2+2?", "4", system="Be brief.")], 1)
    shots = (Shot("1+1?", "One and one.\n#### 2"),)
    assert Pose(shots).messages(question) == (
        Message("system", "Be brief."),
        Message("user", "1+1?"),
        Message("assistant", "2"),
        Message("user", "2+2?"),
    )
    stepwise = Pose(shots, steps=True).messages(question)
    assert stepwise[2].content == "One and one.\n#### 2"
    assert stepwise[-1].content == f"2+2?\n\n{STEPS}"


def test_a_worked_answer_is_measured_by_its_result() -> None:
    (question,) = questions_of([row("2+2?", "Two and two.\n#### 4")], 1)
    assert question.references == ("4",)


def test_a_prompt_file_frames_the_question_and_its_shots() -> None:
    (question,) = questions_of([row("The film was a joy.", "positive")], 1)
    for path in sorted((ROOT / "prompts").glob("*.md")):
        parts = parts_of(read_prompt_file(path))
        pose = Pose((Shot("Dull.", "negative"),), parts=parts)
        text = "\n".join(message.content for message in pose.messages(question))
        assert "The film was a joy." in text, path.name
        assert text.index("Dull.") < text.index("The film was a joy."), path.name
