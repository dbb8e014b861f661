"""An election as a page shows it: votes as bars, agreement with n, the measured truth, every chain.

Knows neither who drew the chains nor the controls beside them.
"""

from collections.abc import Sequence

from markupsafe import Markup

from demo.evaluation.chance import wilson
from demo.prompting.extract import EXTRACTORS
from demo.prompting.votes import Tally, Vote, same, tally
from demo.records import Answer
from demo.ui.glass import batch
from demo.ui.glass.distribution import percent
from demo.ui.language import Texts
from demo.ui.views import joined

LONGEST_ANSWER = 200
"""Characters of an answer beside its bar; the chain itself is shown whole."""
NAMED = 4
"""Equal winners that a sentence names."""


def ballot(
    texts: Texts,
    language: str,
    answers: Sequence[Answer],
    rule_and_truth: tuple[str, str],
    live: bool,
) -> Markup:
    """Votes of the chains that have ended; the others are followed as they come.

    Args:
        texts: the page's sentences.
        language: the visitor's.
        answers: the chains as far as they have come.
        rule_and_truth: the extractor, and the right answer where it is known.
        live: more is to come.
    """
    rule, truth = rule_and_truth
    done = batch.ended(answers)
    counted = tally([answer.text for answer in done], EXTRACTORS[rule])
    told = (
        batch.progress(texts, language, answers)
        if live
        else _summary(texts, language, answers, counted, truth)
    )
    bars = joined(_bar(texts, language, vote, counted, truth) for vote in counted.votes)
    html = Markup('<div class="batch {}">{}<ol class="groups">{}{}</ol>{}</div>')
    return html.format(
        "drawing" if live else "",
        told,
        bars,
        _unparsable(texts, language, counted),
        "" if live else _chains(texts, language, done, counted),
    )


def _summary(
    texts: Texts, language: str, answers: Sequence[Answer], counted: Tally, truth: str
) -> Markup:
    html = Markup('<p class="verdict" role="status">{}</p>')
    if not counted.count:
        key = "votes.none_ended" if answers else "votes.nothing"
        return html.format(texts.say(language, key, count=len(answers)))
    facts = [
        _truth(texts, language, counted, truth),
        batch.stopped_line(texts, language, answers),
        batch.cost(texts, language, batch.ended(answers)),
    ]
    return html.format(_verdict(texts, language, counted)) + joined(
        Markup('<p class="facts">{}</p>').format(line) for line in facts if line
    )


def _verdict(texts: Texts, language: str, counted: Tally) -> str:
    """What won and how many agree; a tie and an election without votes are called so."""
    winners = counted.winners
    if not winners:
        key = "votes.nobody_of_one" if counted.count == 1 else "votes.nobody"
        return texts.say(language, key, count=counted.count)
    named = [vote.answer[:LONGEST_ANSWER] for vote in winners[:NAMED]]
    return texts.say(
        language,
        f"votes.{_outcome(counted)}",
        answer=" · ".join([*named, *("…" for _ in winners[NAMED : NAMED + 1])]),
        votes=winners[0].count,
        count=counted.count,
        share=percent(texts, language, counted.agreement),
    )


def _outcome(counted: Tally) -> str:
    """Which sentence tells an election with votes."""
    winners = counted.winners
    most = winners[0].count
    if most == counted.count:
        return "one" if most == 1 else "all_agree"
    if len(winners) > 1:
        return "tie" if most > 1 else "all_differ"
    return "winner" if most > 1 else "only_one"


def _truth(texts: Texts, language: str, counted: Tally, truth: str) -> str:
    """Whether the vote was right, beside how often a single chain was: the gain, measured."""
    if not truth or not counted.count:
        return ""
    right = counted.given(truth)
    low, high = wilson(right, counted.count)
    won = len(counted.winners) == 1 and same(counted.winners[0].answer, truth)
    outcome = "votes.right" if won else "votes.wrong"
    return texts.say(
        language,
        outcome if counted.count > 1 else f"{outcome}_one",
        truth=truth,
        right=right,
        count=counted.count,
        share=percent(texts, language, right / counted.count),
        low=percent(texts, language, low),
        high=percent(texts, language, high),
    )


def _bar(texts: Texts, language: str, vote: Vote, counted: Tally, truth: str) -> Markup:
    right = bool(truth) and same(vote.answer, truth)
    mark = Markup(' <b class="right">{}</b>').format(texts.say(language, "votes.is_right"))
    answer = Markup("{}{}").format(vote.answer[:LONGEST_ANSWER], mark if right else "")
    return _entry(texts, language, answer, vote.count, counted.count)


def _unparsable(texts: Texts, language: str, counted: Tally) -> Markup:
    if not counted.unparsable:
        return Markup("")
    said = Markup("<em>{}</em>").format(texts.say(language, "votes.unparsable"))
    return _entry(texts, language, said, len(counted.unparsable), counted.count)


def _entry(texts: Texts, language: str, answer: Markup, votes: int, count: int) -> Markup:
    html = Markup(
        '<li><div class="bar" aria-hidden="true"><i class="after" style="width:{:.1f}%"></i></div><p class="times">{}</p><p class="said">{}</p></li>'
    )
    said = texts.say(language, "votes.votes", votes=votes, count=count)
    return html.format(100 * votes / max(count, 1), said, answer)


def _chains(texts: Texts, language: str, done: Sequence[Answer], counted: Tally) -> Markup:
    """Every chain under the answer that was found in it."""
    found = {place: vote.answer for vote in counted.votes for place in vote.chains}
    html = Markup(
        '<details class="chain"><summary>{}</summary><p class="said">{}</p><p class="cost">{}</p></details>'
    )
    return joined(
        html.format(
            texts.say(
                language,
                "votes.chain" if place in found else "votes.chain_unparsable",
                number=place + 1,
                answer=found.get(place, "")[:60],
            ),
            answer.text,
            batch.cut_short(texts, language, answer),
        )
        for place, answer in enumerate(done)
    )
