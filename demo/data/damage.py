"""What can be wrong with one row of an upload, in words: the problem and its cure.

Knows no file; standard library only, because the process that reads uploads knows it too.
"""

from typing import Literal, Self

from demo.dataset_records import Damage

CORRECT = "Correct or remove it."
TURNS = "Begin with an optional system turn, then alternate user and assistant, assistant last."

PROBLEMS: dict[str, tuple[str, str]] = {
    # tables
    "fields": (
        "the header has {wanted} fields and this row {got}",
        'Put texts that hold a delimiter or a quote in "quotes".',
    ),
    "quotes": ("the quotes do not match ({problem})", 'Write a quote inside a text as "".'),
    "not_json": ("not JSON ({problem})", "Write one complete JSON object on each line."),
    "not_object": (
        "the row is not an object with named values",
        'Write each row as an object, such as {"prompt": "...", "completion": "..."}.',
    ),
    "same_name": ("one object has the same name twice", CORRECT),
    "nested": ("values are nested too deeply", CORRECT),
    "digits": ("a number has too many digits", CORRECT),
    "not_finite": (
        "column {column}: it is NaN or infinite, which JSON does not allow",
        CORRECT,
    ),
    "long": ("column {column}: {got} characters, the most is {high}", "Shorten it."),
    "nul": ("column {column}: it holds a NUL character", "Remove it."),
    "half": ("column {column}: it holds half of a character", CORRECT),
    "bytes": ("column {column}: it holds bytes that are not UTF-8", "Save the file as UTF-8."),
    # conversations and pairs
    "holds_list": (
        "column {column} holds a list or an object",
        "Write plain text there, or choose another column.",
    ),
    "no_list": (
        "there is no list of messages",
        'Write a list of turns such as [{"role": "user", "content": "..."}, ...].',
    ),
    "turns": ("{got} turns, the most is {high}", "Divide the conversation into several rows."),
    "no_role": (
        "turn {turn} has no role",
        'Write each turn as {"role": "user", "content": "..."}.',
    ),
    "role": (
        "turn {turn} has the unknown role {got}",
        "Use system, user and assistant (or human and gpt).",
    ),
    "content": (
        "the content of turn {turn} is not text",
        'Write the text of the turn as "content": "...".',
    ),
    "no_assistant": ("the conversation has no assistant turn to learn from", TURNS),
    "order": ("a turn of the {got} stands where the {wanted} should speak", TURNS),
    "no_end": ("the conversation ends before the assistant answers", TURNS),
}


class Told(str):
    """A problem or its cure in English that remembers its damage: the page says it in its language."""

    damage: Damage
    part: Literal["problem", "cure"]

    def __new__(cls, damage: Damage, part: Literal["problem", "cure"]) -> Self:
        """Say it in English."""
        problem, cure = PROBLEMS[damage.key]
        told = super().__new__(cls, problem.format(**damage.values) if part == "problem" else cure)
        told.damage, told.part = damage, part
        return told


def problem_of(damage: Damage) -> Told:
    """What is wrong."""
    return Told(damage, "problem")


def cure_of(damage: Damage) -> Told:
    """What to do about it."""
    return Told(damage, "cure")
