"""Experiments on the page: begun with a workspace, followed as they go, found again after a reload.

Knows no fold; each one hands in how it begins and how it is drawn.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.ui import speech
from demo.ui.memory import visitor
from demo.ui.shell import AT_ONCE, QUIET, STREAM, Shell, chain, wire
from demo.ui.views import notice

GAP = 0.3
"""Seconds between two pictures at least."""
Value = Callable[[Shell, str, Any], dict[str, Any]]
"""Shell, language, what was found so far: the value of the component that shows it."""


@dataclass(frozen=True)
class Experiment:
    """One kind of experiment as its fold knows it."""

    kind: str
    begin: Callable[..., Iterator[Any]]
    """Shell, request and what the page holds: what is found, step by step."""
    value: Value
    nothing: Any
    """What has been found before anything was."""


def wire_experiment(
    shell: Shell, experiment: Experiment, parts: Sequence[Any], inputs: dict[str, Any]
) -> list[Any]:
    """Connect a fold's parts; returns the listeners that fill what it shows.

    Args:
        shell: the page's ground.
        experiment: what the fold runs.
        parts: the fold, its two buttons (begin and stop), and what shows the findings.
        inputs: what the experiment is made of.
    """
    fold, go, stop, shown = parts
    page = {"memory": shell.memory, "language": shell.language}
    # A browser without a workspace could not be told from another after a reload.
    opened = wire([go.click], shell.bind(with_workspace), page, shell.memory, **QUIET)
    running = chain(opened, shell.bind(run, experiment), inputs | page, shown, **STREAM)
    back = wire([fold.expand], shell.bind(come_back, experiment), page, shown, **STREAM)
    wire([stop.click], shell.bind(end), {"memory": shell.memory}, None, **AT_ONCE)
    return [running, back]


def with_workspace(shell: Shell, memory: Any, language: str) -> Any:
    """The browser's memory with a workspace that exists."""
    with shell.told(language):
        return shell.workspace(memory)[0]


def run(
    shell: Shell, experiment: Experiment, request: gr.Request, **given: Any
) -> Iterator[dict[str, Any]]:
    """Stream a new experiment; leaving the page leaves it under way."""
    language = given["language"]
    yield experiment.value(shell, language, experiment.nothing)
    try:
        yield from _followed(shell, experiment, experiment.begin(shell, request, **given), language)
    except Exception as error:
        yield {"html": notice(shell.explain(language, error))}


def come_back(
    shell: Shell, experiment: Experiment, request: gr.Request, memory: Any, language: str
) -> Iterator[Any]:
    """Follow the experiment that this visitor has under way, or show how the last one ended."""
    steps = shell.lab.experiments.under_way(visitor(memory, request), experiment.kind)
    if steps is None:
        yield gr.skip()
        return
    try:
        yield from _followed(shell, experiment, steps, language)
    except Exception as error:
        yield {"html": notice(shell.explain(language, error))}


def _followed(
    shell: Shell, experiment: Experiment, steps: Iterator[Any], language: str
) -> Iterator[dict[str, Any]]:
    with closing(steps):  # type: ignore[type-var]  # a generator
        for so_far in speech.paced(steps, lambda: max(GAP, 2 * shell.gap())):
            yield experiment.value(shell, language, so_far)


def end(shell: Shell, request: gr.Request, memory: Any) -> None:
    """End this visitor's experiment, begun before or after there was a workspace."""
    for who in {visitor(memory, request), str(request.session_hash)}:
        shell.lab.experiments.stop(who)
