"""A fold's picture as a browser sent it becomes HTML that can only be looked at.

Read by a parser and written anew: a few elements and attributes are known, everything else is dropped,
and every text is escaped. So nothing in it runs, is fetched or leads anywhere. Knows no fold.
"""

import re
from html.parser import HTMLParser

from markupsafe import Markup, escape

DRAWN = frozenset(
    [
        "svg",
        "g",
        "path",
        "line",
        "rect",
        "circle",
        "ellipse",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "title",
        "desc",
    ]
)
SHOWN = frozenset(
    [
        "div",
        "p",
        "span",
        "b",
        "strong",
        "i",
        "em",
        "s",
        "small",
        "code",
        "pre",
        "br",
        "hr",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "h3",
        "h4",
        "h5",
        "h6",
        "details",
        "summary",
        "table",
        "caption",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
        "figure",
        "figcaption",
        "progress",
        "meter",
    ]
)
EMPTY = frozenset({"br", "hr"})
SILENT = frozenset(
    {"script", "style", "template", "iframe", "noscript", "button", "select", "textarea"}
)
"""Elements that are dropped with all that is in them."""
ATTRIBUTES = frozenset(
    [
        "class",
        "role",
        "scope",
        "colspan",
        "rowspan",
        "title",
        "lang",
        "dir",
        "value",
        "max",
        "min",
        "low",
        "high",
        "optimum",
        "viewbox",
        "width",
        "height",
        "x",
        "y",
        "x1",
        "y1",
        "x2",
        "y2",
        "cx",
        "cy",
        "r",
        "rx",
        "ry",
        "d",
        "points",
        "transform",
        "fill",
        "stroke",
        "stroke-width",
        "stroke-dasharray",
        "stroke-linecap",
        "opacity",
        "text-anchor",
        "dominant-baseline",
        "font-size",
        "preserveaspectratio",
        "dx",
        "dy",
    ]
)
CAMEL = {"viewbox": "viewBox", "preserveaspectratio": "preserveAspectRatio"}
"""The parser lowers these names; SVG wants them as they are."""
LABELS = re.compile(r"aria-(label|hidden|current)|data-(sure|kind|chance|side)")
NUMBER = r"-?[\d.]+(px|em|rem|%|ch)?"
STYLE = re.compile(rf"(width|height|left|top|right|bottom|--[a-z-]{{1,20}})\s*:\s*{NUMBER}")
"""Lengths and numbers only: no addresses, no positions on the page but inside the picture."""
DEEPEST = 60


def clean(picture: str) -> Markup:
    """The picture with nothing in it but what can be looked at."""
    cleaner = _Cleaner()
    cleaner.feed(picture)
    cleaner.close()
    return cleaner.done()


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self._silent = 0
        self._written: list[Markup] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent += 1
        known = tag in DRAWN or tag in SHOWN
        if self._silent or not known or len(self._open) >= DEEPEST:
            return
        self._written.append(Markup("<{}{}>").format(Markup(tag), _kept(attrs)))
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(self._silent - 1, 0)
        elif not self._silent and tag in self._open:
            while self._close() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._written.append(escape(data))

    def done(self) -> Markup:
        while self._open:
            self._close()
        return Markup("").join(self._written)

    def _close(self) -> str:
        tag = self._open.pop()
        self._written.append(Markup("</{}>").format(Markup(tag)))
        return tag


def _kept(attributes: list[tuple[str, str | None]]) -> Markup:
    kept = []
    for name, value in attributes:
        text = _style(value or "") if name == "style" else value or ""
        known = name in ATTRIBUTES or LABELS.fullmatch(name) or (name == "style" and text)
        known = known or (name, text) == ("tabindex", "0")
        # No address of any kind, not even one of a gradient.
        if known and "url(" not in text.lower().replace(" ", ""):
            kept.append(Markup(' {}="{}"').format(Markup(CAMEL.get(name, name)), text))
    return Markup("").join(kept)


def _style(value: str) -> str:
    rules = (rule.strip() for rule in value.split(";"))
    return "; ".join(rule for rule in rules if STYLE.fullmatch(rule))
