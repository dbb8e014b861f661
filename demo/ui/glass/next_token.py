"""The fold "The next token": one look at the model's distribution, redrawn as the controls move.

What was looked at is kept by the browser, so that a redraw asks the model nothing. Knows no model.
"""

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.errors import LabError
from demo.look_records import Candidate, NextToken
from demo.prompting.reshape import reshape
from demo.records import Sampling
from demo.ui.glass.distribution import distribution
from demo.ui.glass.posed import line, marked, posed, read_posed
from demo.ui.glass.section import Asked, question_now, section
from demo.ui.language import Texts
from demo.ui.shell import AT_ONCE, STREAM, Shell, chain, wire
from demo.ui.theme import ASSETS
from demo.ui.views import notice

MOST_KEPT = 20_000
"""Entries that are read of what a browser sends: more than a full context can make."""
LONGEST_TOKEN = 200
QUESTION_SHOWN = 80


def build(shell: Shell, asked: Asked) -> None:
    """Lay out the fold and wire it."""
    with section(shell, "next_token"):
        look_button = shell.labels.add(gr.Button, "next_token.look", elem_classes="fold-button")
        kept = gr.HTML({}, html_template="<i></i>", elem_classes="kept-only", js_on_load=None)
        script = (ASSETS / "next_token.js").read_text(encoding="utf-8")
        picture = gr.HTML("", elem_id="next-token", js_on_load=script)
    asked.results.update(next_token=kept, next_token_picture=picture)
    knobs = {f.name: asked.inputs[f.name] for f in fields(Sampling)}
    looking = wire([look_button.click], shell.bind(look), asked.inputs, [kept, picture], **STREAM)
    # What changes its look alone: the language, and every control but length and seed.
    given = {"kept": kept, "language": shell.language, **knobs}
    moved = [part.change for name, part in knobs.items() if name not in ("max_new_tokens", "seed")]
    wire(
        [*moved, shell.language.input],
        shell.bind(redraw),
        given,
        picture,
        trigger_mode="always_last",
        **AT_ONCE,
    )
    chain(looking, shell.bind(after_look), given, picture, **AT_ONCE)


def look(shell: Shell, request: gr.Request, **given: Any) -> Iterator[tuple[Any, Any]]:
    """Ask the model for its distribution after the present question, once."""
    language = given["language"]
    yield gr.skip(), notice(shell.texts.say(language, "next_token.reading"), "quiet")
    try:
        question = question_now(shell, request, given)
        seen = shell.lab.next_token(question)
    except Exception as error:
        yield {}, notice(shell.explain(language, error))
        return
    after = question.messages[-1].content[-QUESTION_SHOWN:]
    told = marked(posed(shell, given, question, drawn=False))
    kept = packed(seen) | {"after": after, "language": language, **told}
    yield kept, picture_of(shell.texts, language, kept, question.sampling)


def after_look(shell: Shell, kept: Any, language: str, **knobs: Any) -> Any:
    """The picture once more, where the page's language changed during the look."""
    same = isinstance(kept, dict) and kept.get("language") == language
    return gr.skip() if same else redraw(shell, kept, language, **knobs)


def redraw(shell: Shell, kept: Any, language: str, **knobs: Any) -> Any:
    """The same distribution under the controls as they stand now; nothing before the first look."""
    if not isinstance(kept, dict) or not kept.get("candidates"):
        return gr.skip()
    try:
        return picture_of(shell.texts, language, kept, Sampling(**knobs))
    except LabError as error:
        return notice(shell.explain(language, error))


def picture_of(texts: Texts, language: str, kept: dict[str, Any], sampling: Sampling) -> Markup:
    """What the fold shows of a distribution that the browser keeps."""
    seen = unpacked(kept)
    if seen is None:
        return Markup("")
    after = str(kept.get("after", ""))[-QUESTION_SHOWN:]
    facts = texts.say(language, "next_token.facts", tokens=seen.prompt_tokens, text=after)
    shape = reshape(seen, sampling)
    above = Markup('<p class="facts">{}</p>').format(facts)
    shown = distribution(texts, language, seen, shape, sampling)
    return above + shown + line(texts, language, read_posed(kept))


def packed(seen: NextToken) -> dict[str, Any]:
    """A distribution as a browser keeps it."""
    return {
        "candidates": [[c.id, c.text, round(c.logit, 4), int(c.said)] for c in seen.candidates],
        "tail": [[round(logit, 4), count] for logit, count in seen.tail],
        "prompt_tokens": seen.prompt_tokens,
    }


def unpacked(kept: dict[str, Any]) -> NextToken | None:
    """What a browser has kept; None when it is not what was given to it."""
    try:
        candidates = tuple(
            Candidate(int(i), str(text)[:LONGEST_TOKEN], _finite(logit), bool(said))
            for i, text, logit, said in kept["candidates"][:MOST_KEPT]
        )
        tail = tuple((_finite(logit), int(count)) for logit, count in kept["tail"][:MOST_KEPT])
        if any(not 0 < count < 10**7 for _, count in tail) or not candidates:
            return None
        return NextToken(candidates, tail, int(kept["prompt_tokens"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or abs(number) > 10_000:
        raise ValueError
    return number
