"""The loss of a run as a picture and as a table, from its events alone.

Knows neither the run's queue nor the page around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from demo.run_records import RunEvent
from demo.ui.language import Texts
from demo.ui.views import joined

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 44, 16, 14, 30
Point = tuple[int, float]


@dataclass(frozen=True)
class Scale:
    """Where a step and a loss stand in the picture."""

    steps: int
    low: float
    high: float

    def x(self, step: float) -> float:
        """Pixels from the left."""
        return LEFT + (WIDTH - LEFT - RIGHT) * step / max(self.steps, 1)

    def y(self, loss: float) -> float:
        """Pixels from the top."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - loss) / (self.high - self.low)

    def path(self, points: Sequence[Point]) -> str:
        """An SVG path through the points."""
        return " ".join(
            f"{'L' if i else 'M'}{self.x(s):.1f} {self.y(v):.1f}" for i, (s, v) in enumerate(points)
        )


def losses(events: Sequence[RunEvent]) -> tuple[list[Point], list[Point]]:
    """Train loss and eval loss by step, as far as they were measured."""
    train = [(e.step, e.train_loss) for e in events if e.train_loss is not None]
    held_out = [(e.step, e.eval_loss) for e in events if e.eval_loss is not None]
    return train, held_out


def curve(texts: Texts, language: str, events: Sequence[RunEvent], steps: int) -> Markup:
    """The picture with its legend, and the same numbers as a table for whoever cannot see it."""
    train, held_out = losses(events)
    values = [loss for _, loss in (*train, *held_out)]
    if not values:
        return Markup("")
    scale = Scale(max(steps, 1), 0.0, max(values) * 1.05 or 1.0)
    drawing = joined([_axes(texts, language, scale), _lines(scale, train, held_out)])
    html = Markup(
        '<figure class="curve"><figcaption>{}</figcaption>'
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>{}</figure>'
    )
    return html.format(
        _legend(texts, language, held_out),
        WIDTH,
        HEIGHT,
        _summary(texts, language, train, held_out),
        drawing,
        _table(texts, language, events),
    )


def _axes(texts: Texts, language: str, scale: Scale) -> Markup:
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
            texts.number(language, round(v, 1)),
        )
        for v in levels
    )
    mark = Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="{}">{}</text>')
    ends = ((0, "start", "0"), (scale.steps, "end", texts.say(language, "step", step=scale.steps)))
    return across + joined(
        mark.format(scale.x(s), HEIGHT - 8, anchor, label) for s, anchor, label in ends
    )


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
