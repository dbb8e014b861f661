"""Questions of a held-out set: one for every prompt, with all the answers that its rows give.

Knows no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from demo.data.split import prompt_of
from demo.judging_records import Column
from demo.prompting.frame import STEPS, Chain, Parts, render
from demo.prompting.shots import Shot, draw, of_row
from demo.records import Message
from demo.run_records import Row

MOST_REFERENCES = 16
"""Of one question."""
MOST_CHARACTERS = 2000
"""Of all references of one question: an answer has at most half as many."""


@dataclass(frozen=True)
class Question:
    """A prompt that ends with the visitor's words, and what might be answered."""

    messages: tuple[Message, ...]
    references: tuple[str, ...]

    @property
    def asked(self) -> str:
        """The visitor's last words."""
        return self.messages[-1].content


def questions_of(rows: Sequence[Row], most: int) -> tuple[Question, ...]:
    """The first so many questions of a set; rows that ask the same are one question.

    Its answers are the first 16 different ones, with 2,000 characters together, since each costs time
    in every score; of a longer first answer the beginning is taken. Rows of plain text ask nothing,
    and are left out.
    """
    found: dict[tuple[Message, ...], dict[str, None]] = {}
    for row in rows:
        prompt = () if row.raw else prompt_of(row)
        if prompt and prompt[-1].role == "user":
            reference = of_row(row).short.strip()
            if reference:
                found.setdefault(prompt, {})[reference] = None
    first = list(found.items())[:most]
    return tuple(Question(prompt, _bounded(list(known))) for prompt, known in first)


def _bounded(references: Sequence[str]) -> tuple[str, ...]:
    """As many of a question's answers as are compared with."""
    kept = [references[0][:MOST_CHARACTERS]]
    for reference in references[1:MOST_REFERENCES]:
        if sum(map(len, kept)) + len(reference) <= MOST_CHARACTERS:
            kept.append(reference)
    return tuple(kept)


def shots_for(
    column: Column, rows: Sequence[Row], questions: Sequence[Question], seed: int
) -> tuple[Shot, ...]:
    """The solved rows of a column, the same for each question; none of them is asked."""
    plain = [row for row in rows if not row.raw]
    return draw(plain, column.shots, seed, (question.asked for question in questions))


@dataclass(frozen=True)
class Pose:
    """How a column puts every question."""

    shots: tuple[Shot, ...] = ()
    steps: bool = False
    """Ends with "Let's think step by step." (Kojima et al. 2022); solved rows show theirs."""
    parts: Parts | None = None
    """Of a prompt file; None asks as the row itself does."""

    @property
    def completion(self) -> bool:
        """Whether what comes out is one text to be continued."""
        return bool(self.parts and self.parts.frame.completion)

    def messages(self, question: Question) -> tuple[Message, ...]:
        """What the model reads."""
        return self._framed(question, self.parts) if self.parts else self._plain(question)

    def _framed(self, question: Question, parts: Parts) -> tuple[Message, ...]:
        """In the file's frame, with the file's own examples where none were drawn."""
        shots = self.shots or parts.shots
        chain: Chain = "none" if self.shots else parts.chain
        if self.steps:
            chain = "worked" if any(shot.worked for shot in shots) else "steps"
        return render(parts.frame, shots, question.asked, chain)

    def _plain(self, question: Question) -> tuple[Message, ...]:
        """As turns of the conversation that the question belongs to."""
        system = tuple(message for message in question.messages if message.role == "system")
        rest = tuple(message for message in question.messages if message.role != "system")
        turns = [turn for shot in self.shots for turn in self._turns(shot)]
        if self.steps:
            rest = (*rest[:-1], Message("user", f"{question.asked}\n\n{STEPS}"))
        return (*system, *turns, *rest)

    def _turns(self, shot: Shot) -> tuple[Message, Message]:
        said = shot.output if self.steps else shot.short
        return Message("user", shot.input), Message("assistant", said)
