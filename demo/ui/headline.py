"""The line above all tabs: the followed run, or a sweep under way; and what one look hands to the next.

Knows no component: a look's answer travels through the browser, in the line's own value.
"""

from collections.abc import Sequence
from typing import Any

from demo.run_records import RunState
from demo.sweep_records import SweepState
from demo.ui.language import Texts
from demo.ui.tuning import sweep_view, taste
from demo.ui.views import LIVE, banner

END_TOLD = 5
"""Looks for which the end of the followed run is told before a sweep's line takes its place."""


def headline(
    texts: Texts,
    language: str,
    run: RunState | None,
    runs: Sequence[RunState],
    known: Sequence[SweepState],
    before: dict[str, Any],
) -> dict[str, Any]:
    """What stands there, whether to look again, and what the next look has to know.

    Args:
        texts: of the page.
        language: of the page.
        run: that the page follows.
        runs: all of the visitor's, newest first.
        known: the sweeps among them.
        before: what the look before this one made; empty for the first.
    """
    live, told = _live(run), banner(texts, language, run)
    news = 0 if live else _news(run, before)
    sweep = next((one for one in known if one.live), None)
    if sweep is not None and not live:
        told = told if news else sweep_view.banner(texts, language, sweep, told)
    told["live"] |= sweep is not None or _full_to_come(run, runs)
    ended = sum(not _live(one) for one in runs)
    return told | {"ended": ended, "follows": run.id if run and live else "", "news": news}


def _live(run: RunState | None) -> bool:
    return run is not None and run.status in LIVE


def _full_to_come(run: RunState | None, runs: Sequence[RunState]) -> bool:
    """Whether a taste is followed whose full run is still to come."""
    return run is not None and run.taste and _live(taste.full_of(run, runs))


def _news(run: RunState | None, before: dict[str, Any]) -> int:
    """For how many looks the end of the followed run is still news."""
    if run is not None and before.get("follows") == run.id:
        return END_TOLD
    left = before.get("news")
    return max(0, left - 1) if isinstance(left, int) else 0
