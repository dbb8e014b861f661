"""The ladder of a prompt search: every prompt with its score, and the measured truth in words.

What could be chance says so, after Holm's correction for as many comparisons as there are. Knows no
handler.
"""

from collections.abc import Sequence
from dataclasses import replace

from markupsafe import Markup

from demo.evaluation.chance import holm
from demo.experiment_records import Rung, Search
from demo.judging_records import UNLIKELY
from demo.ui.language import Texts
from demo.ui.views import duration, joined, notice, progress_bar

FIRST = ("given", "plain")
"""Kinds of the rung that all others are compared with."""


def compared(rungs: Sequence[Rung], questions: int) -> tuple[Rung, ...]:
    """Rungs with the chances of those that were compared with the first one corrected (Holm 1979)."""
    others = [n for n, rung in enumerate(rungs) if _is_compared(rung, questions)]
    raised = dict(zip(others, holm([rungs[n].chance for n in others]), strict=True))
    return tuple(replace(r, chance=raised.get(n, r.chance)) for n, r in enumerate(rungs))


def _is_compared(rung: Rung, questions: int) -> bool:
    return rung.kind not in FIRST and 0 < rung.measured.count == questions


def picture(texts: Texts, language: str, so_far: Search) -> Markup:
    """Everything that is known so far."""
    say = Said(texts, language)
    so_far = replace(so_far, rungs=compared(so_far.rungs, so_far.questions))
    told = say.verdict(so_far) if so_far.done else say.progress(so_far)
    rungs = joined(say.rung(rung, so_far) for rung in so_far.rungs)
    html = Markup('<div class="ladder {}">{}{}<ol class="rungs">{}</ol>{}</div>')
    legend = say.legend(so_far) if so_far.rungs else Markup("")
    state = "ended" if so_far.done else "trying"
    return html.format(state, told, legend, rungs, say.checked(so_far))


class Said:
    """A search's figures in one language."""

    def __init__(self, texts: Texts, language: str) -> None:
        self._texts = texts
        self._language = language

    def __call__(self, key: str, **values: object) -> str:
        """A sentence of the search."""
        return self._texts.say(self._language, f"search.{key}", **values)

    def percent(self, share: float) -> str:
        """A share of one as whole percent."""
        return self("percent", share=round(100 * share))

    def progress(self, so_far: Search) -> Markup:
        """What is being done, how far it has come, and how long it will take."""
        said = self(f"stage.{so_far.stage}", asked=so_far.asked, total=so_far.total)
        if so_far.asked:
            left = duration(self._texts, self._language, so_far.seconds_left)
            said = f"{said} · {self('left', time=left)}"
        return progress_bar(said, so_far.asked, so_far.total)

    def verdict(self, so_far: Search) -> Markup:
        """What came of it; what is partial says so first."""
        parts: list[Markup] = []
        if so_far.stopped:
            partial = self("partial", asked=so_far.asked, total=so_far.total)
            parts.append(notice(partial, "quiet partial"))
        elif headline := self._headline(so_far):
            parts.append(Markup('<p class="verdict">{}</p>').format(headline))
        written = {"kept": so_far.proposed, "discarded": so_far.discarded}
        told = self("written", **written)
        if any(rung.kind == "model" for rung in so_far.rungs):
            right = self("written_right", kept=so_far.proposed, right=so_far.proposed_right)
            told = f"{told} {right}"
        parts.append(Markup('<p class="hint">{}</p>').format(told))
        if count := sum(_is_compared(rung, so_far.questions) for rung in so_far.rungs):
            said = self("compared_one" if count == 1 else "compared", count=count)
            parts.append(Markup('<p class="hint">{}</p>').format(said))
        return joined(parts)

    def _headline(self, so_far: Search) -> str:
        """The model's prompt against ours: on fresh rows where there are any."""
        pair = so_far.checked or so_far.rungs
        ours = next((r for r in pair if r.kind in FIRST), None)
        own = next((r for r in pair if r.kind in ("proposed", "model")), None)
        if ours is None or own is None:
            return self("nothing")
        better = own.measured.share > ours.measured.share
        luck = own.chance >= UNLIKELY
        outcome = "chance" if luck else "better" if better else "worse"
        kind = "instructions" if ours.kind == "given" else "chains"
        return self(
            f"outcome.{kind}_{outcome}",
            ours=self.percent(ours.measured.share),
            own=self.percent(own.measured.share),
            n=own.measured.count,
        )

    def legend(self, so_far: Search) -> Markup:
        """How a rung is read."""
        said = self("legend", n=so_far.questions)
        if so_far.guess:
            said = f"{said} {self('guess', share=self.percent(so_far.guess))}"
        return Markup('<p class="scale">{}</p>').format(said)

    def rung(self, rung: Rung, so_far: Search) -> Markup:
        """One prompt with its score, or that it has none yet."""
        known = _is_compared(rung, so_far.questions)
        luck = known and rung.chance >= UNLIKELY
        notes = [self.score(rung)]
        if known:
            notes.append(self("could_be_chance" if luck else "hardly_chance"))
        html = Markup(
            '<li class="{}"><span class="rung-name">{}</span>{}{}<span class="cost">{}</span></li>'
        )
        look = f"rung-{rung.kind} {'could-be-chance' if luck else ''}"
        return html.format(
            look, self(f"kinds.{rung.kind}"), self._bar(rung), self._text(rung), " · ".join(notes)
        )

    def score(self, rung: Rung) -> str:
        """Right answers with their interval, and the cost of a call; nothing is known before the first."""
        m = rung.measured
        if not m.count:
            return self("not_asked")
        return self(
            "score",
            right=sum(m.right),
            n=m.count,
            share=self.percent(m.share),
            low=self.percent(m.low),
            high=self.percent(m.high),
            tokens=round(m.prompt_tokens),
        )

    def _bar(self, rung: Rung) -> Markup:
        m = rung.measured
        if not m.count:
            return Markup("")
        html = Markup(
            '<span class="rung-bar" aria-hidden="true"><i class="whole" style="width:{:.1f}%"></i>'
            '<i class="interval" style="left:{:.1f}%;width:{:.1f}%"></i></span>'
        )
        return html.format(100 * m.share, 100 * m.low, 100 * (m.high - m.low))

    def _text(self, rung: Rung) -> Markup:
        if not rung.text:
            return Markup("")
        if rung.kind in ("hand", "model"):
            html = Markup('<details class="said"><summary>{}</summary>{}</details>')
            return html.format(self("examples"), rung.text)
        return Markup('<span class="said">{}</span>').format(rung.text)

    def checked(self, so_far: Search) -> Markup:
        """The finalists once more, on rows that the choice did not look at."""
        if not so_far.checked:
            return Markup("")
        rows = joined(
            Markup("<li>{}: {}</li>").format(self(f"kinds.{rung.kind}"), self.score(rung))
            for rung in so_far.checked
        )
        html = Markup('<p class="rung-check">{}</p><ul class="found">{}</ul>')
        return html.format(self("check"), rows)
