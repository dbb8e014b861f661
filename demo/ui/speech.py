"""Who said what: the turns of a chat and the columns of a comparison, as HTML and as data.

The chat lives in the browser: its component's value holds both the picture and the turns it shows.
Knows no tab; texts of visitors and models are escaped and never rendered as Markdown or HTML.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from markupsafe import Markup

from demo.records import BASE, Answer, BaseProof, Message
from demo.ui.errors import explain
from demo.ui.language import Texts
from demo.ui.shots_view import marked, taken_line
from demo.ui.views import duration, joined, notice, proof_badge

COLOURS = 4
"""Base, and three adapters told apart; a fourth adapter of a chat takes the last colour."""


@dataclass(frozen=True)
class Turn:
    """One question and its answer as far as it has come."""

    question: str = ""
    speaker: str = BASE
    title: str = ""
    file: str = ""
    """The prompt file that framed the question; such a turn is no part of the conversation."""
    plain: bool = False
    """A text that was continued without the template; no part of the conversation either."""
    rule: str = ""
    """The extractor that finds the answer in what is said; empty where the words are the answer."""
    answer: str = ""
    tokens: int = 0
    seconds: float = 0.0
    reason: str = ""
    """Why the answer ended; empty while it is under way."""
    waiting: int = 0
    wait_seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Editing:
    """An earlier question that waits in the message field; nothing is taken back before it is sent."""

    turn: int
    draft: str = ""
    """What had been typed there; it comes back."""


def read_editing(value: Any) -> Editing | None:
    """Which question of a chat is being edited; nothing where that is malformed."""
    given = value.get("editing") if isinstance(value, dict) else None
    if not isinstance(given, dict):
        return None
    turn, draft = given.get("turn"), given.get("draft")
    known = isinstance(turn, int) and 0 <= turn < len(read_turns(value))
    return Editing(turn, draft) if known and isinstance(draft, str) else None


def standing(value: Any) -> tuple[Turn, ...]:
    """The turns that the next question follows: all, or those before the one being edited."""
    editing = read_editing(value)
    return read_turns(value)[: editing.turn if editing else None]


def read_turns(value: Any) -> tuple[Turn, ...]:
    """The turns that a chat's value holds; what is malformed is dropped."""
    given = value.get("turns") if isinstance(value, dict) else None
    kinds = {f.name: type(f.default) for f in fields(Turn)}
    turns = []
    for entry in given if isinstance(given, list) else []:
        if isinstance(entry, dict):
            kept = {n: entry[n] for n, kind in kinds.items() if isinstance(entry.get(n), kind)}
            turns.append(Turn(**kept))
    return tuple(turns)


def history(turns: Sequence[Turn]) -> tuple[Message, ...]:
    """The conversation before the next question: what was asked in the chat, and answered."""
    pairs = [t for t in turns if t.answer.strip() and not t.file and not t.plain]
    return tuple(
        m for t in pairs for m in (Message("user", t.question), Message("assistant", t.answer))
    )


def grown(texts: Texts, language: str, turn: Turn, answer: Answer) -> Turn:
    """The turn with its answer as far as it has come."""
    error = explain(texts, language, answer.error) if answer.error else ""
    return replace(
        turn,
        answer=answer.text,
        tokens=answer.tokens,
        seconds=float(answer.seconds),
        reason=(answer.reason or "end") if answer.done else "",
        waiting=answer.waiting,
        wait_seconds=float(answer.wait_seconds),
        error=error,
    )


def paced(increments: Iterable[Any], gap: Callable[[], float]) -> Iterator[Any]:
    """Increments at least `gap` seconds apart, the first and the last always among them."""
    shown, held = 0.0, None
    for increment in increments:
        now = time.monotonic()
        if now - shown < gap():
            held = increment
            continue
        shown, held = now, None
        yield increment
    if held is not None:
        yield held


def chat(
    texts: Texts, language: str, turns: Sequence[Turn], editing: Editing | None = None
) -> dict[str, Any]:
    """The value of the chat's component."""
    colours: dict[str, int] = {BASE: 0}
    for turn in turns:
        colours.setdefault(turn.speaker, min(len(colours), COLOURS - 1))
    said = joined(
        _turn(texts, language, turn, colours[turn.speaker], (place, editing))
        for place, turn in enumerate(turns)
    )
    busy = "true" if under_way(turns) else "false"
    html = Markup(
        '<div class="turns" role="log" tabindex="0" aria-busy="{}" aria-label="{}"><div>{}</div></div>'
    )
    empty = Markup('<p class="empty">{}</p>').format(texts.say(language, "chat_empty"))
    shown = html.format(busy, texts.say(language, "chat"), said) if turns else empty
    value = {"html": shown, "turns": [asdict(t) for t in turns], "language": language}
    return value | {"editing": asdict(editing) if editing else None}


def redrawn(texts: Texts, language: str, value: Any) -> dict[str, Any]:
    """A chat's value in another language; whatever else it holds stays."""
    return {**value, **chat(texts, language, read_turns(value), read_editing(value))}


def _turn(
    texts: Texts, language: str, turn: Turn, colour: int, where: tuple[int, Editing | None]
) -> Markup:
    place, editing = where
    said = _asked(texts, language, turn, where) + answered(texts, language, turn, colour)
    leaving = editing is not None and place >= editing.turn
    return Markup('<div class="leaving">{}</div>').format(said) if leaving else said


def _asked(texts: Texts, language: str, turn: Turn, where: tuple[int, Editing | None]) -> Markup:
    """What was asked, with the button that edits it; a plain text stands before its continuation."""
    who = [texts.say(language, "you")]
    who += [texts.say(language, "plain_turn")] if turn.plain else [turn.file] if turn.file else []
    said = Markup('<p class="said">{}</p>').format(turn.question) if not turn.plain else ""
    html = Markup('<div class="asked"><p class="who">{} {}</p>{}</div>')
    return html.format(" · ".join(who), _edit_button(texts, language, *where), said)


def _edit_button(texts: Texts, language: str, place: int, editing: Editing | None) -> Markup:
    """Edit this question; or, where it is being edited, leave it as it was."""
    kept = editing is not None and editing.turn == place
    word = "edit_kept" if kept else "edit"
    html = Markup(
        '<button type="button" class="quiet when-idle" data-edit="{}" aria-label="{}">{}</button>'
    )
    told = texts.say(language, f"{word}_turn", count=place + 1)
    return html.format(-1 if kept else place, told, texts.say(language, word))


def answered(
    texts: Texts, language: str, turn: Turn, colour: int, badge: Markup | str = ""
) -> Markup:
    """One answer headed by its speaker's name and colour, with its cost below."""
    name = texts.say(language, "base_model") if turn.speaker == BASE else turn.title
    html = Markup(
        '<article class="answer speaker-{}" aria-label="{}"><p class="who">{}</p>{}<p class="said">{}</p>{}{}<p class="cost">{}</p></article>'
    )
    continued = Markup('<span class="given">{}</span><span class="made">{}</span>')
    told = marked(turn.rule, turn.answer) if turn.reason else turn.answer
    said = continued.format(turn.question, turn.answer) if turn.plain else told
    return html.format(
        colour,
        name,
        name,
        badge,
        said,
        taken_line(texts, language, turn.rule, turn.answer) if turn.reason else "",
        notice(turn.error),
        cost(texts, language, turn),
    )


def cost(texts: Texts, language: str, turn: Turn) -> str:
    """Tokens and seconds, or what is being waited for."""
    if turn.error:
        return ""
    waits = ""
    if turn.waiting and not turn.reason:
        time_left = duration(texts, language, turn.wait_seconds)
        waits = texts.say(language, "answer_waiting", count=turn.waiting, time=time_left)
    if not turn.reason and not turn.tokens:
        return waits or texts.say(language, "answer_reading")
    said = texts.say(language, "answer_cost", tokens=turn.tokens, seconds=round(turn.seconds, 1))
    told = turn.reason in ("length", "stopped", "time")
    ended = texts.say(language, f"reason_{turn.reason}") if told else ""
    return " · ".join(part for part in (said, waits, ended) if part)


def stopped(turns: Sequence[Turn]) -> list[Turn]:
    """The turns with those that were under way marked as stopped."""
    return [replace(t, reason=t.reason or "stopped") for t in turns]


def under_way(turns: Sequence[Turn]) -> bool:
    """Whether an answer is still to come."""
    return any(not t.reason and not t.error for t in turns)


def columns(
    texts: Texts,
    language: str,
    turns: Sequence[Turn],
    proof: BaseProof | None,
    same: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The value of the comparison's component: one column for each speaker, the base first.

    Args:
        texts: every sentence of the page.
        language: of the page.
        turns: one for each column.
        proof: that the base is the base, once it was made.
        same: what all columns have in common, once they have ended; see `read_same`.
    """
    said = joined(
        answered(
            texts,
            language,
            turn,
            i,
            proof_badge(texts, language, proof) if turn.speaker == BASE else "",
        )
        for i, turn in enumerate(turns)
    )
    busy = "true" if under_way(turns) else "false"
    html = Markup('<div class="columns" style="--columns: {}" aria-busy="{}">{}</div>{}').format(
        len(turns), busy, said, _in_common(texts, language, same)
    )
    return {"html": html, "turns": [asdict(t) for t in turns], "same": same}


def read_same(value: Any) -> dict[str, Any] | None:
    """Prompt tokens, seed and temperature of a comparison; nothing where they are malformed."""
    given = value.get("same") if isinstance(value, dict) else None
    if not isinstance(given, dict):
        return None
    kept = {name: given.get(name) for name in ("tokens", "seed", "temperature")}
    return kept if all(isinstance(number, int | float) for number in kept.values()) else None


def _in_common(texts: Texts, language: str, same: dict[str, Any] | None) -> Markup:
    if same is None:
        return Markup("")
    drawn = "sampled" if same["temperature"] else "greedy"
    return notice(texts.say(language, f"same_{drawn}", **same), "quiet")
