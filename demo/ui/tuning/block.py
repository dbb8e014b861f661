"""The unified view as a picture: one layer of a transformer, with what a method trains lit.

Drawn by hand as SVG; what is lit is also bold, thickly edged and named in the picture's description.
Knows no method by name.
"""

from dataclasses import dataclass

from markupsafe import Markup

from demo.methods.method import Method
from demo.ui.language import Texts
from demo.ui.views import joined

WIDTH, HEIGHT = 312, 470
MIDDLE = 156


@dataclass(frozen=True)
class Box:
    """One part of the picture."""

    part: str
    """As in `Method.touches`."""
    x: int
    y: int
    width: int
    height: int = 34
    optional: bool = False
    """Only there where a method puts it in."""

    @property
    def middle(self) -> tuple[float, float]:
        """Where its word stands."""
        return self.x + self.width / 2, self.y + self.height / 2 + 5


BOXES = (
    Box("head", 56, 34, 200),
    Box("norms", 56, 80, 200, 24),
    Box("after_feed_forward", 96, 142, 120, 28, optional=True),
    Box("feed_forward", 56, 182, 200, 40),
    Box("norms", 56, 234, 200, 24),
    Box("after_attention", 96, 276, 120, 28, optional=True),
    Box("attention", 56, 316, 200, 40),
    Box("norms", 56, 368, 200, 24),
    Box("embeddings", 56, 420, 200, 30),
)
KEYS_VALUES = Box("keys_values", 126, 321, 124, 30)
"""Stands within attention where these alone are trained."""
LAYER = (24, 126, 252, 280)
"""The frame that is repeated."""
JOINS = ((134, 264), (268, 404))
"""Where a residual path rejoins and where it leaves, for the feed-forward and for attention."""


def picture(texts: Texts, language: str, method: Method, depth: int) -> Markup:
    """The layer with the method's parts lit, its legend, and a description for whoever cannot see it.

    Args:
        texts: of the page.
        language: to draw it in.
        method: whose parts are lit.
        depth: how often the layer is repeated; 0 while the model still loads.
    """
    html = Markup(
        '<figure class="layer"><svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
        '<figcaption><span class="layer-key lit">{}</span><span class="layer-key">{}</span></figcaption></figure>'
    )
    return html.format(
        WIDTH,
        HEIGHT,
        _description(texts, language, method, depth),
        joined([_frame(texts, language, depth), *_boxes(texts, language, method)]),
        _say(texts, language, "legend_trained"),
        _say(texts, language, "legend_frozen"),
    )


def _say(texts: Texts, language: str, key: str, **values: object) -> str:
    return texts.say(language, f"methods.{key}", **values)


def _word(texts: Texts, language: str, method: Method, part: str) -> str:
    """What a box is called; virtual tokens stand where the embeddings of words stand."""
    if part == "embeddings" and method.view == "input" and part in method.touches:
        part = "virtual"
    if part == "head" and method.objective == "labels":
        part = "labels"
    return _say(texts, language, f"parts.{part}")


def _description(texts: Texts, language: str, method: Method, depth: int) -> str:
    parts = list(dict.fromkeys(_word(texts, language, method, p) for p in sorted(method.touches)))
    title = _say(texts, language, f"titles.{method.name}")
    shown = depth or "?"
    return _say(texts, language, "diagram", method=title, parts=", ".join(parts), depth=shown)


def _boxes(texts: Texts, language: str, method: Method) -> list[Markup]:
    shown = [box for box in BOXES if not box.optional or box.part in method.touches]
    if "keys_values" in method.touches:
        shown.append(KEYS_VALUES)
    return [_box(box, _word(texts, language, method, box.part), method.touches) for box in shown]


def _box(box: Box, word: str, touched: frozenset[str]) -> Markup:  # type: ignore[type-arg]
    html = Markup(
        '<g class="{}"><rect x="{}" y="{}" width="{}" height="{}" rx="4"/>'
        '<text x="{}" y="{}" text-anchor="middle">{}</text></g>'
    )
    lit = box.part in touched
    x, y = box.middle
    if box.part == "attention" and "keys_values" in touched:
        return html.format("", box.x, box.y, box.width, box.height, box.x + 35, y, word)
    kind = "lit" if lit else ""
    return html.format(kind, box.x, box.y, box.width, box.height, x, y, word)


def _frame(texts: Texts, language: str, depth: int) -> Markup:
    """The stream from the tokens up to the next one, the repeated frame, and the residual paths."""
    x, y, width, height = LAYER
    stream = Markup('<path class="stream" d="M{0} {1}V28"/>').format(MIDDLE, HEIGHT - 16)
    frame = Markup(
        '<rect class="frame" x="{}" y="{}" width="{}" height="{}" rx="8"/>'
        '<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>'
    ).format(
        x,
        y,
        width,
        height,
        x + width - 8,
        y + 18,
        _say(texts, language, "layers", depth=depth) if depth else "",
    )
    paths = joined(
        Markup('<path class="stream" d="M{0} {2}H40V{1}H{0}"/>').format(MIDDLE, top, bottom)
        for top, bottom in JOINS
    )
    ends = ((22, "next"), (HEIGHT - 4, "tokens"))
    word = Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>')
    words = (word.format(MIDDLE, at, _say(texts, language, f"parts.{k}")) for at, k in ends)
    return joined([frame, stream, paths, *words])
