"""A report as one HTML file that needs nothing else: no script, no address, light and dark as the reader likes.

Every text is escaped, and a fold's picture is cleaned first. Knows values, not who asked for them.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from demo.prompting.characters import marked, pieces
from demo.prompting.report.clean import clean
from demo.prompting.report.readable import mean_attention
from demo.prompting.report.records import Part, Report

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Tells the browser, too, that nothing in this file may run or be fetched."""
PAGE = Markup(
    '<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="{policy}">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><title>{title}</title><style>{style}</style></head>'
    '<body class="report"><main class="gradio-container">{body}</main></body></html>\n'
)
MOST_ROWS = 200
"""Of a table; JSON and CSV have them all."""
HEAD = ("made", "model", "precision", "device")
"""Facts that are told at once; versions stand at the end."""
STEPS = (0.05, 0.2, 0.5, 0.8)
"""Where a token's tint becomes stronger."""


@dataclass(frozen=True)
class Look:
    """How the page is dressed, and in which language."""

    language: str
    words: Mapping[str, str]
    """The page's headings."""
    style: str
    """A style sheet of our own; it must not come from outside."""


def as_page(report: Report, look: Look) -> bytes:
    """The whole file."""
    words = look.words
    head = Markup("<header><h1>{}</h1><p class='facts'>{}</p></header>").format(
        words["title"], " · ".join(report.facts[name] for name in HEAD if name in report.facts)
    )
    prompt = Markup("<p class='facts'>{}</p>{}").format(
        words["tokens"].format(tokens=report.prompt.get("tokens", 0)),
        _code(report.prompt.get("text", ""), words["prompt"]),
    )
    sections = [
        head,
        _section(words["answers"], _conversation(report, words)) if report.answers else "",
        *(_section(part.title, found) for part in report.parts if (found := _found(part, words))),
        _section(words["prompt"], prompt),
        _section(words["settings"], _pairs(report.settings)),
        _section(words["code"], _code(report.code, words["code"])),
        _section(words["facts"], _pairs(report.facts)),
    ]
    page = PAGE.format(
        language=look.language,
        policy=POLICY,
        title=words["title"],
        # A style sheet ends where it says so; ours never does, and nobody else's comes here.
        style=Markup(look.style.replace("</", "<\\/")),
        body=_joined(sections),
    )
    return page.encode("utf-8", "replace")


def _section(title: str, body: Any) -> Markup:
    return Markup("<section><h2>{}</h2>{}</section>").format(title, body)


def _conversation(report: Report, words: Mapping[str, str]) -> Markup:
    html = Markup(
        '<div class="asked"><p class="who">{}</p><p class="said">{}</p></div>'
        '<article class="answer speaker-{}"><p class="who">{}</p><p class="said">{}</p><p class="cost">{}</p></article>'
    )
    colours: dict[str, int] = {"base": 0}
    for answer in report.answers:
        colours.setdefault(str(answer["speaker"]), min(len(colours), 3))
    return _joined(
        html.format(
            words["you"],
            a["question"],
            colours[str(a["speaker"])],
            words["base"] if a["speaker"] == "base" else a["title"] or a["speaker"],
            a["answer"],
            words["cost"].format(tokens=a["tokens"], seconds=round(float(a["seconds"]), 1)),
        )
        for a in report.answers
    )


def _found(part: Part, words: Mapping[str, str]) -> Markup:
    """A fold's picture; where it has none, its tokens tinted, or its values as tables."""
    data = part.data if isinstance(part.data, dict) else {}
    if part.picture:
        return clean(part.picture)
    if part.name == "lens" and data.get("branches"):
        return _facts(data.get("question")) + _branches(data["branches"], words)
    if part.name == "attention" and data.get("attention"):
        drawn = zip(data["tokens"], mean_attention(data["attention"]), strict=True)
        note = _facts(data.get("question")) + _facts(words["attention"])
        return note + _tinted((str(token), weight**0.5, weight) for token, weight in drawn)
    return _tables(part.title, data)


def _facts(said: Any) -> Markup:
    return Markup('<p class="facts">{}</p>').format(said) if said else Markup("")


def _branches(branches: list[dict[str, Any]], words: Mapping[str, str]) -> Markup:
    """Each branch as tinted text, and its tokens in numbers."""
    legend = Markup('<p class="facts">{}</p>').format(words["lens"])
    return legend + _joined(_branch(branch, words) for branch in branches)


def _branch(branch: Mapping[str, Any], words: Mapping[str, str]) -> Markup:
    number, tokens = branch["branch"], branch["tokens"]
    name = words["branch"].format(number=number) if number else words["answer"]
    html = Markup('<h3>{}</h3>{}<details class="in-numbers"><summary>{}</summary>{}</details>')
    rows = [
        {**token, "token": marked(token["token"]), "likeliest": _likeliest(token["likeliest"])}
        for token in tokens
    ]
    return html.format(
        name,
        _tinted(_said(tokens, str(branch["text"]))),
        words["numbers"],
        _table(f"{name}: {words['numbers']}", rows),
    )


def _said(tokens: list[dict[str, Any]], text: str) -> Iterator[tuple[str, float, float]]:
    """What was said with its probability; tokens that only together are a character as one."""
    for piece in pieces([str(token["token"]) for token in tokens], text):
        share = math.prod(float(token["probability"]) for token in tokens[piece.places])
        yield piece.text, share, share


def _likeliest(others: Iterable[Mapping[str, Any]]) -> str:
    return " · ".join(f"{marked(other['token'])!r} {other['probability']:.3f}" for other in others)


def _tinted(tokens: Iterable[tuple[str, float, float]]) -> Markup:
    """Text whose tokens are the stronger tinted the higher their value."""
    html = Markup('<span class="scored" data-sure="{}" title="{:.4f}">{}</span>')
    spans = (
        html.format(sum(strength >= step for step in STEPS), value, text)
        for text, strength, value in tokens
    )
    return Markup('<p class="said tinted">{}</p>').format(_joined(spans))


def _tables(title: str, data: Mapping[str, Any]) -> Markup:
    """Single values as pairs, lists of mappings as tables."""
    single = {k: v for k, v in data.items() if not isinstance(v, dict | list | tuple)}
    lists = {k: v for k, v in data.items() if _is_table(v)}
    mappings = {k: v for k, v in data.items() if isinstance(v, dict) and v}
    parts = [_pairs(single)] if single else []
    parts += [
        Markup("<h3>{}</h3>{}").format(k, _table(f"{title}: {k}", v)) for k, v in lists.items()
    ]
    parts += [Markup("<h3>{}</h3>{}").format(k, _pairs(v)) for k, v in mappings.items()]
    return _joined(parts)


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _table(title: str, rows: list[dict[str, Any]]) -> Markup:
    names = list(dict.fromkeys(name for row in rows for name in row))
    heads = _joined(Markup('<th scope="col">{}</th>').format(name) for name in names)
    cell = Markup("<td>{}</td>")
    body = _joined(
        Markup("<tr>{}</tr>").format(_joined(cell.format(row.get(name, "")) for name in names))
        for row in rows[:MOST_ROWS]
    )
    html = Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{}"><table class="values">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    )
    return html.format(title, heads, body)


def _pairs(values: Mapping[str, Any]) -> Markup:
    row = Markup('<tr><th scope="row">{}</th><td>{}</td></tr>')
    rows = _joined(row.format(name, value) for name, value in values.items())
    return Markup('<table class="values pairs-of"><tbody>{}</tbody></table>').format(rows)


def _code(text: Any, name: str) -> Markup:
    html = Markup('<pre class="shown-code" tabindex="0" role="region" aria-label="{}">{}</pre>')
    return html.format(name, text)


def _joined(parts: Iterable[Any]) -> Markup:
    return Markup("").join(parts)
