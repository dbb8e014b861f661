"""What every tab is given: the lab, the texts, the visitor's memory and language, and how wiring is done.

Knows no tab.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import isgeneratorfunction, signature
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo.errors import LabError, NotFound, NotReady
from demo.records import BASE, AdapterInfo
from demo.run_records import RunState
from demo.ui.errors import explain
from demo.ui.language import Labels, Texts
from demo.ui.memory import recalled

if TYPE_CHECKING:
    from demo.lab import Lab

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""For listeners that stream or take long: queued, without Gradio's own spinner."""
AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}
"""For listeners that answer within milliseconds; a generator here would deliver its first value only."""
STREAM: dict[str, Any] = {**QUIET, "concurrency_limit": None}
"""For generators; how many answers run at once is the lab's decision."""


@dataclass(frozen=True)
class Shell:
    """The ground that the tabs stand on."""

    lab: "Lab"
    texts: Texts
    labels: Labels
    memory: gr.BrowserState
    language: gr.Radio

    def bind(self, handler: Callable[..., Any], *parts: Any) -> Callable[..., Any]:
        """A handler with the shell and a tab's parts as its first arguments."""
        return bound(handler, self, *parts)

    def explain(self, language: str, error: Exception) -> str:
        """An error as a sentence in the visitor's language."""
        return explain(self.texts, language, error)

    @contextmanager
    def told(self, language: str) -> Iterator[None]:
        """Turn whatever fails inside into a message that the visitor sees."""
        try:
            yield
        except Exception as error:
            raise gr.Error(self.explain(language, error), print_exception=False) from None

    def gap(self) -> float:
        """Seconds between two increments: about twelve a second, fewer where many are answered at once.

        One costs some 2 ms of a core, which in a full class would be a core less for the answers.
        """
        return 0.08 + 0.012 * self.lab.running

    def workspace(self, memory: Any) -> tuple[dict[str, str], str]:
        """The memory with a workspace that exists, made now if there is none; and its capability."""
        kept = recalled(memory)
        if not self.open_workspace(kept):
            kept |= {"workspace": self.lab.new_workspace(), "run": ""}
        return kept, kept["workspace"]

    def open_workspace(self, memory: Any) -> str:
        """The visitor's workspace as long as it is there; looked for with every question, so no run is read."""
        workspace = recalled(memory)["workspace"]
        return workspace if workspace and self.lab.has_workspace(workspace) else ""

    def runs(self, memory: Any) -> list[RunState] | None:
        """The runs of the visitor's workspace; None when there is no such workspace any more."""
        workspace = recalled(memory)["workspace"]
        if not workspace:
            return None
        try:
            return self.lab.runs_of(workspace)
        except NotFound:
            return None

    def run(self, memory: Any) -> RunState | None:
        """The run that the page follows."""
        kept = recalled(memory)
        if not kept["workspace"] or not kept["run"]:
            return None
        try:
            return self.lab.run(kept["workspace"], kept["run"])
        except NotFound:
            return None

    def adapters(self, memory: Any) -> list[AdapterInfo]:
        """What can answer for this visitor, the base first; only the base while the model loads."""
        try:
            usable = [a for a in self.lab.adapters(self.open_workspace(memory)) if not a.problem]
        except NotReady:
            usable = []
        except LabError:
            usable = [a for a in self.lab.adapters() if not a.problem]
        others = [a for a in usable if a.name != BASE]
        return [AdapterInfo(BASE, BASE, "base"), *others]

    def adapter_title(self, language: str, adapter: AdapterInfo) -> str:
        """An adapter's name for people."""
        return self.texts.say(language, "base_model") if adapter.name == BASE else adapter.title

    def title_of(self, memory: Any, language: str, name: str) -> str:
        """What the lists of adapters call one of them; its bare name where they do not have it."""
        titles = {name: title for title, name in self.adapter_choices(memory, language)}
        return titles.get(name, name)

    def adapter_choices(self, memory: Any, language: str) -> list[tuple[str, str]]:
        """Labels and names of what can answer; titles that occur twice are told apart by source."""
        adapters = self.adapters(memory)
        titles = [self.adapter_title(language, a) for a in adapters]
        return [
            (title if titles.count(title) == 1 else self._told_apart(language, title, a), a.name)
            for title, a in zip(titles, adapters, strict=True)
        ]

    def _told_apart(self, language: str, title: str, adapter: AdapterInfo) -> str:
        if adapter.source == "own":
            return f"{title} · {self.texts.say(language, 'source_own')} {adapter.name[:4]}"
        return f"{title} · {self.texts.say(language, 'source_shipped')}"


def bound(handler: Callable[..., Any], *first: Any) -> Callable[..., Any]:
    """A handler with its first arguments given.

    Gradio finds the request by the annotations of a true function and streams true generator
    functions only; it sees neither through `functools.partial`.
    """

    def call(*rest: Any, **named: Any) -> Any:
        return handler(*first, *rest, **named)

    def stream(*rest: Any, **named: Any) -> Iterator[Any]:
        yield from handler(*first, *rest, **named)

    function: Any = stream if isgeneratorfunction(handler) else call
    kept = list(signature(handler).parameters.values())[len(first) :]
    function.__name__ = handler.__name__
    function.__signature__ = signature(handler).replace(parameters=kept)
    function.__annotations__ = {p.name: p.annotation for p in kept}
    return function  # type: ignore[no-any-return]


def wire(
    events: Sequence[Any],
    handler: Callable[..., Any],
    inputs: dict[str, Any],
    outputs: Any,
    **how: Any,
) -> Any:
    """One listener on several events, its inputs named as the handler's arguments."""
    return gr.on(list(events), handler, inputs_kwargs=inputs, outputs=outputs, **how)


def wire_stop(
    button: Any,
    under_way: Sequence[Any],
    settle: Callable[..., Any],
    inputs: dict[str, Any],
    outputs: Any,
) -> Any:
    """A button that ends streams, then settles what they left."""
    ended = wire([button.click], _ended, {}, None, cancels=list(under_way), **AT_ONCE)
    # Only after that round trip: a value already on its way would overwrite the settled one.
    return chain(ended, settle, inputs, outputs, **AT_ONCE)


def _ended() -> None:
    """Nothing is left to do on the server: Gradio itself has ended the stream."""


def chain(
    dependency: Any, handler: Callable[..., Any], inputs: dict[str, Any], outputs: Any, **how: Any
) -> Any:
    """A listener that follows another one, inputs named likewise."""
    return dependency.then(handler, inputs_kwargs=inputs, outputs=outputs, **how)
