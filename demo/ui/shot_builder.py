"""The fold "Examples in the prompt": how many shots, from where, in which order, and the chain of thought.

Knows neither tab. `plan_of` reads the controls; what a prompt is made of them is decided below.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from demo.errors import LabError
from demo.prompting.build import ShotPlan
from demo.prompting.shots import MOST_SHOTS, read_order, swapped, typed
from demo.ui.memory import recalled
from demo.ui.prompt_choice import file_of, own_shots
from demo.ui.shell import AT_ONCE, Shell, wire
from demo.ui.views import notice

FIRST_SHOTS = 4
"""K when a dataset is chosen while K is 0."""
FIRST_DATASETS = ("sample:reviews", "sample:restaurants")
"""Offered first: short rows that are all of one kind."""


@dataclass(frozen=True)
class ShotBuilder:
    """The fold's components; the first seven carry the names of `ShotPlan`'s fields."""

    source: Any
    count: Any
    typed: Any
    dataset: Any
    seed: Any
    order: Any
    chain: Any
    shuffle: Any
    first: Any
    second: Any
    swap: Any
    held_out: Any
    shown: Any

    def inputs(self) -> dict[str, Any]:
        """Handler argument -> component."""
        return {f"shot_{f.name}": getattr(self, f.name) for f in fields(ShotPlan)}

    def changes(self) -> list[Any]:
        """Whatever changes the prompt."""
        return [getattr(self, f.name).change for f in fields(ShotPlan)]


def plan_of(given: dict[str, Any]) -> ShotPlan:
    """What the controls hold. Raises `BadInput` for one out of range."""
    plain = {"typed": "", "dataset": "", "order": ""}
    names = [f.name for f in fields(ShotPlan) if f"shot_{f.name}" in given]
    values = {name: given[f"shot_{name}"] for name in names}
    return ShotPlan(**{n: v if v is not None or n not in plain else "" for n, v in values.items()})


def shot_builder(shell: Shell, message: Any, file: Any) -> ShotBuilder:
    """Lay the fold out, closed; what only some sources need is hidden."""
    labels = shell.labels
    with labels.add(gr.Accordion, "shots.title", open=False, elem_classes=["fold", "shots"]):
        labels.add(gr.HTML, "shots.intro", elem_classes="hint")
        source = labels.add(gr.Radio, "shots.source", value="file", interactive=True)
        count = labels.add(
            gr.Slider, "shots.count", minimum=0, maximum=MOST_SHOTS, step=1, value=0,
            interactive=True, buttons=[],
        )  # fmt: skip
        dataset = labels.add(
            gr.Dropdown, "shots.dataset", choices=datasets_of(shell, None, "en"), value=None,
            interactive=True, visible=False,
        )  # fmt: skip
        held_out = labels.add(gr.Button, "shots.held_out", size="sm", visible=False)
        by_hand = labels.add(
            gr.Textbox, "shots.typed", lines=4, max_lines=12, interactive=True, visible=False
        )
        chain = labels.add(gr.Radio, "shots.chain", value="none", interactive=True)
        ordering = _ordering(shell)
        shown = gr.HTML("", elem_classes="shots-shown")
    parts = ShotBuilder(
        source, count, by_hand, dataset, ordering["seed"], ordering["order"], chain,
        *(ordering[name] for name in ("shuffle", "first", "second", "swap")), held_out, shown,
    )  # fmt: skip
    _wire(shell, parts, message, file)
    return parts


def _ordering(shell: Shell) -> dict[str, Any]:
    """Seed, order, shuffle and swap, in two rows."""
    labels, parts = shell.labels, {}
    with gr.Row(elem_classes="shot-order"):
        parts["seed"] = labels.add(
            gr.Number, "shots.seed", value=0, precision=0, interactive=True, min_width=110
        )
        parts["order"] = labels.add(gr.Textbox, "shots.order", interactive=True, min_width=150)
    with gr.Row(elem_classes="shot-swap"):
        parts["shuffle"] = labels.add(gr.Button, "shots.shuffle", size="sm", min_width=90)
        for name, value in (("first", 1), ("second", 2)):
            parts[name] = labels.add(
                gr.Number, f"shots.{name}", value=value, precision=0, interactive=True, min_width=80
            )
        parts["swap"] = labels.add(gr.Button, "shots.swap", size="sm", min_width=90)
    return parts


def _wire(shell: Shell, parts: ShotBuilder, message: Any, file: Any) -> None:
    page = {"memory": shell.memory, "language": shell.language}
    kinds = [parts.dataset, parts.held_out, parts.typed, parts.count, parts.order]
    chosen = page | {"source": parts.source, "count": parts.count, "by_hand": parts.typed}
    chosen |= {"file": file}
    wire([parts.source.input], shell.bind(choose_source), chosen, kinds, **AT_ONCE)
    typing = {"by_hand": parts.typed, "count": parts.count}
    # `input` is no event of what is pasted.
    counted = {"trigger_mode": "always_last", **AT_ONCE}
    wire([parts.typed.change], count_typed, typing, [parts.count, parts.order], **counted)
    wire([parts.dataset.input, parts.seed.input], lambda: "", {}, parts.order, **AT_ONCE)
    ordered = {"order": parts.order, "count": parts.count}
    wire([parts.shuffle.click], shuffle, {"count": parts.count}, parts.order, **AT_ONCE)
    places = ordered | {"first": parts.first, "second": parts.second}
    exchanged = [parts.order, parts.shown]
    wire([parts.swap.click], shell.bind(swap), places | page, exchanged, **AT_ONCE)
    asked = page | {"dataset": parts.dataset}
    wire([parts.held_out.click], shell.bind(ask_held_out), asked, message, **AT_ONCE)


def datasets_of(shell: Shell, memory: Any, language: str) -> list[tuple[str, str]]:
    """The samples, and the dataset that this browser uploaded last."""
    offered = [(info.titles.get(language, info.name), info.id) for info in shell.lab.samples()]
    kept = recalled(memory)
    try:
        own = shell.lab.dataset(kept["workspace"], kept["dataset"]) if kept["dataset"] else None
    except LabError:
        own = None
    return [*offered, (own.name, own.id)] if own and own.mapped else offered


def choose_source(shell: Shell, **given: Any) -> tuple[Any, ...]:
    """Show what the source needs, and a number of shots that it can give."""
    source, memory = given["source"], given["memory"]
    from_rows = source == "dataset"
    datasets = datasets_of(shell, memory, given["language"])
    of_file, *_ = own_shots(file_of(shell, memory, given["file"]))
    by_hand = _count(given["by_hand"], 0)
    wanted = {"dataset": given["count"] or FIRST_SHOTS, "typed": by_hand, "file": of_file}
    return (
        gr.update(
            visible=from_rows, choices=datasets, value=_first(datasets) if from_rows else None
        ),
        gr.update(visible=from_rows),
        gr.update(visible=source == "typed"),
        wanted[source],
        "",
    )


def _first(datasets: Sequence[tuple[str, str]]) -> str:
    names = [name for _, name in datasets]
    return next((name for name in FIRST_DATASETS if name in names), names[0])


def count_typed(by_hand: str, count: int) -> tuple[int, str]:
    """As many shots as there are lines; a line that is not finished yet changes nothing."""
    return _count(by_hand, count), ""


def _count(by_hand: str, otherwise: int) -> int:
    try:
        return len(typed(by_hand or ""))
    except LabError:
        return otherwise


def shuffle(count: int) -> str:
    """Another order, written out so that it can be kept and typed again."""
    order = list(range(1, int(count or 0) + 1))
    random.shuffle(order)
    return _written(order)


def swap(shell: Shell, **given: Any) -> tuple[Any, Any]:
    """Two places exchanged; a place that does not exist changes nothing, and is said."""
    try:
        order = read_order(given["order"] or "", int(given["count"] or 0))
        return _written(swapped(order, given["first"], given["second"])), gr.skip()
    except LabError as error:
        return gr.skip(), notice(shell.explain(given["language"], error))


def _written(order: Sequence[int]) -> str:
    return " ".join(map(str, order))


def ask_held_out(shell: Shell, dataset: str, memory: Any, language: str) -> Any:
    """A question of the dataset that no shot can give away, as the message."""
    with shell.told(language):
        held_out = shell.lab.prompt_files.held_out(recalled(memory)["workspace"], dataset or "")
        return random.choice(held_out).input if held_out else gr.skip()
