"""The eval losses of several runs in one picture, and the settings in which they differ.

Draws finished measurements; knows neither the shelf nor the queue.
"""

from collections.abc import Sequence

from markupsafe import Markup

from demo.methods import METHODS
from demo.run_records import RunState
from demo.ui.curve import HEIGHT, WIDTH, Scale, axes, evaluated, losses
from demo.ui.language import Texts
from demo.ui.views import joined

MOST = 4
"""As many as there are colours and dashes for speakers."""


def overlay(texts: Texts, language: str, runs: Sequence[RunState]) -> Markup:
    """One line for each run, its eval loss or else its train loss, over the share of steps done."""
    lines = [points for run in runs[:MOST] if (points := _points(run))]
    if not lines:
        return Markup("")
    high = max(loss for points in lines for _, loss in points) * 1.05
    scale = Scale(max(step for points in lines for step, _ in points), 0.0, high)
    drawn = joined(
        Markup('<path class="over over-{}" d="{}"/>').format(place, scale.path(_points(run)))
        for place, run in enumerate(runs[:MOST])
        if _points(run)
    )
    html = Markup(
        '<figure class="curve overlay"><figcaption>{}</figcaption>'
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg></figure>'
    )
    return html.format(
        _legend(runs),
        WIDTH,
        HEIGHT,
        _description(texts, language, runs),
        joined([axes(texts, language, scale), drawn]),
    )


def _points(run: RunState) -> list[tuple[int, float]]:
    return evaluated(run.events) or losses(run.events)[0]


def _legend(runs: Sequence[RunState]) -> Markup:
    return joined(
        Markup('<span class="over-key over-{}">{}</span>').format(place, run.name)
        for place, run in enumerate(runs[:MOST])
    )


def _description(texts: Texts, language: str, runs: Sequence[RunState]) -> str:
    ends = [
        f"{run.name}: {texts.number(language, round(points[-1][1], 2))}"
        for run in runs[:MOST]
        if (points := _points(run))
    ]
    return texts.say(language, "tuning.overlay", losses="; ".join(ends))


def differences(texts: Texts, language: str, runs: Sequence[RunState]) -> Markup:
    """A table of the settings in which the runs differ; a sentence where they are all the same."""
    shown = runs[:MOST]
    settings = [_relevant(run) for run in shown]
    names = [
        name
        for name in dict.fromkeys(name for values in settings for name in values)
        if len({values.get(name) for values in settings}) > 1
    ]
    if not names:
        return Markup('<p class="facts">{}</p>').format(texts.say(language, "tuning.no_difference"))
    head = joined(Markup('<th scope="col">{}</th>').format(run.name) for run in shown)
    rows = joined(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            texts.node(language, "fields").get(name, name),
            joined(
                Markup("<td>{}</td>").format(_value(texts, language, name, values.get(name)))
                for values in settings
            ),
        )
        for name in names
    )
    html = Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{0}"><table class="scores differ"><caption>{0}</caption>'
        "<thead><tr><td></td>{1}</tr></thead><tbody>{2}</tbody></table></div>"
    )
    return html.format(texts.say(language, "tuning.differences"), head, rows)


def _relevant(run: RunState) -> dict[str, object]:
    """The settings that a run's method has, and what it learned from."""
    return {"dataset": run.dataset} | METHODS[run.settings.method].relevant(run.settings)


def _value(texts: Texts, language: str, name: str, value: object) -> str:
    if value is None:
        return "\N{EN DASH}"
    if name == "method":
        return texts.say(language, f"methods.titles.{value}")
    if isinstance(value, bool):
        return texts.say(language, "tuning.yes" if value else "tuning.no")
    if isinstance(value, float):
        return f"{value:g}" if language == "en" else f"{value:g}".replace(".", ",")
    return texts.number(language, value)
