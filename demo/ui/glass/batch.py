"""Several answers to one question as they come: how they are asked for, followed, kept and told.

Their texts live in the browser, inside the value of the component that shows them. Knows neither
what they are drawn for nor how they are counted.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.lab.answers import MOST_DRAWS
from demo.records import Answer, AnswerRequest
from demo.ui import speech
from demo.ui.language import Texts
from demo.ui.shell import Shell
from demo.ui.views import duration, joined

GAP = 0.2
"""Seconds between two pictures at least: a count is followed by eye, not read word by word."""
FACTS = ("prompt_tokens", "reused")


def picture() -> Any:
    """The component that holds the batch and what is shown of it."""
    return gr.HTML({"html": ""}, html_template="${value.html}", js_on_load=None)


def follow(shell: Shell, question: AnswerRequest, count: int) -> Iterator[list[Answer]]:
    """Draw answers to one question; leaving the iterator stops them all."""
    with closing(shell.lab.draws(question, count)) as increments:
        for answers in speech.paced(increments, lambda: max(GAP, 2 * shell.gap())):
            yield list(answers)


def drawn_with(question: AnswerRequest, **changed: Any) -> AnswerRequest:
    """The question with a fold's own sampling controls. Raises `BadInput` out of their ranges."""
    return replace(question, sampling=replace(question.sampling, **changed))


def kept(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Answers as a browser keeps them."""
    return [
        {"text": a.text, "tokens": a.tokens, "reason": (a.reason or "end") if a.done else ""}
        | {name: getattr(a, name) for name in FACTS}
        for a in answers
    ]


def read_kept(value: Any) -> list[Answer]:
    """The answers that a component's value holds; what is malformed is dropped."""
    given = value.get("draws") if isinstance(value, dict) else None
    answers = []
    for entry in given[:MOST_DRAWS] if isinstance(given, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("text"), str):
            reason = str(entry.get("reason", ""))
            numbers = {n: _count(entry.get(n)) for n in ("tokens", *FACTS)}
            answers.append(
                Answer(entry["text"], done=bool(reason), reason=reason, **numbers)  # type: ignore[arg-type]
            )
    return answers


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def ended(answers: Sequence[Answer]) -> list[Answer]:
    """The answers that came to their end; those that were stopped or failed half-way are none."""
    return [a for a in answers if a.done and not a.error and a.reason != "stopped"]


def progress(texts: Texts, language: str, answers: Sequence[Answer]) -> Markup:
    """How many have ended, as a bar and in words; and what is still being written."""
    if not answers:
        return Markup('<p class="batch-progress">{}</p>').format(
            texts.say(language, "answer_reading")
        )
    done = sum(a.done for a in answers)
    if waiting := next((a for a in answers if a.waiting and not a.tokens), None):
        time_left = duration(texts, language, waiting.wait_seconds)
        said = texts.say(language, "answer_waiting", count=waiting.waiting, time=time_left)
    else:
        tokens = sum(a.tokens for a in answers)
        said = texts.say(language, "batch.progress", done=done, count=len(answers), tokens=tokens)
    html = Markup(
        '<p class="batch-progress">{}<progress max="{}" value="{}" aria-label="{}"></progress></p><ul class="unfinished" aria-hidden="true">{}</ul>'
    )
    lines = joined(
        Markup("<li>{}</li>").format(a.text[-160:]) for a in answers if a.text and not a.done
    )
    return html.format(said, len(answers), done, said, lines)


def cost(texts: Texts, language: str, answers: Sequence[Answer]) -> str:
    """What was generated and read for it: the prompt is read once for all."""
    prompt = max((a.prompt_tokens for a in answers), default=0)
    return texts.say(
        language,
        "batch.cost" if len(answers) > 1 else "batch.cost_one",
        tokens=sum(a.tokens for a in answers),
        prompt=prompt,
        read=sum(max(0, a.prompt_tokens - a.reused) for a in answers),
        count=len(answers),
    )


def stopped_line(texts: Texts, language: str, answers: Sequence[Answer]) -> str:
    """How many were stopped before their end, which are not counted; empty when none was."""
    missing = len(answers) - len(ended(answers))
    return texts.say(language, "batch.stopped", count=missing) if missing else ""


def failure(answers: Sequence[Answer]) -> Exception | None:
    """Why a batch ended without a single answer."""
    errors = [a.error for a in answers if a.error]
    return errors[0] if errors and not ended(answers) else None


def cut_short(texts: Texts, language: str, answer: Answer) -> str:
    """That an answer ended for want of tokens or time."""
    known = answer.reason in ("length", "time")
    return texts.say(language, f"reason_{answer.reason}") if known else ""
