"""The fold "Twenty draws": the same question drawn twenty times as one batch, grouped by identical text.

Knows no model; the lab draws.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.prompting.votes import Vote, grouped
from demo.records import Answer, Sampling
from demo.ui.glass import batch, said_again
from demo.ui.glass.distribution import percent
from demo.ui.glass.posed import Posed, line, marked, posed, read_posed
from demo.ui.glass.said_again import told_in
from demo.ui.glass.section import Asked, question_now, section
from demo.ui.language import Texts
from demo.ui.shell import STREAM, Shell, wire, wire_stop
from demo.ui.views import joined, notice

COUNT = 20
TEMPERATURE = 0.8
LONGEST = 24
"""Tokens of one draw at first: short texts repeat, long ones hardly ever do."""


def build(shell: Shell, asked: Asked) -> None:
    """Lay out the fold and wire it."""
    low, high, _ = Sampling.RANGES["temperature"]
    with section(shell, "draws"):
        with gr.Row(elem_classes="fold-knobs"):
            knob = {"interactive": True, "buttons": [], "min_width": 200}
            warmth = shell.labels.add(
                gr.Slider, "draws.temperature", minimum=low, maximum=high, step=0.05,
                value=TEMPERATURE, **knob,
            )  # fmt: skip
            longest = shell.labels.add(
                gr.Slider, "draws.longest", minimum=1, maximum=128, step=1, value=LONGEST, **knob
            )
        with gr.Row(elem_classes="fold-actions"):
            go = shell.labels.add(gr.Button, "draws.go", elem_classes="when-drawn", min_width=90)
            stop = shell.labels.add(
                gr.Button, "draws.stop", elem_classes="when-drawing", min_width=90
            )
        shown = batch.picture()
    asked.results["draws"] = shown
    inputs = asked.inputs | {"warmth": warmth, "longest": longest}
    drawing = wire([go.click], shell.bind(draw), inputs, shown, **STREAM)
    kept = {"value": shown, "language": shell.language}
    wire_stop(stop, [drawing], shell.bind(settle), kept, shown)
    said_again.follow(shell, asked, shown, settle, [drawing])


def draw(shell: Shell, request: gr.Request, **given: Any) -> Iterator[dict[str, Any]]:
    """Twenty answers to the present question; what has ended is grouped as it comes."""
    language, answers = given["language"], []
    yield _value(shell.texts, language, [], given["warmth"], None, live=True)
    try:
        asked = question_now(shell, request, given)
        question = batch.drawn_with(
            asked, temperature=given["warmth"], max_new_tokens=given["longest"]
        )
        warmth, told = question.sampling.temperature, posed(shell, given, question, drawn=True)
        for answers in batch.follow(shell, question, COUNT):
            yield _value(shell.texts, language, answers, warmth, told, live=True)
        if failed := batch.failure(answers):
            raise failed
        yield _value(shell.texts, language, answers, warmth, told, live=False)
    except Exception as error:
        yield {"html": notice(shell.explain(language, error))}


def settle(shell: Shell, value: Any, language: str) -> dict[str, Any]:
    """What was drawn until it was stopped, or has ended, told in this language."""
    warmth = value.get("warmth") if isinstance(value, dict) else 0.0
    answers, told = batch.read_kept(value), read_posed(value)
    return _value(shell.texts, language, answers, warmth, told, live=False)


def _value(
    texts: Texts,
    language: str,
    answers: Sequence[Answer],
    warmth: Any,
    told: Posed | None,
    *,
    live: bool,
) -> dict[str, Any]:
    """The picture, and the draws that it shows."""
    done = batch.ended(answers)
    above = (
        batch.progress(texts, language, answers)
        if live
        else _summary(texts, language, answers, done, warmth)
    )
    groups = grouped([answer.text for answer in done])
    html = Markup('<div class="batch {}">{}<ol class="groups">{}</ol>{}</div>').format(
        "drawing" if live else "",
        above,
        joined(_group(texts, language, group, done) for group in groups),
        line(texts, language, told),
    )
    found = {"html": html, "draws": batch.kept(answers), "warmth": warmth, **marked(told)}
    return found if live else found | told_in(language)


def _summary(
    texts: Texts, language: str, answers: Sequence[Answer], done: Sequence[Answer], warmth: Any
) -> Markup:
    """How many different texts there are, in one sentence; and what they cost."""
    facts = []
    if done:
        greedy = texts.say(language, "draws.greedy") if warmth == 0 and len(done) > 1 else ""
        stopped = batch.stopped_line(texts, language, answers)
        facts = [stopped, greedy, batch.cost(texts, language, done)]
    html = Markup('<p class="verdict" role="status">{}</p>')
    return html.format(_verdict(texts, language, answers, done)) + joined(
        Markup('<p class="facts">{}</p>').format(line) for line in facts if line
    )


def _verdict(texts: Texts, language: str, answers: Sequence[Answer], done: Sequence[Answer]) -> str:
    """The sentence that fits: from nothing to compare over all equal to all different."""
    groups = grouped([answer.text for answer in done])
    facts = {"count": len(done), "different": len(groups), "most": 0, "share": ""}
    if not groups:
        key, facts["count"] = "none" if answers else "nothing", len(answers)
    elif len(done) == 1:
        key = "one"
    elif len(groups) == 1:
        key = "all_equal"
    else:
        facts["most"] = groups[0].count
        facts["share"] = percent(texts, language, groups[0].count / len(done))
        key = "verdict" if groups[0].count > 1 else "all_different"
    return texts.say(language, f"draws.{key}", **facts)


def _group(texts: Texts, language: str, group: Vote, done: Sequence[Answer]) -> Markup:
    """One text, how often it came, and its share as a bar."""
    html = Markup(
        '<li><div class="bar" aria-hidden="true"><i class="after" style="width:{:.1f}%"></i></div><p class="times">{}</p><p class="said">{} <span class="cost">{}</span></p></li>'
    )
    return html.format(
        100 * group.count / len(done),
        texts.say(language, "draws.times", count=group.count),
        group.answer or texts.say(language, "batch.empty"),
        batch.cut_short(texts, language, done[group.chains[0]]),
    )
