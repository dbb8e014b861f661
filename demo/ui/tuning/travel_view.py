"""Brought and merged adapters as a table, and the code that puts one into its base. Draws only."""

from collections.abc import Sequence

from markupsafe import Markup

from demo.records import AdapterInfo
from demo.ui.language import Texts
from demo.ui.views import joined, notice

HEADS = ("name", "origin", "detail", "base")


def table(texts: Texts, language: str, adapters: Sequence[AdapterInfo]) -> Markup:
    """Every adapter that no run made, the newest first."""
    if not adapters:
        return notice(texts.say(language, "travel.empty"), "quiet")
    heads = joined(
        Markup('<th scope="col">{}</th>').format(texts.say(language, f"travel.heads.{key}"))
        for key in HEADS
    )
    html = Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{}"><table class="rows runs">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>{}"
    )
    caption = texts.node(language, "components.travel.chosen")["label"]
    rows = joined(_row(texts, language, adapter) for adapter in adapters)
    scored = any(a.origin == "brought" and "→" in a.detail for a in adapters)
    foot = texts.say(language, "travel.scores_stated") if scored else ""
    return html.format(caption, heads, rows, Markup('<p class="hint">{}</p>').format(foot))


def _row(texts: Texts, language: str, adapter: AdapterInfo) -> Markup:
    if adapter.problem:
        cells = ["", texts.say(language, "travel.unusable", problem=adapter.problem), ""]
    else:
        origin = texts.say(language, f"travel.{adapter.origin or 'brought'}")
        cells = [origin, adapter.detail, _base(texts, language, adapter)]
    row = joined(Markup("<td>{}</td>").format(cell) for cell in cells)
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(adapter.title, row)


def _base(texts: Texts, language: str, adapter: AdapterInfo) -> str:
    if not adapter.base_stated:
        return texts.say(language, "travel.base_unstated")
    return texts.say(language, f"travel.base_{'differs' if adapter.base_differs else 'same'}")


def code_view(texts: Texts, language: str, lines: str) -> Markup:
    """The lines with a button that copies them."""
    copied, say = texts.say(language, "code.copied"), texts.say
    html = Markup(
        '<p class="hint">{}</p><button type="button" class="quiet copy" data-copied="{}">{}</button>'
        '<span class="unseen" role="status"></span>'
        '<pre class="shown-code" tabindex="0" role="region" aria-label="{}"><code>{}</code></pre>'
    )
    intro = say(language, "travel.code_intro")
    return html.format(
        intro, copied, say(language, "code.copy"), say(language, "code.lines"), lines
    )
