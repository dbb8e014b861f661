"""What a result was asked: its question and settings, kept beside it and told in one line.

The question on the page moves on while a result stands. A browser keeps it, so it is checked when it
comes back. Knows no fold.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from markupsafe import Markup

from demo.errors import LabError
from demo.records import BASE, AnswerRequest, Sampling
from demo.ui import speech
from demo.ui.asking import frame_title
from demo.ui.glass import kept
from demo.ui.language import Texts
from demo.ui.shell import Shell

Mode = Literal["chat", "plain", "control"]
"""In the template; as a bare text; as a bare text whose template tokens are tokens."""
LONGEST = 2_000
"""Characters of a question that are kept with each result."""
SHOWN = 120
"""Characters of it that the line shows."""
ALWAYS, DRAWN = ("temperature", "max_new_tokens"), ("seed",)
"""Settings that are told even where they change nothing; `DRAWN` only where something is drawn."""


@dataclass(frozen=True)
class Words:
    """What was asked, of whom."""

    question: str
    """As it was typed, without what frames it."""
    frame: str = ""
    """What framed it: a prompt file, shots, a chain of thought."""
    mode: Mode = "chat"
    speaks: str = BASE
    title: str = ""
    """The name of who answered, for people; nothing for the base."""
    system: str = ""
    earlier_messages: int = 0
    """Messages that stood before the question: of the chat, or shots."""


@dataclass(frozen=True)
class Posed:
    """A question, with the settings where something was drawn."""

    words: Words
    sampling: Sampling | None = None

    def kept(self) -> dict[str, Any]:
        """As a browser keeps it and a file tells it: single values only."""
        return asdict(self.words) | (asdict(self.sampling) if self.sampling else {})


def posed(shell: Shell, given: dict[str, Any], question: AnswerRequest, *, drawn: bool) -> Posed:
    """The question that is being asked.

    Args:
        shell: the page's ground.
        given: what the page's components hold.
        question: as the lab is asked.
        drawn: its sampling is used.
    """
    typed = str(given["message"] or "").strip() or speech.standing(given["chat"])[-1].question
    system = next((m.content for m in question.messages if m.role == "system"), "")
    earlier = sum(m.role != "system" for m in question.messages[:-1])
    words = Words(
        typed[:LONGEST],
        frame_title(shell, given | {"message": typed}),
        "chat" if not question.completion else "control" if question.control else "plain",
        question.adapter,
        title_of(shell, given),
        system[:LONGEST],
        earlier,
    )
    return Posed(words, question.sampling if drawn else None)


def title_of(shell: Shell, given: dict[str, Any]) -> str:
    """The name of who answers in the Playground, for people."""
    speaks = given["speaks"] or BASE
    if speaks == BASE:
        return ""
    return shell.title_of(given["memory"], given["language"], speaks)[:LONGEST]


def marked(found: Posed | None) -> dict[str, Any]:
    """What to add to the value of a fold's component."""
    return {"asked": found.kept()} if found else {}


def read_posed(value: Any) -> Posed | None:
    """What a fold's value says that it was asked; nothing where no server wrote that."""
    asked = value.get("asked") if isinstance(value, dict) else None
    if not isinstance(asked, dict):
        return None
    try:
        words = kept.read(Words, asked)
        names = [f.name for f in fields(Sampling)]
        drawn = Sampling(**{n: asked[n] for n in names}) if "temperature" in asked else None
    except (LabError, ArithmeticError, LookupError, TypeError, ValueError):
        return None
    return Posed(words, drawn)


def line(texts: Texts, language: str, found: Posed | None) -> Markup:
    """One quiet line; nothing where it is not known."""
    if found is None:
        return Markup("")
    said = " · ".join([*_words(texts, language, found.words), *_knobs(texts, language, found)])
    told = texts.say(language, "posed.asked", facts=said)
    return Markup('<p class="facts posed">{}</p>').format(told)


def _words(texts: Texts, language: str, words: Words) -> list[str]:
    """What was asked, how and whom."""
    text = " ".join(words.question.split())
    short = text if len(text) <= SHOWN else text[:SHOWN].rstrip() + "…"
    quoted = texts.say(language, "posed.quoted", text=short) if short else ""
    base = texts.say(language, "base_model") if words.speaks == BASE else ""
    mode = texts.say(language, f"posed.{words.mode}")
    earlier = words.earlier_messages
    before = texts.say(language, "posed.earlier", count=earlier) if earlier else ""
    facts = [quoted, words.frame, mode, before, base or words.title or words.speaks]
    return [fact if len(fact) <= SHOWN + 5 else fact[:SHOWN] + "…" for fact in facts if fact]


def _knobs(texts: Texts, language: str, found: Posed) -> list[str]:
    """Settings by the names of their controls; those that change nothing are left out."""
    if found.sampling is None:
        return []
    given, neutral = asdict(found.sampling), asdict(Sampling())
    told = [*ALWAYS, *(DRAWN if given["temperature"] else ())]
    if given["temperature"]:
        told += [n for n in ("top_k", "top_p", "min_p") if given[n] != neutral[n]]
    if given["repetition_penalty"] != neutral["repetition_penalty"]:
        told.append("repetition_penalty")
    return [f"{_label(texts, language, n)} {_short(texts, language, given[n])}" for n in told]


def _short(texts: Texts, language: str, value: float) -> str:
    """A setting as a control shows it: 0.8, not 0.80."""
    written = texts.number(language, value)
    return written.rstrip("0").rstrip(".,") if isinstance(value, float) else written


def _label(texts: Texts, language: str, name: str) -> str:
    label = str(texts.node(language, f"components.sampling.{name}.label"))
    return label[:1].lower() + label[1:]
