"""Build a prompt from what was chosen: a file, where its shots come from, their order, the chain of thought.

Draws no rows itself: shots of a dataset are handed in. Knows no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Literal, cast

from demo.checks import check_ranges, checked_text, chosen
from demo.prompting.apart import chain_of, frame_of, shots_of
from demo.prompting.files import PromptFile
from demo.prompting.frame import CHAINS, Chain, Frame, Parts, escaped, render
from demo.prompting.markdown import with_parts
from demo.prompting.shots import MOST_SHOTS, Shot, arranged, read_order, shuffled, typed
from demo.records import Message

Source = Literal["file", "typed", "dataset"]
SOURCES: tuple[Source, ...] = ("file", "typed", "dataset")


@dataclass(frozen=True)
class ShotPlan:
    """What a visitor chose. Checked on creation: a value out of range raises `BadInput`."""

    source: str = "file"
    count: int = MOST_SHOTS
    """K: the most shots to take; a source that has fewer gives what it has."""
    typed: str = ""
    """Shots as they are written by hand, one per line."""
    dataset: str = ""
    seed: int = 0
    """Which rows are drawn, and in which order; 0 leaves a file's and typed shots as they stand."""
    order: str = ""
    """Places in another order, "3 1 2"; empty changes nothing."""
    chain: str = ""
    """One of `CHAINS`; empty is the file's own."""

    RANGES: ClassVar[dict[str, tuple[float, float, type]]] = {
        "count": (0, MOST_SHOTS, int),
        "seed": (0, 2**31 - 1, int),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
        chosen("source", self.source, SOURCES)
        chosen("chain", self.chain, ("", *CHAINS))


@dataclass(frozen=True)
class Built:
    """A prompt that waits for its question."""

    frame: Frame
    shots: tuple[Shot, ...] = ()
    chain: Chain = "none"
    rule: str = "none"
    """The extractor that finds the answer in what the model writes."""
    file: PromptFile | None = None

    def messages(self, question: str, system: str = "") -> tuple[Message, ...]:
        """The conversation, under the visitor's own system prompt if there is one.

        Raises:
            BadInput: worked examples were asked for, and no shot shows its steps.
        """
        return under_system(
            render(self.frame, self.shots, question, self.chain), system, self.frame.completion
        )

    def with_shots(self, count: int) -> "Built":
        """The same with fewer shots."""
        return replace(self, shots=self.shots[:count])

    def saved_as(self, title: str, question: str, system: str = "") -> PromptFile:
        """The prompt as a file that frames any question, this one as its example."""
        technique = ("zero-shot", "one-shot", "few-shot")[min(len(self.shots), 2)]
        before = under_system(self.frame.before, escaped(system), self.frame.completion)
        parts = Parts(replace(self.frame, before=before), self.shots, self.chain)
        prompt = PromptFile(
            name="own",
            title=" ".join(checked_text("title", title, 100).split()),
            task=self.file.task if self.file else "Own",
            technique="chain-of-thought" if self.chain != "none" else technique,
            teaches=self.file.teaches if self.file else "Saved in the lab.",
            sections=(),
            defaults=MappingProxyType({"input": question} if question.strip() else {}),
            format="completion" if self.frame.completion else "chat",
            answer=self.rule,
            language=self.file.language if self.file else "en",
        )
        return with_parts(prompt, parts)


def build(plan: ShotPlan, file: PromptFile | None, drawn: Sequence[Shot] = ()) -> Built:
    """Put a plan together.

    Args:
        plan: what was chosen.
        file: frames the question; without one, the question stands alone.
        drawn: the shots of the plan's dataset, `plan.count` of them at most.

    Raises:
        BadInput: the typed shots or the order cannot be read.
    """
    shots = tuple(drawn) if plan.source == "dataset" else _seeded(plan, file)
    shots = shots[: plan.count]
    shots = arranged(shots, read_order(plan.order, len(shots)))
    own = chain_of(file) if file else "none"
    chain = cast(Chain, plan.chain or own)
    frame = frame_of(file) if file else Frame()
    return Built(frame, shots, chain, _rule(file, shots, chain), file)


def _seeded(plan: ShotPlan, file: PromptFile | None) -> tuple[Shot, ...]:
    from_file = shots_of(file) if file else ()
    shots = typed(plan.typed) if plan.source == "typed" else from_file
    return arranged(shots, shuffled(len(shots), plan.seed))


def _rule(file: PromptFile | None, shots: Sequence[Shot], chain: Chain) -> str:
    """How the answer will look: worked shots make the model write the mark of a result."""
    if chain == "worked" and any(shot.worked for shot in shots):
        return "after_hashes"
    rule = file.answer if file else "none"
    numbers = rule == "after_hashes" or (not file and any(shot.worked for shot in shots))
    return "last_number" if numbers else rule


def under_system(
    messages: tuple[Message, ...], system: str, completion: bool
) -> tuple[Message, ...]:
    """Messages under the visitor's own system prompt in the place of theirs; a completion has none."""
    if completion or not system.strip():
        return messages
    return (Message("system", system), *(m for m in messages if m.role != "system"))
