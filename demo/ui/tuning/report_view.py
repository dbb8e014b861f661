"""The doctor's report as HTML built from escaped values only: findings, fixes in force, lengths.

Knows no check: what a finding means stands in the texts under its key.
"""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from demo.dataset_records import Bar, Example, Finding, Fix, FixDone, Report
from demo.ui.language import Texts
from demo.ui.views import joined

LINES_SHOWN = 12
DAMAGE_SHOWN = 5


def report(texts: Texts, language: str, found: Report) -> Markup:
    """The whole report."""
    findings = [_finding(texts, language, found, finding) for finding in found.findings]
    fixes = [_done(texts, language, done) for done in found.fixes]
    healthy = Markup('<p class="notice quiet" role="status">{}</p>').format(
        texts.say(language, "doctor.healthy", count=found.rows)
    )
    parts = [
        _list("findings", findings) if findings else healthy,
        _heading(texts, language, "doctor.fixed_heading") if fixes else "",
        _list("fixes", fixes) if fixes else "",
        _lengths(texts, language, found),
    ]
    return Markup('<div class="doctor">{}</div>').format(joined(parts))


def _heading(texts: Texts, language: str, key: str) -> Markup:
    return Markup("<h3>{}</h3>").format(texts.say(language, key))


def _list(kind: str, items: Iterable[Markup]) -> Markup:
    return Markup('<ul class="{}">{}</ul>').format(kind, joined(items))


def _finding(texts: Texts, language: str, found: Report, finding: Finding) -> Markup:
    head = texts.say(
        language, f"doctor.findings.{finding.key}", count=finding.count, **finding.values
    )
    parts = [Markup("<p><b>{}</b></p>").format(head), _places(texts, language, found, finding)]
    parts += [_damage(texts, language, found, finding)] if finding.damage else []
    parts += [_examples(texts, language, finding.examples)] if finding.examples else []
    if finding.fix:
        said = texts.say(language, f"doctor.fixes.{finding.fix.key}")
        count = texts.say(language, "doctor.rows_after", before=finding.before, after=finding.after)
        parts.append(_button(finding.fix, f"{said} ({count})", undo=False))
    else:
        advice = texts.say(language, f"doctor.advice.{finding.key}")
        parts.append(Markup("<p>{}</p>").format(advice))
    return Markup('<li class="finding {}">{}</li>').format(finding.severity, joined(parts))


def _places(texts: Texts, language: str, found: Report, finding: Finding) -> Markup:
    if not finding.lines:
        return Markup("")
    lines = ", ".join(map(str, finding.lines[:LINES_SHOWN]))
    more = " …" if finding.count > len(finding.lines[:LINES_SHOWN]) else ""
    said = texts.say(language, f"doctor.at_{found.place}", lines=lines + more)
    return Markup('<p class="facts">{}</p>').format(said)


def _damage(texts: Texts, language: str, found: Report, finding: Finding) -> Markup:
    item = Markup("<li>{} {}: {}. {}</li>")
    place = texts.say(language, f"doctor.{found.place}")
    return _list(
        "damage",
        (
            item.format(
                place,
                damage.line,
                texts.say(language, f"damage.{damage.key}.problem", **damage.values),
                texts.say(language, f"damage.{damage.key}.cure"),
            )
            for damage in finding.damage[:DAMAGE_SHOWN]
        ),
    )


def _examples(texts: Texts, language: str, examples: Sequence[Example]) -> Markup:
    item = Markup("<li><span>{}</span> <del>{}</del>{}</li>")
    changed = Markup(" → <ins>{}</ins>")
    rows = (
        item.format(
            example.line,
            visible(example.before),
            changed.format(example.after) if example.after else "",
        )
        for example in examples
    )
    said = texts.say(language, "doctor.examples")
    return Markup("<details><summary>{}</summary>{}</details>").format(said, _list("rows", rows))


def visible(text: str) -> str:
    """With a mark in the place of every character that nobody would see."""
    return "".join(c if c.isprintable() or c == "\n" else f"[{ord(c):04X}]" for c in text)


def _done(texts: Texts, language: str, done: FixDone) -> Markup:
    said = texts.say(language, f"doctor.fixes.{done.fix.key}")
    counts = texts.say(
        language, "doctor.done", changed=done.changed, before=done.before, after=done.after
    )
    undo = _button(done.fix, texts.say(language, "doctor.undo"), undo=True)
    parts = [Markup("<p><b>{}</b> · {}</p>").format(said, counts)]
    parts += [_examples(texts, language, done.examples)] if done.examples else []
    return Markup("<li>{}{}</li>").format(joined(parts), undo)


def _button(fix: Fix, words: str, *, undo: bool) -> Markup:
    button = Markup(
        '<button type="button" data-fix="{}" data-limit="{}" data-undo="{}">{}</button>'
    )
    return button.format(fix.key, fix.limit, "yes" if undo else "no", words)


def _lengths(texts: Texts, language: str, found: Report) -> Markup:
    """How long the rows are: bars, and where a run leaves rows out."""
    if not found.lengths:
        return Markup("")
    most = max(bar.rows for bar in found.lengths)
    bars = joined(_bar(bar, most, found.max_length) for bar in found.lengths)
    values = {"median": found.median, "longest": found.longest, "high": found.max_length}
    said = texts.say(language, "doctor.lengths", **values)
    heading = _heading(texts, language, "doctor.lengths_heading")
    return Markup('{}<p class="facts">{}</p><ol class="lengths">{}</ol>').format(
        heading, said, bars
    )


def _bar(bar: Bar, most: int, limit: int) -> Markup:
    kind = "over" if bar.low > limit else "fits"
    share = round(100 * bar.rows / most)
    span = str(bar.low) if bar.low == bar.high else f"{bar.low}\N{EN DASH}{bar.high}"
    item = Markup(
        '<li class="{}"><span>{}</span><i><b style="width:{}%"></b></i><span>{}</span></li>'
    )
    return item.format(kind, span, share, bar.rows)
