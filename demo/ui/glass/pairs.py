"""The shipped pairs, all at once: how many pronouns the model gets right, and which word it finds likelier.

Knows no model; scores come one pair after the other, so that they can be stopped.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, cast

import gradio as gr
from markupsafe import Markup

from demo.evaluation.chance import wilson
from demo.prompting.judging import Kind, Question, joined_to, questions, right_twins
from demo.records import Message, ScoreRequest
from demo.ui import speech
from demo.ui.glass import said_again
from demo.ui.glass.distribution import percent
from demo.ui.glass.judged import ratio_in_words
from demo.ui.glass.posed import Posed, Words, line, marked, read_posed, title_of
from demo.ui.glass.said_again import told_in
from demo.ui.glass.section import Asked
from demo.ui.language import Texts
from demo.ui.memory import recalled, visitor
from demo.ui.shell import STREAM, Shell, wire, wire_stop
from demo.ui.views import joined, notice

KINDS: tuple[Kind, ...] = ("pronouns", "words")
SCALE = math.log(16)
"""The difference of log-probabilities at which a bar ends."""


def build(shell: Shell, asked: Asked) -> None:
    """Lay out the buttons and the picture, and wire them."""
    add = shell.labels.add
    add(gr.HTML, "judge.shipped", elem_classes="hint")
    with gr.Row(elem_classes="fold-actions"):
        go = {
            kind: add(gr.Button, f"judge.{kind}", elem_classes="when-judged", min_width=90)
            for kind in KINDS
        }
        stop = add(gr.Button, "judge.stop", elem_classes="when-judging", min_width=90)
    shown = {
        kind: gr.HTML(
            {"html": ""}, html_template="${value.html}", js_on_load=None, elem_id=f"pairs-{kind}"
        )
        for kind in KINDS
    }
    asked.results.update({f"judge_{kind}": part for kind, part in shown.items()})
    judging = {
        kind: wire([button.click], shell.bind(judge_all, kind), asked.inputs, shown[kind], **STREAM)
        for kind, button in go.items()
    }
    kept = shown | {"language": shell.language}
    wire_stop(stop, [*judging.values()], shell.bind(settle_all), kept, [*shown.values()])
    for kind, part in shown.items():
        said_again.follow(shell, asked, part, settle, [judging[kind]])


def judge_all(
    shell: Shell, kind: Kind, request: gr.Request, **given: Any
) -> Iterator[dict[str, Any]]:
    """Judge every shipped question of a kind, by whoever answers in the Playground."""
    language = given["language"]
    asked = {
        "adapter": given["speaks"] or "base",
        "workspace": recalled(given["memory"])["workspace"],
        "visitor": visitor(given["memory"], request),
    }
    scores: list[list[float]] = []
    yield _value(shell.texts, language, (kind, scores), None, live=True)
    try:
        told = Posed(Words("", mode="plain", speaks=asked["adapter"], title=title_of(shell, given)))
        for scores in speech.paced(_scored(shell, kind, asked), shell.gap):
            yield _value(shell.texts, language, (kind, scores), told, live=True)
    except Exception as error:
        yield {"html": notice(shell.explain(language, error))}
        return
    yield _value(shell.texts, language, (kind, scores), told, live=False)


def _scored(shell: Shell, kind: Kind, asked: dict[str, Any]) -> Iterator[list[list[float]]]:
    """Log-probabilities of the options of every question so far."""
    scores: list[list[float]] = []
    for question in questions(kind):
        request = ScoreRequest(
            (Message("user", question.before),),
            joined_to(question.before, question.options),
            completion=True,
            **asked,
        )
        scores = [*scores, [round(one.logprob, 5) for one in shell.lab.score(request)]]
        yield scores


def settle_all(shell: Shell, language: str, **values: Any) -> list[Any]:
    """What was under way is settled; the result of the other kind stays as it is."""
    under_way = [
        isinstance(v, dict) and "kind" in v and "language" not in v for v in values.values()
    ]
    return [
        settle(shell, value, language) if live else gr.skip()
        for value, live in zip(values.values(), under_way, strict=True)
    ]


def settle(shell: Shell, value: Any, language: str) -> dict[str, Any]:
    """What was judged until it was stopped, or has ended, told in this language."""
    return _value(shell.texts, language, read_kept(value), read_posed(value), live=False)


def read_kept(value: Any) -> tuple[Kind, list[list[float]]]:
    """The scores that the picture holds; none when they are not what was given to the browser."""
    given = value if isinstance(value, dict) else {}
    kind = cast(Kind, given.get("kind") if given.get("kind") in KINDS else KINDS[0])
    try:
        rows = list(given.get("scores") or ())[: len(questions(kind))]
        scores = [[min(float(one), 0.0) for one in row] for row in rows]
    except (TypeError, ValueError):
        return kind, []
    whole = all(len(row) == 2 and all(map(math.isfinite, row)) for row in scores)
    return kind, scores if whole else []


def _value(
    texts: Texts,
    language: str,
    found: tuple[Kind, list[list[float]]],
    told: Posed | None,
    *,
    live: bool,
) -> dict[str, Any]:
    kind, scores = found
    asked = questions(kind)
    if live:
        html = _progress(texts, language, len(scores), len(asked))
    elif not scores:
        html = notice(texts.say(language, "judge.none"), "quiet")
    else:
        tell = _right if kind == "pronouns" else _words
        html = tell(texts, language, asked[: len(scores)], scores)
        if len(scores) < len(asked):
            html += notice(
                texts.say(language, "judge.stopped", count=len(scores), all=len(asked)), "quiet"
            )
    html += line(texts, language, told)
    value = {"html": html, "kind": kind, "scores": scores, **marked(told)}
    return value if live else value | told_in(language)


def _progress(texts: Texts, language: str, done: int, count: int) -> Markup:
    said = texts.say(language, "judge.progress", done=done, count=count)
    return Markup(
        '<p class="batch-progress judging" role="status">{}<progress max="{}" value="{}" aria-label="{}"></progress></p>'
    ).format(said, count, done, said)


def _right(
    texts: Texts, language: str, asked: Sequence[Question], scores: Sequence[Sequence[float]]
) -> Markup:
    """How many pronouns were understood, whether that could be chance, and each by itself."""
    right = [row.index(max(row)) == q.right for q, row in zip(asked, scores, strict=True)]
    low, high = wilson(sum(right), len(right))
    values = {
        "right": sum(right),
        "n": len(right),
        "share": percent(texts, language, sum(right) / len(right)),
        "low": percent(texts, language, low),
        "high": percent(texts, language, high),
    }
    lines = [texts.say(language, "judge.luck" if low <= 0.5 <= high else "judge.no_luck")]
    if len(right) % 2 == 0:
        both = {"both": right_twins(right), "twins": len(right) // 2}
        lines.append(texts.say(language, "judge.twins", **both))
    head = Markup('<p class="verdict" role="status">{}</p>').format(
        texts.say(language, "judge.right", **values)
    )
    facts = joined(Markup('<p class="facts">{}</p>').format(line) for line in lines)
    return head + facts + _list(texts, language, asked, scores)


def _words(
    texts: Texts, language: str, asked: Sequence[Question], scores: Sequence[Sequence[float]]
) -> Markup:
    """Which of two words is likelier in every sentence; neither is right."""
    head = Markup('<p class="verdict" role="status">{}</p><p class="facts">{}</p>').format(
        texts.say(language, "judge.words_verdict", n=len(asked)),
        texts.say(language, "judge.words_caution"),
    )
    return head + _list(texts, language, asked, scores)


def _list(
    texts: Texts, language: str, asked: Sequence[Question], scores: Sequence[Sequence[float]]
) -> Markup:
    """All questions, neighbours together: they are to be compared with each other."""
    rows = [_pair(texts, language, q, row) for q, row in zip(asked, scores, strict=True)]
    together = [rows[n : n + 2] for n in range(0, len(rows), 2)]
    legend = Markup('<p class="facts">{}</p>').format(texts.say(language, "judge.pair_legend"))
    items = joined(Markup("<li>{}</li>").format(joined(pair)) for pair in together)
    return legend + Markup('<ol class="pairs">{}</ol>').format(items)


def _pair(texts: Texts, language: str, question: Question, row: Sequence[float]) -> Markup:
    """A sentence with its two options on a two-sided scale: the bar leans to the likelier one."""
    lean = max(-1.0, min(1.0, (row[1] - row[0]) / SCALE))
    winner = int(row[1] > row[0])
    times = ratio_in_words(texts, language, math.exp(min(abs(row[1] - row[0]), 700.0)))
    told = [texts.say(language, "judge.likelier", times=times)]
    if question.right is not None:
        told.append(texts.say(language, "judge.hit" if winner == question.right else "judge.miss"))
    left, right = (
        Markup('<span class="{}">{}</span>').format("likelier" if n == winner else "", option)
        for n, option in enumerate(question.options)
    )
    html = Markup(
        '<p class="sentence">{}\N{NO-BREAK SPACE}…</p><div class="lean" style="--lean: {:.3f}">'
        '{}<i aria-hidden="true"></i>{}<em class="{}">{}</em></div>'
    )
    kind = "wrong" if question.right not in (None, winner) else ""
    return html.format(question.before, lean, left, right, kind, " · ".join(told))
