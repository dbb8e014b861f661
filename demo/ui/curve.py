"""The loss of a run as a picture and as a table, from its events alone.

Knows neither the run's queue nor the page around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from demo.run_records import RunEvent
from demo.training.overfitting import best_step
from demo.ui.language import Texts
from demo.ui.views import joined

WIDTH, HEIGHT = 720, 240
RATE_HEIGHT = 44
LEFT, RIGHT, TOP, BOTTOM = 44, 16, 14, 30
Point = tuple[int, float]
SCRUB = Markup(
    '<line class="scrub" x1="0" x2="0" y1="{}" y2="{}" style="visibility:hidden"/>'
).format(TOP, HEIGHT - BOTTOM)
"""Where the time-lapse stands; its script moves it."""


@dataclass(frozen=True)
class Scale:
    """Where a step and a loss stand in the picture."""

    steps: int
    low: float
    high: float
    height: int = HEIGHT

    def x(self, step: float) -> float:
        """Pixels from the left."""
        return LEFT + (WIDTH - LEFT - RIGHT) * step / max(self.steps, 1)

    def y(self, loss: float) -> float:
        """Pixels from the top."""
        return TOP + (self.height - TOP - BOTTOM) * (self.high - loss) / (self.high - self.low)

    def path(self, points: Sequence[Point]) -> str:
        """An SVG path through the points."""
        return " ".join(
            f"{'L' if i else 'M'}{self.x(s):.1f} {self.y(v):.1f}" for i, (s, v) in enumerate(points)
        )


def evaluated(events: Sequence[RunEvent]) -> list[Point]:
    """Eval loss by step on the way, without the last one of a run that kept earlier weights."""
    points = losses(events)[1]
    ended = bool(events) and events[-1].train_loss is None and events[-1].step > 0
    earlier = points[:-1] if ended else points
    return earlier if any(step for step, _ in earlier) else points


def losses(events: Sequence[RunEvent]) -> tuple[list[Point], list[Point]]:
    """Train loss and eval loss by step, as far as they were measured."""
    train = [(e.step, e.train_loss) for e in events if e.train_loss is not None]
    held_out = [(e.step, e.eval_loss) for e in events if e.eval_loss is not None]
    return train, held_out


def curve(texts: Texts, language: str, events: Sequence[RunEvent], steps: int) -> Markup:
    """The picture with its legend, and the same numbers as a table for whoever cannot see it."""
    train, held_out = losses(events)[0], evaluated(events)
    values = [loss for _, loss in (*train, *held_out)]
    if not values:
        return Markup("")
    scale = Scale(max(steps, 1), 0.0, max(values) * 1.05 or 1.0)
    best = best_step(events)
    lines = [axes(texts, language, scale), _lines(scale, train, held_out)]
    marks = [_best(texts, language, scale, held_out, best), SCRUB]
    html = Markup(
        '<figure class="curve"><figcaption>{}</figcaption>'
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}" data-left="{}" data-width="{}" data-steps="{}">{}</svg>{}{}</figure>'
    )
    return html.format(
        _legend(texts, language, held_out),
        WIDTH,
        HEIGHT,
        _summary(texts, language, train, held_out),
        LEFT,
        WIDTH - LEFT - RIGHT,
        scale.steps,
        joined([*lines, *marks]),
        _rate(texts, language, events, scale),
        _table(texts, language, events),
    )


def _best(
    texts: Texts, language: str, scale: Scale, held_out: Sequence[Point], step: int
) -> Markup:
    """A ring around the evaluation whose weights are kept, with its words."""
    loss = dict(held_out).get(step)
    if not step or loss is None:
        return Markup("")
    x, y = scale.x(step), scale.y(loss)
    html = Markup(
        '<circle class="best" cx="{:.1f}" cy="{:.1f}" r="7"/><text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
    )
    late = step > scale.steps / 2
    said = texts.say(language, "tuning.best", step=step)
    if late:
        return html.format(x, y, x - 11, y - 9, "end", said)
    # After an early best the losses rise: the words stand below them.
    return html.format(x, y, x + 11, min(y + 20, HEIGHT - BOTTOM - 4), "start", said)


def _rate(texts: Texts, language: str, events: Sequence[RunEvent], scale: Scale) -> Markup:
    """The learning rate as a small line of its own under the losses."""
    rates = [(e.step, e.learning_rate) for e in events if e.learning_rate is not None]
    if len(rates) < 2:
        return Markup("")
    small = Scale(scale.steps, 0.0, max(rate for _, rate in rates) or 1.0, RATE_HEIGHT + BOTTOM - 6)
    said = texts.say(
        language,
        "tuning.rate",
        now=_short(language, rates[-1][1]),
        peak=_short(language, small.high),
    )
    html = Markup(
        '<svg class="rate" viewBox="0 0 {} {}" role="img" aria-label="{}"><path class="rate" d="{}"/></svg><p class="facts">{}</p>'
    )
    return html.format(WIDTH, RATE_HEIGHT + 10, said, small.path(rates), said)


def _short(language: str, rate: float) -> str:
    """Two digits, written out: 0.000045."""
    written = format(Decimal(f"{rate:.2g}"), "f")
    return written if language == "en" else written.replace(".", ",")


def axes(texts: Texts, language: str, scale: Scale) -> Markup:
    """Lines of equal loss, and the first and the last step."""
    tick = Markup(
        '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>'
    )
    levels = [scale.high * part / 3 for part in range(4)]
    across = joined(
        tick.format(
            LEFT,
            WIDTH - RIGHT,
            scale.y(v),
            scale.y(v),
            LEFT - 6,
            scale.y(v) + 4,
            _tenths(language, v),
        )
        for v in levels
    )
    mark = Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="{}">{}</text>')
    ends = ((0, "start", "0"), (scale.steps, "end", texts.say(language, "step", step=scale.steps)))
    return across + joined(
        mark.format(scale.x(s), HEIGHT - 8, anchor, label) for s, anchor, label in ends
    )


def _tenths(language: str, loss: float) -> str:
    written = f"{loss:.1f}"
    return written if language == "en" else written.replace(".", ",")


def _lines(scale: Scale, train: Sequence[Point], held_out: Sequence[Point]) -> Markup:
    drawn = [Markup('<path class="train" d="{}"/>').format(scale.path(train))]
    if len(train) == 1:
        step, loss = train[0]
        dot = Markup('<circle class="train" cx="{:.1f}" cy="{:.1f}" r="3"/>')
        drawn.append(dot.format(scale.x(step), scale.y(loss)))
    if held_out:
        base = scale.y(held_out[0][1])
        drawn.append(
            Markup('<line class="base" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                LEFT, WIDTH - RIGHT, base, base
            )
        )
        drawn.append(Markup('<path class="eval" d="{}"/>').format(scale.path(held_out)))
        drawn += [
            Markup('<circle class="eval" cx="{:.1f}" cy="{:.1f}" r="3.5"/>').format(
                scale.x(s), scale.y(v)
            )
            for s, v in held_out
        ]
    return joined(drawn)


def _legend(texts: Texts, language: str, held_out: Sequence[Point]) -> Markup:
    keys = ("train", "eval", "base") if held_out else ("train",)
    entry = Markup('<span class="key {}">{}</span>')
    return joined(entry.format(key, texts.say(language, f"loss_{key}")) for key in keys)


def _summary(texts: Texts, language: str, train: Sequence[Point], held_out: Sequence[Point]) -> str:
    points = held_out or train
    return texts.say(
        language,
        "curve",
        first=round(points[0][1], 2),
        last=round(points[-1][1], 2),
        step=points[-1][0],
    )


def _table(texts: Texts, language: str, events: Sequence[RunEvent]) -> Markup:
    def number(loss: float | None) -> str:
        return "" if loss is None else texts.number(language, round(loss, 3))

    rows = joined(
        Markup("<tr><td>{}</td><td>{}</td><td>{}</td></tr>").format(
            e.step, number(e.train_loss), number(e.eval_loss)
        )
        for e in events
        if e.train_loss is not None or e.eval_loss is not None
    )
    heads = joined(
        Markup('<th scope="col">{}</th>').format(texts.say(language, key))
        for key in ("step_head", "loss_train", "loss_eval")
    )
    html = Markup(
        '<details><summary>{}</summary><div class="scroll" tabindex="0"><table class="rows"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div></details>'
    )
    return html.format(texts.say(language, "as_table"), heads, rows)
