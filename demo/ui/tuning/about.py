"""What is told of one method: what it trains and when to take it, its picture, and both maps of the field.

Knows no layout of the page.
"""

from markupsafe import Markup

from demo.methods import METHODS
from demo.methods.method import Method
from demo.ui.language import Texts
from demo.ui.tuning.block import picture
from demo.ui.tuning.measured_view import measured_line, measured_table
from demo.ui.views import joined

VIEWS = ("parameters", "input", "function")
FAMILIES = ("selective", "reparameterized", "additive")


def about(texts: Texts, language: str, name: str, depth: int = 0) -> Markup:
    """Paragraph, formula, source, measured behaviour, picture and maps of a method.

    Args:
        texts: of the page.
        language: to tell it in.
        name: of the method; one that there is not is told as the first.
        depth: layers of the base model, 0 while it loads.
    """
    method = METHODS.get(name) or next(iter(METHODS.values()))
    words = Markup(
        '<div class="method-words"><p>{}</p><p class="formula"><code>{}</code></p><p class="facts">{}</p>{}{}{}</div>'
    ).format(
        texts.say(language, f"methods.about.{method.name}"),
        texts.say(language, f"methods.formulas.{method.name}"),
        _source(texts, language, method),
        measured_line(texts, language, method.name),
        maps(texts, language, method),
        measured_table(texts, language, method.name),
    )
    return Markup('<div class="method">{}{}</div>').format(
        words, picture(texts, language, method, depth)
    )


def _source(texts: Texts, language: str, method: Method) -> str:
    if method.name == "full":
        return texts.say(language, "methods.yardstick")
    return texts.say(language, "methods.source", source=method.source)


def maps(texts: Texts, language: str, chosen: Method) -> Markup:
    """Both maps as one table: what is touched down the side, how it is done along the top."""
    heads = joined(
        Markup('<th scope="col">{}</th>').format(texts.say(language, f"methods.families.{f}"))
        for f in FAMILIES
    )
    rows = joined(_row(texts, language, view, chosen) for view in VIEWS)
    html = Markup(
        '<p class="hint">{0}</p><div class="scroll" tabindex="0" role="region" aria-label="{0}"><table class="field-map">'
        "<thead><tr><td></td>{1}</tr></thead><tbody>{2}</tbody></table></div>"
    )
    return html.format(texts.say(language, "methods.map"), heads, rows)


def _row(texts: Texts, language: str, view: str, chosen: Method) -> Markup:
    head = Markup('<th scope="row">{}</th>').format(texts.say(language, f"methods.views.{view}"))
    cells = (_cell(texts, language, view, family, chosen) for family in FAMILIES)
    return Markup("<tr>{}{}</tr>").format(head, joined(cells))


def _cell(texts: Texts, language: str, view: str, family: str, chosen: Method) -> Markup:
    here = [m for m in METHODS.values() if (m.view, m.family) == (view, family)]
    names = joined(_name(texts, language, method, chosen) for method in here)
    return Markup('<td class="{}">{}</td>').format("here" if chosen in here else "", names)


def _name(texts: Texts, language: str, method: Method, chosen: Method) -> Markup:
    title = texts.say(language, f"methods.titles.{method.name}")
    if method != chosen:
        return Markup("<span>{}</span> ").format(title)
    return Markup('<strong aria-current="true">{}</strong> ').format(title)
