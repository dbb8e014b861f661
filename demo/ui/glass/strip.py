"""The strip of dots of an experiment on prompts, with its verdict in words and its table.

One dot is one prompt. What could be chance is drawn faint and says so. Knows no handler.
"""

from collections.abc import Sequence
from typing import get_args

from markupsafe import Markup

from demo.experiment_records import KindFinding, Sensitivity, Variant, VariantKind
from demo.judging_records import UNLIKELY
from demo.ui.language import Texts
from demo.ui.views import duration, joined, notice, progress_bar

GRID = (0, 25, 50, 75, 100)


def picture(texts: Texts, language: str, so_far: Sensitivity) -> Markup:
    """Everything that is known so far."""
    say = Said(texts, language)
    told = say.verdict(so_far) if so_far.done else say.progress(so_far)
    html = Markup('<div class="strip {}">{}{}{}</div>')
    table = say.table(so_far) if so_far.done and so_far.variants else Markup("")
    return html.format("" if so_far.done else "trying", told, _figure(say, so_far), table)


class Said:
    """An experiment's figures in one language."""

    def __init__(self, texts: Texts, language: str) -> None:
        self._texts = texts
        self._language = language

    def __call__(self, key: str, **values: object) -> str:
        """A sentence of the experiment."""
        return self._texts.say(self._language, f"sensitivity.{key}", **values)

    def percent(self, share: float) -> str:
        """A share of one as whole percent."""
        return self("percent", share=round(100 * share))

    def chance(self, chance: float) -> str:
        """How often chance does it, never as a bare 0."""
        return self.percent(chance) if chance >= 0.01 else self("rarely")

    def progress(self, so_far: Sensitivity) -> Markup:
        """How far it has come, and how long it will take."""
        left = duration(self._texts, self._language, so_far.seconds_left)
        said = self("progress", asked=so_far.asked, total=so_far.total)
        if so_far.asked:
            said = f"{said} · {self('left', time=left)}"
        return progress_bar(said, so_far.asked, so_far.total)

    def verdict(self, so_far: Sensitivity) -> Markup:
        """What was found, in words; what is partial says so first."""
        parts = []
        if so_far.stopped:
            partial = self("partial", asked=so_far.asked, total=so_far.total)
            parts.append(notice(partial, "quiet partial"))
        if not so_far.findings:
            return joined([*parts, notice(self("nothing"), "quiet")])
        matter = [f.kind for f in so_far.findings if f.chance < UNLIKELY]
        names = ", ".join(self(f"kinds.{kind}") for kind in matter)
        headline = self("fragile", kinds=names) if matter else self("steady", n=so_far.questions)
        parts.append(Markup('<p class="verdict">{}</p>').format(headline))
        sentences = joined(
            Markup("<li>{}</li>").format(self.sentence(f, so_far)) for f in so_far.findings
        )
        parts.append(Markup('<ul class="found">{}</ul>').format(sentences))
        parts.append(Markup('<p class="hint">{}</p>').format(self.cost(so_far)))
        return joined(parts)

    def sentence(self, found: KindFinding, so_far: Sensitivity) -> str:
        """What one kind of variants amounts to."""
        given = so_far.variants[0].measured.share
        alike = found.kind in ("order", "wording")
        values = {
            "count": found.count,
            "best": self.percent(found.best),
            "worst": self.percent(found.worst),
            "mean": self.percent(found.mean),
            "given": self.percent(given),
            "shots": so_far.shots,
        }
        what = self(f"found.{found.kind}", **values)
        could = "could_be_chance" if found.chance >= UNLIKELY else "hardly_chance"
        group = "apart" if alike else "away"
        return f"{what} {self(f'{could}.{group}', chance=self.chance(found.chance))}"

    def cost(self, so_far: Sensitivity) -> str:
        """Prompt tokens of a call, with shots and without."""
        given = round(so_far.variants[0].measured.prompt_tokens)
        zero = next((v.measured for v in so_far.variants if v.kind == "zero"), None)
        if zero is None or not zero.count:
            return self("cost", shots=so_far.shots, tokens=given)
        return self("cost_both", shots=so_far.shots, tokens=given, zero=round(zero.prompt_tokens))

    def table(self, so_far: Sensitivity) -> Markup:
        """Every prompt that was tried, in numbers."""
        heads = joined(
            Markup('<th scope="col">{}</th>').format(self(f"table.{key}"))
            for key in ("kind", "detail", "right", "interval", "tokens")
        )
        rows = joined(self._row(variant) for variant in so_far.variants)
        html = Markup(
            '<details class="in-numbers"><summary>{}</summary><div class="scroll" tabindex="0" role="region" aria-label="{}">'
            '<table class="scores tried"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div></details>'
        )
        title = self("table.title")
        return html.format(title, title, heads, rows)

    def _row(self, variant: Variant) -> Markup:
        m = variant.measured
        right = self("right", right=sum(m.right), n=m.count, share=self.percent(m.share))
        if not variant.complete:
            right = f"{right} · {self('unfinished')}"
        cells = (
            variant.detail,
            right,
            self("interval", low=self.percent(m.low), high=self.percent(m.high)),
            self._texts.number(self._language, round(m.prompt_tokens)),
        )
        name = Markup('<th scope="row">{}</th>').format(self.name(variant))
        return Markup("<tr>{}{}</tr>").format(
            name, joined(Markup("<td>{}</td>").format(cell) for cell in cells)
        )

    def name(self, variant: Variant) -> str:
        """A variant's name for people."""
        kind = self(f"kinds.{variant.kind}")
        return kind if variant.kind in ("as_given", "zero") else f"{kind} {variant.number}"


def _figure(say: Said, so_far: Sensitivity) -> Markup:
    if not so_far.variants:
        return Markup("")
    kinds = [k for k in get_args(VariantKind) if any(v.kind == k for v in so_far.variants)]
    rows = joined(_row(say, so_far, kind) for kind in kinds)
    axis = joined(
        Markup('<span data-at="{}">{}</span>').format(at, say.percent(at / 100)) for at in GRID
    )
    html = Markup(
        '<figure style="--guess: {:.1f}%"><figcaption class="scale">{}</figcaption>{}'
        '<p class="strip-row strip-axis" aria-hidden="true"><span></span><span class="axis">{}</span></p></figure>'
    )
    legend = joined(
        Markup('<span class="strip-key {}">{}</span>').format(key, said)
        for key, said in (
            ("dot", say("legend.dot", n=so_far.questions)),
            ("ring", say("legend.ring")),
            ("band", say("legend.band")),
            ("guess", say("legend.guess", share=say.percent(so_far.guess))),
            ("faint", say("legend.faint")),
        )
    )
    return html.format(100 * so_far.guess, legend, rows, axis)


def _row(say: Said, so_far: Sensitivity, kind: VariantKind) -> Markup:
    variants = [v for v in so_far.variants if v.kind == kind and v.measured.count]
    found = next((f for f in so_far.findings if f.kind == kind), None)
    faint = "could-be-chance" if found and found.chance >= UNLIKELY else ""
    band = _band(variants, found)
    html = Markup(
        '<p class="strip-row {}"><span class="strip-name">{}</span>'
        '<span class="track" role="img" aria-label="{}">{}{}</span><span class="strip-said">{}</span></p>'
    )
    told = _told(say, variants, found)
    return html.format(
        faint,
        say(f"kinds.{kind}"),
        f"{say(f'kinds.{kind}')}: {told}",
        band,
        _dots(_alike(so_far, kind, variants)),
        told,
    )


def _band(variants: Sequence[Variant], found: KindFinding | None) -> Markup:
    """The mean and its interval; of the prompt as given, its own."""
    if found is not None:
        mean, low, high = found.mean, found.low, found.high
    elif variants and variants[0].kind == "as_given":
        measured = variants[0].measured
        mean, low, high = measured.share, measured.low, measured.high
    else:
        return Markup("")
    html = Markup(
        '<i class="band" style="left:{:.1f}%;width:{:.1f}%"></i><i class="mean" style="left:{:.1f}%"></i>'
    )
    return html.format(100 * low, 100 * (high - low), 100 * mean)


def _alike(so_far: Sensitivity, kind: VariantKind, variants: list[Variant]) -> list[Variant]:
    """Orders and wordings with the prompt as given, which is one of each."""
    return [so_far.variants[0], *variants] if kind in ("order", "wording") else variants


def _dots(variants: Sequence[Variant]) -> Markup:
    """One dot per prompt; equal ones stand on each other."""
    shares = [round(variant.measured.share, 3) for variant in variants]
    html = Markup('<b class="{}" style="left:{:.1f}%;--up:{}"></b>')
    return joined(
        html.format(_look(v, len(variants)), 100 * v.measured.share, shares[:i].count(shares[i]))
        for i, v in enumerate(variants)
    )


def _look(variant: Variant, beside: int) -> str:
    if not variant.complete:
        return "growing"
    return "given" if variant.kind == "as_given" and beside > 1 else ""


def _told(say: Said, variants: Sequence[Variant], found: KindFinding | None) -> str:
    if found is not None:
        interval = {"low": say.percent(found.low), "high": say.percent(found.high)}
        return say("mean", mean=say.percent(found.mean), **interval)
    if not variants:
        return ""
    measured = variants[-1].measured
    interval = {"low": say.percent(measured.low), "high": say.percent(measured.high)}
    return say("mean", mean=say.percent(measured.share), **interval)
