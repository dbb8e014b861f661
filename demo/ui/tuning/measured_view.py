"""What the methods reached on a machine: one line for one method, a table of them all, losers included.

Draws the numbers of the measurement's file as they stand; shows nothing where there is none.
"""

from markupsafe import Markup

from demo.methods.measured import Measurement, measurement
from demo.ui.language import Texts
from demo.ui.views import cores, joined

HEADS = ("method", "bleu", "seconds", "share")
NEGLIGIBLE = 0.01
"""Percent below which a share is only said to be less."""


def measured_line(texts: Texts, language: str, name: str) -> Markup:
    """What one method reached; empty where it was not measured."""
    found = measurement()
    if found is None or name not in found.methods:
        return Markup("")
    reached = found.methods[name]
    said = texts.say(
        language, "methods.measured.line",
        bleu=_tenths(language, reached.bleu), base=_tenths(language, found.base),
        seconds=round(reached.seconds), share=_share(texts, language, found, name),
        cores=cores(texts, language, found.cores), date=found.date,
    )  # fmt: skip
    return Markup('<p class="facts measured">{}</p>').format(said)


def measured_table(texts: Texts, language: str, chosen: str) -> Markup:
    """Every measured method and the base, the best first; empty where nothing was measured."""
    found = measurement()
    if found is None:
        return Markup("")
    title = texts.say(language, "methods.measured.title")
    heads = joined(
        Markup('<th scope="col">{}</th>').format(texts.say(language, f"methods.measured.{head}"))
        for head in HEADS
    )
    note = texts.say(
        language, "methods.measured.note",
        machine=found.cpu, cores=cores(texts, language, found.cores),
        date=found.date, command=found.command,
    )  # fmt: skip
    return Markup(
        '<details class="measured"><summary>{0}</summary><div class="scroll" tabindex="0" role="region" aria-label="{0}">'
        '<table class="scores costs"><thead><tr>{1}</tr></thead><tbody>{2}</tbody></table></div>'
        '<p class="hint">{3}</p></details>'
    ).format(title, heads, _rows(texts, language, found, chosen), note)


def _rows(texts: Texts, language: str, found: Measurement, chosen: str) -> Markup:
    """The methods by BLEU, and the base where it stands among them."""
    rows = [
        (reached.bleu, _method(texts, language, found, name, chosen))
        for name, reached in found.methods.items()
    ]
    base = texts.say(language, "base_model")
    rows.append((found.base, _row(base, (_tenths(language, found.base), "", ""))))
    return joined(row for _, row in sorted(rows, key=lambda row: -row[0]))


def _method(texts: Texts, language: str, found: Measurement, name: str, chosen: str) -> Markup:
    reached, title = found.methods[name], texts.say(language, f"methods.titles.{name}")
    cells = (
        _tenths(language, reached.bleu),
        texts.say(language, "seconds", count=round(reached.seconds)),
        _share(texts, language, found, name),
    )
    return _row(Markup("<strong>{}</strong>").format(title) if name == chosen else title, cells)


def _row(head: str | Markup, cells: tuple[str, ...]) -> Markup:
    said = joined(Markup("<td>{}</td>").format(cell) for cell in cells)
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(head, said)


def _tenths(language: str, bleu: float) -> str:
    """One decimal, also where it is a zero."""
    written = f"{bleu:.1f}"
    return written if language == "en" else written.replace(".", ",")


def _share(texts: Texts, language: str, found: Measurement, name: str) -> str:
    share = found.share(name)
    low = share < NEGLIGIBLE
    said = texts.number(language, NEGLIGIBLE if low else share)
    return f"{'< ' if low else ''}{said} %"
