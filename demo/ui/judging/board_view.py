"""The scoreboard as a picture: a verdict in words, bars with intervals, every score, and telling rows.

What could be chance is drawn faint and says so. Knows no handler.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup

from demo.judging_records import Judged, Score, Scoreboard
from demo.ui.language import Texts
from demo.ui.views import counted, duration, joined, notice, progress_bar

SHARES = (
    "label_accuracy",
    "exact_match",
    "contains",
    "f1",
    "bleu",
    "chrf",
    "rouge1",
    "rouge2",
    "rougeL",
)
"""Metrics of 0 to 100 that are drawn; the others are numbers only."""
LOWER_IS_BETTER = ("perplexity",)
FEW_WORDS = 4
"""References of so many words at most are compared word by word, not by BLEU."""
TELLING = 3
"""Rows shown of each kind."""
DASH = "\u2013"
LARGEST = 1e6
"""A perplexity beyond says no more than this."""


def picture(texts: Texts, language: str, board: Scoreboard) -> Markup:
    """Everything that is known so far."""
    say = Said(texts, language)
    told = say.verdict(board) if board.done else say.progress(board)
    if not board.n:
        return Markup('<div class="board {}">{}</div>').format("" if board.done else "trying", told)
    parts = [told, say.bars(board), say.table(board)]
    if board.done:
        parts.append(say.telling(board))
    state = "" if board.done else "trying"
    return Markup('<div class="board {}">{}</div>').format(state, joined(parts))


def headline_metric(board: Scoreboard) -> str:
    """The metric that says most of such references."""
    if board.labels:
        return "label_accuracy"
    words = [len(own[0].split()) for own in board.references]
    return "f1" if words and max(words) <= FEW_WORDS else "bleu"


class Said:
    """A scoreboard's figures in one language."""

    def __init__(self, texts: Texts, language: str) -> None:
        self._texts = texts
        self._language = language

    def __call__(self, key: str, **values: object) -> str:
        """A sentence of the scoreboard."""
        return self._texts.say(self._language, f"scoreboard.{key}", **values)

    def name(self, judged: Judged) -> str:
        """Who answers, and with what in front."""
        column = judged.column
        parts = [judged.title or self._texts.say(self._language, "base_model")]
        parts += (
            [counted(self._texts, self._language, "scoreboard.with_shots", column.shots)]
            if column.shots
            else []
        )
        parts += [self("with_steps")] if column.steps else []
        return " · ".join(parts)

    def figure(self, value: float) -> str:
        """A score as it is printed: one decimal; a dash for what is no number, and 10⁶ is enough."""
        if not math.isfinite(value):
            return DASH
        if abs(value) > LARGEST:
            return "> 10⁶"
        written = f"{float(value):.1f}"
        return written if self._language == "en" else written.replace(".", ",")

    def chance(self, chance: float) -> str:
        """How often chance alone would do it."""
        return self("rarely") if chance < 0.01 else self("percent", share=round(100 * chance))

    def progress(self, board: Scoreboard) -> Markup:
        """How far it has come, and how long it will take."""
        said = self("progress", asked=board.asked, total=board.total)
        if board.asked:
            left = duration(self._texts, self._language, board.seconds_left)
            said = f"{said} · {self('left', time=left)}"
        return progress_bar(said, board.asked, board.total)

    def verdict(self, board: Scoreboard) -> Markup:
        """What came of it; what is partial, or was learned before, says so first."""
        parts: list[Markup] = []
        if board.stopped:
            parts.append(
                notice(self("partial", n=board.n, total=len(board.questions)), "quiet partial")
            )
        if board.learned:
            parts.append(notice(self("learned", count=board.learned), "warn"))
        if board.n:
            parts.append(Markup('<p class="verdict">{}</p>').format(self._headline(board)))
        return joined(parts)

    def _headline(self, board: Scoreboard) -> str:
        metric = headline_metric(board)
        first, *others = board.columns
        if metric not in first.scores:
            return self("nothing")
        values = {"metric": self(f"metrics.{metric}"), "first": self.name(first)}
        values["base"] = self.figure(first.scores[metric].interval.value)
        if not others:
            return self("alone", **values, n=board.n)
        best = max(others, key=lambda column: column.scores[metric].interval.value)
        score = best.scores[metric]
        values |= {"best": self.name(best), "score": self.figure(score.interval.value)}
        apart = score.against_first
        if apart is None:
            return self("too_few", **values, n=board.n)
        if apart.could_be_chance:
            return self("chance", **values, n=board.n, chance=self.chance(apart.chance))
        outcome = "better" if apart.value > 0 else "worse"
        return self(
            outcome, **values, n=board.n, apart=self.figure(abs(apart.value)),
            chance=self.chance(apart.chance),
        )  # fmt: skip

    def bars(self, board: Scoreboard) -> Markup:
        """The metric that says most, a bar for each column with its interval."""
        metric = headline_metric(board)
        rows = [
            self._bar(column, column.scores[metric], place)
            for place, column in enumerate(board.columns)
            if metric in column.scores
        ]
        legend = self("legend", metric=self(f"metrics.{metric}"), n=board.scored)
        html = Markup('<p class="scale">{}</p><ol class="rungs board-bars">{}</ol>')
        return html.format(legend, joined(rows)) if rows else Markup("")

    def _bar(self, column: Judged, score: Score, place: int) -> Markup:
        low, high = score.interval.low, score.interval.high
        band = Markup("")
        if low is not None and high is not None:
            band = Markup('<i class="interval" style="left:{:.1f}%;width:{:.1f}%"></i>').format(
                low, high - low
            )
        html = Markup(
            '<li class="speaker-{} {}"><span class="rung-name">{}</span>'
            '<span class="rung-bar" aria-hidden="true"><i class="whole" style="width:{:.1f}%"></i>{}</span>'
            '<span class="cost">{}</span></li>'
        )
        apart = score.against_first
        faint = "could-be-chance" if apart and apart.could_be_chance else ""
        notes = [self.interval(score), self.cost(column)]
        if apart is not None and math.isfinite(apart.value):
            notes.insert(1, self("could_be_chance" if apart.could_be_chance else "hardly_chance"))
        value = max(0.0, min(100.0, score.interval.value))
        return html.format(place, faint, self.name(column), value, band, " · ".join(notes))

    def interval(self, score: Score) -> str:
        """A score with its interval, where there is one."""
        found = score.interval
        if found.low is None or found.high is None:
            return self("no_interval", value=self.figure(found.value), n=found.n)
        ends = {"low": self.figure(found.low), "high": self.figure(found.high)}
        return self("interval", value=self.figure(found.value), **ends)

    def cost(self, column: Judged) -> str:
        """What an answer costs, on average."""
        n = max(1, len(column.answers))
        return self(
            "cost",
            prompt=round(column.prompt_tokens / n),
            tokens=round(sum(column.lengths) / n),
            seconds=self.figure(column.seconds),
        )

    def table(self, board: Scoreboard) -> Markup:
        """Every score of every column in numbers, folded."""
        names = list(board.columns[0].scores)
        head = joined(Markup('<th scope="col">{}</th>').format(self.name(c)) for c in board.columns)
        rows = joined(self._row(name, board) for name in names)
        html = Markup(
            '<details class="numbers"><summary>{}</summary><div class="wide"><table class="board-scores">'
            '<thead><tr><th scope="col">{}</th>{}</tr></thead><tbody>{}</tbody></table></div>'
            '<p class="hint">{}</p></details>'
        )
        hint = self("table_hint", n=board.scored)
        return html.format(self("table"), self("metric"), head, rows, hint)

    def _row(self, metric: str, board: Scoreboard) -> Markup:
        cells = []
        for column in board.columns:
            score = column.scores.get(metric)
            if score is None:
                cells.append(Markup("<td></td>"))
                continue
            apart = score.against_first
            faint = "could-be-chance" if apart and apart.could_be_chance else ""
            cells.append(Markup('<td class="{}">{}</td>').format(faint, self.interval(score)))
        told = self(f"metrics.{metric}") + (
            f" {self('lower')}" if metric in LOWER_IS_BETTER else ""
        )
        return Markup('<tr><th scope="row">{}</th>{}</tr>').format(told, joined(cells))

    def telling(self, board: Scoreboard) -> Markup:
        """Best, worst and most changed rows by the metric that says most."""
        metric = headline_metric(board)
        last = board.columns[-1]
        rows = last.scores[metric].rows if metric in last.scores else ()
        if len(rows) < 2:
            return Markup("")
        order = sorted(range(len(rows)), key=lambda n: rows[n])
        kinds = {"worst": order[:TELLING], "best": order[::-1][:TELLING]}
        if len(board.columns) > 1:
            first = board.columns[0].scores[metric].rows
            kinds["changed"] = sorted(order, key=lambda n: -abs(rows[n] - first[n]))[:TELLING]
        folds = joined(self._fold(kind, places, board, metric) for kind, places in kinds.items())
        return folds

    def _fold(self, kind: str, places: Sequence[int], board: Scoreboard, metric: str) -> Markup:
        rows = joined(self._told(place, board, metric) for place in places)
        title = self(f"rows.{kind}", column=self.name(board.columns[-1]))
        html = Markup(
            '<details class="numbers"><summary>{}</summary><ol class="telling">{}</ol></details>'
        )
        return html.format(title, rows)

    def _told(self, place: int, board: Scoreboard, metric: str) -> Markup:
        answers = joined(
            Markup('<p class="answer speaker-{}"><span class="who">{} · {}</span> {}</p>').format(
                n,
                self.name(column),
                self.figure(column.scores[metric].rows[place]),
                column.answers[place] or self("no_answer"),
            )
            for n, column in enumerate(board.columns)
        )
        html = Markup('<li><p class="asked">{}</p>{}<p class="cost">{}</p></li>')
        wanted = self("wanted", reference=board.references[place][0])
        return html.format(board.questions[place], answers, wanted)
