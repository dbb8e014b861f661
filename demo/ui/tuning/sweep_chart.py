"""The picture of a sweep: eval loss against rank, rows or learning rate on a log axis, or method by method.

Draws finished measurements; knows neither the fold nor how runs are queued.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from demo.sweep_records import FULL, SweepPoint, SweepState
from demo.ui.language import Texts
from demo.ui.views import joined

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 26, 26, 52
EDGE = 130
"""Between the highest number and full tuning: it is no number."""
AT_EDGE = WIDTH - RIGHT - 30
"""Where full tuning stands."""
ROW = 56
NAME_TOP = 18


@dataclass(frozen=True)
class Words:
    """How a sweep's values and losses are written."""

    texts: Texts
    language: str
    setting: str

    def value(self, value: float | str) -> str:
        """A value of the setting."""
        if value == FULL and self.setting == "rank":
            return self.texts.say(self.language, "sweep.full")
        if isinstance(value, str):
            return self.texts.say(self.language, f"methods.titles.{value}")
        return self._mark(f"{value:g}") if self.setting == "learning_rate" else f"{value:g}"

    def loss(self, loss: float | None, digits: int = 3) -> str:
        """A loss; a dash where there is none."""
        return "\N{EN DASH}" if loss is None else self._mark(f"{loss:.{digits}f}")

    def _mark(self, number: str) -> str:
        return number if self.language == "en" else number.replace(".", ",")


@dataclass(frozen=True)
class Axis:
    """From a number to its pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, number: float) -> float:
        """Where it stands."""
        share = (number - self.low) / (self.high - self.low or 1.0)
        return self.start + share * (self.end - self.start)


def picture(words: Words, sweep: SweepState) -> Markup:
    """The sweep's losses so far; nothing where there is none."""
    losses = _losses(sweep)
    if not losses:
        return Markup("")
    draw = _methods if sweep.setting == "method" else _numbers
    return draw(words, sweep, _around(losses))


def _losses(sweep: SweepState) -> list[float]:
    points = [*sweep.scored, *([sweep.full] if sweep.full else [])]
    found = [point.loss for point in points if point.loss is not None]
    base = [sweep.base_loss] if sweep.base_loss is not None else []
    return [*found, *base] if found else []


def _around(losses: Sequence[float]) -> tuple[float, float]:
    room = 0.12 * (max(losses) - min(losses)) or 0.1
    return min(losses) - room, max(losses) + room


def _numbers(words: Words, sweep: SweepState, losses: tuple[float, float]) -> Markup:
    """Loss upwards, the value to the right; full tuning stands at the right edge."""
    y = Axis(*losses, HEIGHT - BOTTOM, TOP)
    x = _log_axis(sweep)
    full = next((point for point in sweep.scored if point.value == FULL), sweep.full)
    dots = [(x(point), y.at(point.loss or 0.0), point) for point in sweep.scored]
    parts = [_levels(words, y), _base(words, sweep, y)]
    if full is not None:
        parts.append(_edge(words, y, full, beside=full is sweep.full))
    line = [(px, py) for px, py, point in dots if point.value != FULL]
    parts.append(Markup('<path class="sweep-line" d="{}"/>').format(_path(line)))
    parts += [_dot(words, px, py, point) for px, py, point in dots]
    parts += [_tick(words, x(point), point) for point in sweep.points if point.value != FULL]
    return _svg(words, sweep, HEIGHT, parts)


def _log_axis(sweep: SweepState) -> Callable[[SweepPoint], float]:
    numbers = [float(p.value) for p in sweep.points if not isinstance(p.value, str)]
    if not numbers:  # They were deleted from the shelf one by one: full tuning stands alone.
        return lambda _point: AT_EDGE
    edge = sweep.full is not None or len(numbers) < len(sweep.points)
    low, high = math.log(min(numbers)), math.log(max(numbers))
    room = 30 if len(numbers) > 1 else (WIDTH - LEFT - RIGHT) / 3
    axis = Axis(low, high, LEFT + room, AT_EDGE - EDGE * edge)

    def place(point: SweepPoint) -> float:
        if isinstance(point.value, str):
            return AT_EDGE
        return axis.at(math.log(point.value))

    return place


def _methods(words: Words, sweep: SweepState, losses: tuple[float, float]) -> Markup:
    """A line for each method, its loss to the right."""
    height = TOP + ROW * len(sweep.points) + BOTTOM - 12
    x = Axis(*losses, LEFT, WIDTH - RIGHT - 60)
    parts: list[Markup] = []
    if sweep.base_loss is not None:
        at = x.at(sweep.base_loss)
        said = words.texts.say(words.language, "sweep.base", loss=words.loss(sweep.base_loss))
        parts.append(
            Markup(
                '<line class="base" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>'
                '<text class="tick" x="{0:.1f}" y="{3}" text-anchor="end">{4}</text>'
            ).format(at, TOP - 6, height - BOTTOM + 12, height - 14, said)
        )
    for place, point in enumerate(sweep.points):
        y = TOP + ROW * place + NAME_TOP
        parts.append(
            Markup(
                '<text class="tick name" x="{0}" y="{1}">{2}</text>'
                '<line class="grid" x1="{0}" x2="{3}" y1="{4}" y2="{4}"/>'
            ).format(0, y, words.value(point.value), WIDTH - RIGHT, y + 16)
        )
        if point.loss is not None:
            parts.append(_dot(words, x.at(point.loss), y + 16, point, beside=True))
    return _svg(words, sweep, height, parts)


def _levels(words: Words, y: Axis) -> Markup:
    digits = 3 if y.high - y.low < 0.2 else 2
    levels = [y.low + (y.high - y.low) * part / 3 for part in range(4)]
    line = Markup(
        '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
        '<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>'
    )
    return joined(
        line.format(
            LEFT, WIDTH - RIGHT, y.at(v), y.at(v), LEFT - 8, y.at(v) + 4, words.loss(v, digits)
        )
        for v in levels
    )


def _base(words: Words, sweep: SweepState, y: Axis) -> Markup:
    if sweep.base_loss is None:
        return Markup("")
    said = words.texts.say(words.language, "sweep.base", loss=words.loss(sweep.base_loss))
    return Markup(
        '<line class="base" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
        '<text class="tick" x="{}" y="{:.1f}">{}</text>'
    ).format(
        LEFT, WIDTH - RIGHT, y.at(sweep.base_loss), y.at(sweep.base_loss),
        LEFT + 6, y.at(sweep.base_loss) - 7, said,
    )  # fmt: skip


def _edge(words: Words, y: Axis, full: SweepPoint, *, beside: bool) -> Markup:
    """Where the ranks are heading; a run outside of the sweep is drawn as a ring."""
    x, bottom = AT_EDGE, HEIGHT - BOTTOM
    name = words.texts.say(words.language, "sweep.full")
    line = Markup(
        '<line class="edge" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
        '<text class="tick" x="{3}" y="{4}" text-anchor="end">{5}</text>'
    ).format(x, TOP, bottom, WIDTH - 4, TOP - 8, name)
    if not beside or full.loss is None:
        return line
    at = y.at(full.loss)
    return line + Markup(
        '<circle class="beside" cx="{}" cy="{:.1f}" r="6"/>'
        '<text class="tick" x="{}" y="{:.1f}" text-anchor="middle">{}</text>'
    ).format(x, at, x, at - 12, words.loss(full.loss))


def _dot(words: Words, x: float, y: float, point: SweepPoint, *, beside: bool = False) -> Markup:
    faint = "" if point.whole else " faint"
    html = Markup(
        '<circle class="point{}" cx="{:.1f}" cy="{:.1f}" r="6"/>'
        '<text class="tick said" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
    )
    place = (x + 11, y - 8, "start") if beside else (x, y - 12, "middle")
    return html.format(faint, x, y, *place, words.loss(point.loss))


def _tick(words: Words, x: float, point: SweepPoint) -> Markup:
    text = Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>')
    return text.format(x, HEIGHT - BOTTOM + 22, words.value(point.value))


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))


def _svg(words: Words, sweep: SweepState, height: int, parts: Sequence[Markup]) -> Markup:
    said = "; ".join(f"{words.value(p.value)}: {words.loss(p.loss)}" for p in sweep.scored)
    setting = words.texts.node(words.language, "fields")[sweep.setting]
    told = words.texts.say(words.language, "sweep.chart", setting=setting, losses=said)
    html = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return html.format(WIDTH, height, told, joined(parts))
