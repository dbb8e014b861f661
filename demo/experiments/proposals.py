"""What the model is asked to write for itself, and what of it can be used.

Instructions from examples: APE, "Large Language Models Are Human-Level Prompt Engineers" (Zhou et al.
2023). Worked examples: Auto-CoT, "Automatic Chain of Thought Prompting" (Zhang et al. 2023). Knows
no model.
"""

import re
from collections import Counter
from collections.abc import Sequence

from demo.prompting.extract import taken
from demo.prompting.frame import STEPS
from demo.prompting.shots import Shot
from demo.records import Answer, Message, conversation

LONGEST_INSTRUCTION = 300
"""Characters."""
LONGEST_QUESTION = 60
"""Words; Auto-CoT keeps short questions, for they are answered rightly more often."""
MOST_STEPS = 10
"""Lines of a chain; longer ones are dropped. Auto-CoT allows five; this model is wordy."""


def instruction_prompt(examples: Sequence[Shot]) -> tuple[Message, ...]:
    """Asks which instruction the examples follow."""
    shown = "\n\n".join(f"Input: {shot.input}\nOutput: {shot.output}" for shot in examples)
    return conversation(
        "I gave a friend an instruction. The friend read each input and wrote the output."
        f"\n\n{shown}\n\nWhat was the instruction? Write the instruction only, in one sentence."
    )


def instructions_of(answers: Sequence[Answer]) -> tuple[str, ...]:
    """The different instructions in what was written, without the words around them."""
    found = (_instruction(answer.text) for answer in answers if answer.done)
    return tuple(dict.fromkeys(text for text in found if text))


def _instruction(text: str) -> str:
    line = next((part.strip() for part in text.splitlines() if part.strip()), "")
    line = re.sub(r"^(the |your )?instructions? (was|is|were|are)( to)?:? ", "", line, flags=re.I)
    line = line.strip("\"'“”` ")
    if not any(character.isalpha() for character in line) or len(line) > LONGEST_INSTRUCTION:
        return ""
    return line[0].upper() + line[1:]


def chain_prompt(question: str) -> tuple[Message, ...]:
    """Asks for a chain of thought without an example (Kojima et al. 2022)."""
    return conversation(f"{question}\n\n{STEPS}")


def diverse(questions: Sequence[Shot], count: int) -> tuple[Shot, ...]:
    """Short questions as different from each other as can be, in words.

    Auto-CoT takes one question of each of k clusters, so that the examples do not all err alike.
    Here each next one is the one least like those taken (Gonzalez 1985), which needs no second model.
    """
    left = [shot for shot in questions if len(shot.input.split()) <= LONGEST_QUESTION]
    taken: list[Shot] = []
    while left and len(taken) < count:
        least_like = min(left, key=lambda s: max((_alike(s, t) for t in taken), default=0.0))
        taken.append(least_like)
        left.remove(least_like)
    return tuple(taken)


def _alike(one: Shot, other: Shot) -> float:
    """The share of words that two questions have in common (Jaccard), each as often as it occurs."""
    first, second = Counter(one.input.casefold().split()), Counter(other.input.casefold().split())
    return (first & second).total() / max((first | second).total(), 1)


def worked(question: Shot, answer: Answer) -> Shot | None:
    """The question with the model's own chain as a worked example; None where it cannot be one.

    Whether the result is right is not looked at: Auto-CoT does not know it either.
    """
    lines = [line.strip() for line in answer.text.splitlines() if line.strip()]
    result = number_in(answer.text)
    if answer.reason != "end" or not result or len(lines) > MOST_STEPS:
        return None
    return Shot(question.input, "\n".join([*lines, f"#### {result}"]))


def number_in(text: str) -> str:
    """The last number of a text, or nothing."""
    return taken("last_number", text).answer


def same_number(one: str, other: str) -> bool:
    """Whether two results are the same number, however they are written."""
    try:
        return float(one) == float(other)
    except ValueError:
        return False
