"""What the fold shows of a sweep: one sentence, the chart, what its numbers stand on, and a table.

Draws only; which sweep is shown is the fold's business.
"""

from typing import Any

from markupsafe import Markup

from demo.sweep_records import SweepPoint, SweepState, SweepVerdict
from demo.training.sweep_result import verdict
from demo.ui.language import Texts
from demo.ui.tuning.costs import weights
from demo.ui.tuning.sweep_chart import Words, picture
from demo.ui.views import duration, joined, notice

HEADS = ("value", "loss", "trainable", "steps", "time", "state")
LEAST_SHARE = 0.1
"""Percent."""


def view(texts: Texts, language: str, sweep: SweepState | None) -> Markup:
    """A sweep as it stands; what will stand here where there is none."""
    if sweep is None:
        return notice(texts.say(language, "sweep.empty"), "quiet")
    words = Words(texts, language, sweep.setting)
    drawn = picture(words, sweep)
    figure = Markup('<figure class="curve sweep"><figcaption>{}</figcaption>{}</figure>')
    caption = _caption(texts, language, sweep)
    return joined(
        [
            _state(texts, language, sweep),
            _said(words, verdict(sweep), sweep),
            figure.format(caption, drawn) if drawn else "",
            _noise(texts, language, sweep),
            _table(words, sweep),
        ]
    )


def banner(texts: Texts, language: str, sweep: SweepState, shown: dict[str, Any]) -> dict[str, Any]:
    """The line above all tabs while a sweep is under way and no other run is followed."""
    done = sum(not point.live for point in sweep.points)
    said = texts.say(language, "sweep.banner", name=sweep.name, done=done, count=len(sweep.points))
    share = 100 * (done + _part(sweep)) / len(sweep.points)
    html = Markup(
        '<p class="run live"><span class="pulse"></span>{}<progress max="100" value="{:.0f}" aria-label="{}"></progress></p>'
    )
    title = f"{share:.0f} % · {texts.say(language, 'title')}"
    return shown | {"html": html.format(said, share, said), "title": title, "live": True}


def _part(sweep: SweepState) -> float:
    """How much of the run that trains is done."""
    trains = next((point for point in sweep.points if point.status == "running"), None)
    return min(1.0, trains.step / trains.steps) if trains and trains.steps else 0.0


def _state(texts: Texts, language: str, sweep: SweepState) -> Markup:
    count, done = len(sweep.points), sum(not point.live for point in sweep.points)
    if sweep.live:
        said = texts.say(language, "sweep.progress", done=done, count=count)
        return Markup('<p class="facts" role="status"><span class="pulse"></span> {}</p>').format(
            said
        )
    got = len(sweep.whole)
    partial = texts.say(language, "sweep.partial", got=got, count=count)
    return notice(partial, "quiet") if got < count else Markup("")


def _said(words: Words, found: SweepVerdict | None, sweep: SweepState) -> Markup:
    """The sweep in one sentence, once there is something to compare."""
    if found is None:
        return Markup("")
    key = f"near_{sweep.setting}" if found.key == "near" else found.key
    share = 100 * found.share
    said = words.texts.say(
        words.language,
        f"sweep.verdict.{key}",
        best=_named(words, found.best),
        other=_named(words, found.cheaper) if found.cheaper else "",
        loss=words.loss(found.best.loss),
        base=words.loss(sweep.base_loss),
        gap=words.loss(found.gap),
        share=round(share) if share >= 1 else round(max(share, LEAST_SHARE), 1),
    )
    return Markup('<p class="verdict">{}</p>').format(said[:1].upper() + said[1:])


def _named(words: Words, point: SweepPoint) -> str:
    value = words.value(point.value)
    if isinstance(point.value, str):
        return value
    return words.texts.say(words.language, f"sweep.named.{words.setting}", value=value)


def _caption(texts: Texts, language: str, sweep: SweepState) -> Markup:
    fields = texts.node(language, "fields")
    axis = "" if sweep.setting == "method" else f" ({texts.say(language, 'sweep.log')})"
    across = fields[sweep.setting] + axis
    return Markup("<span>{} · {}</span>").format(texts.say(language, "sweep.loss"), across)


def _noise(texts: Texts, language: str, sweep: SweepState) -> Markup:
    if not sweep.held_out:
        return Markup("")
    lines = [texts.say(language, "sweep.held_out", n=sweep.held_out)]
    if sweep.full is not None:
        loss = Words(texts, language, sweep.setting).loss(sweep.full.loss)
        lines.append(texts.say(language, "sweep.full_beside", loss=loss))
    return joined(Markup('<p class="hint">{}</p>').format(line) for line in lines)


def _table(words: Words, sweep: SweepState) -> Markup:
    texts, language = words.texts, words.language
    heads = joined(
        Markup('<th scope="col">{}</th>').format(texts.say(language, f"sweep.heads.{key}"))
        for key in HEADS
    )
    rows = joined(_row(words, point) for point in sweep.points)
    html = Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{0}"><table class="scores sweep">'
        "<thead><tr>{1}</tr></thead><tbody>{2}</tbody></table></div>"
    )
    title = texts.node(language, "components.sweep.title")["label"]
    return html.format(title, heads, rows)


def _row(words: Words, point: SweepPoint) -> Markup:
    texts, language = words.texts, words.language
    steps = (
        f"{point.step} / {point.steps}" if point.live or point.step < point.steps else point.step
    )
    cells = (
        words.loss(point.loss),
        weights(texts, language, point.trainable) if point.trainable else "",
        steps if point.steps else "",
        duration(texts, language, point.seconds) if point.seconds else "",
        texts.say(language, f"status_{point.status}"),
    )
    row = joined(Markup("<td>{}</td>").format(cell) for cell in cells)
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(words.value(point.value), row)
