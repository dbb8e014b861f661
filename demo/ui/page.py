"""The page: header, languages and three tabs over one Lab.

Lays out the shell and redraws what depends on language and state; each tab keeps to itself.
"""

from typing import TYPE_CHECKING, Any

import gradio as gr

from demo.ui import speech
from demo.ui.following import Pages, forgotten, offered, poll, run_banner, wire_results, wire_runs
from demo.ui.language import LANGUAGES, Labels, Texts, preferred
from demo.ui.memory import browser_memory, recalled
from demo.ui.prompt_choice import offer
from demo.ui.shell import AT_ONCE, Shell, chain, wire
from demo.ui.tabs import compare, data_step, finetune, playground
from demo.ui.theme import THEME_BUTTON, THEME_SCRIPT, launch_look
from demo.ui.tuning import choice
from demo.ui.views import header

if TYPE_CHECKING:
    from demo.lab import Lab

__all__ = ["build_page", "launch_look"]

LANGUAGE_SCRIPT = "(language) => { document.documentElement.lang = language }"


def build_page(lab: "Lab") -> gr.Blocks:
    """The whole page; it is up at once, whether the model has loaded or not."""
    texts = Texts.load()
    with gr.Blocks(
        title="Adaptation Lab", delete_cache=(3600, 86400), analytics_enabled=False
    ) as blocks:
        memory, labels = browser_memory(), Labels(texts)
        with gr.Row(elem_id="header"):
            gr.HTML("<h1>Adaptation Lab</h1>", elem_id="name")
            machine = gr.HTML(header(texts, "en", lab.status()), elem_id="machine")
            language = _language_switch(labels)
            labels.add(
                gr.HTML,
                "header.theme",
                html_template=THEME_BUTTON,
                js_on_load=THEME_SCRIPT,
                elem_id="theme",
            )
        shell = Shell(lab, texts, labels, memory, language)
        pages = _tabs(shell)
        wire_runs(shell, pages)
        wire_results(shell, pages)
        _wire(shell, pages, blocks, machine)
    return blocks


def _language_switch(labels: Labels) -> Any:
    choices = [(name, name) for name in LANGUAGES]
    return labels.add(
        gr.Radio,
        "header.language",
        choices=choices,
        value="en",
        interactive=True,
        show_label=False,
        container=False,
        elem_id="language",
        min_width=120,
        scale=0,
    )


def _tabs(shell: Shell) -> Pages:
    banner = run_banner()
    with gr.Tabs(selected="playground", elem_id="tabs", overflow_behavior="wrap") as tabs:
        with shell.labels.add(gr.Tab, "tabs.playground", id="playground"):
            first = playground.build(shell)
        with shell.labels.add(gr.Tab, "tabs.finetune", id="finetune"):
            second = finetune.build(shell)
        with shell.labels.add(gr.Tab, "tabs.compare", id="compare"):
            third = compare.build(shell)
    return Pages(tabs, banner, first, second, third)


def _wire(shell: Shell, pages: Pages, blocks: gr.Blocks, machine: Any) -> None:
    memory, language, labels = shell.memory, shell.language, shell.labels.components
    watch = gr.Timer(1.5, active=True)
    state = {"memory": memory, "language": language}
    begun = wire(
        [blocks.load], shell.bind(begin), {"memory": memory}, [memory, language, *labels], **AT_ONCE
    )
    switched = wire([language.input], shell.bind(switch), state, [memory, *labels], **AT_ONCE)
    begun = chain(begun, shell.bind(data_step.restored), state, pages.fine_tune.dataset, **AT_ONCE)
    inputs, outputs = _redrawn(shell, pages, machine, watch)
    step = pages.fine_tune
    planned = finetune.plan_inputs(shell, step)
    columns = {"columns": pages.compare.columns, "language": language}
    for event in (begun, switched):
        # Gradio itself sets the browser's language, whether the page speaks it or not.
        event.then(None, language, None, js=LANGUAGE_SCRIPT, api_visibility="private")
        drawn = chain(event, shell.bind(redraw, pages, machine, watch), inputs, outputs, **AT_ONCE)
        choice.refit(shell, step.choice, planned, drawn)
        chain(drawn, shell.bind(compare.prove), columns, pages.compare.columns, **AT_ONCE)
    notices = [pages.playground.notice, pages.compare.verdict]
    watched = [machine, watch, *notices, *pages.outputs()]
    ticked = wire(
        [watch.tick],
        shell.bind(watch_loading, pages, machine, watch),
        pages.inputs(shell),
        watched,
        **AT_ONCE,
    )
    choice.refit(shell, step.choice, planned, ticked)


def _redrawn(
    shell: Shell, pages: Pages, machine: Any, watch: Any
) -> tuple[dict[str, Any], list[Any]]:
    first, second, third = pages.playground, pages.fine_tune, pages.compare
    shown = {"chat": first.chat, "columns": third.columns, "dataset": second.dataset}
    shown |= {
        "technique": first.framing.technique,
        "task": first.framing.task,
        "compared_technique": third.framing.technique,
        "compared_task": third.framing.task,
    }
    files = [part for tab in (first, third) for part in (tab.framing.file, tab.framing.task)]
    drawn = [
        machine,
        watch,
        first.chat,
        third.columns,
        second.dataset,
        *files,
        *second.data_outputs(),
    ]
    return pages.inputs(shell) | shown, [*drawn, *pages.outputs()]


def begin(shell: Shell, request: gr.Request, memory: Any) -> list[Any]:
    """The first word with a browser: its memory, and the page in its language."""
    kept = forgotten(shell, memory)
    asked = request.query_params.get("lang")
    spoken = preferred(asked, kept["language"], request.headers.get("accept-language"))
    unchanged = [gr.skip()] * len(shell.labels.components)
    return [kept, spoken, *(unchanged if spoken == "en" else shell.labels.switched(spoken))]


def switch(shell: Shell, memory: Any, language: str) -> list[Any]:
    """Every label in another language; what was typed stays."""
    return [recalled(memory) | {"language": language}, *shell.labels.switched(language)]


def redraw(shell: Shell, pages: Pages, machine: Any, watch: Any, **given: Any) -> dict[Any, Any]:
    """Everything computed, in the page's language and from the lab's present state."""
    memory, language, texts = given["memory"], given["language"], shell.texts
    status, step = shell.lab.status(), pages.fine_tune
    turns, columns = speech.read_turns(given["chat"]), speech.read_turns(given["columns"])
    followed = {name: given[name] for name in pages.inputs(shell)}
    drawn = {
        machine: header(texts, language, status),
        watch: gr.Timer(active=status.state == "loading"),
        # What is still being said is redrawn once it is: an old copy would overwrite its end.
        pages.playground.chat: gr.skip()
        if speech.under_way(turns)
        else speech.redrawn(texts, language, given["chat"]),
        pages.compare.columns: speech.columns(
            texts, language, columns, None, speech.read_same(given["columns"])
        )
        if columns and not speech.under_way(columns)
        else gr.skip(),
        step.dataset: gr.update(choices=data_step.choices(shell, memory, language)),
    }
    for tab, which in ((pages.playground, ""), (pages.compare, "compared_")):
        chosen = (given[f"{which}technique"], given[f"{which}task"])
        parts = (tab.framing.file, tab.framing.task)
        drawn |= dict(zip(parts, offer(shell, *chosen, memory, language), strict=True))
    data = data_step.show(shell, given["dataset"], memory, language)
    drawn |= dict(zip(step.data_outputs(), data, strict=True))
    return drawn | poll(shell, pages, **followed) | offered(shell, pages, **followed)


def watch_loading(
    shell: Shell, pages: Pages, machine: Any, watch: Any, **given: Any
) -> dict[Any, Any]:
    """Tell how loading goes; once the model is there, offer what can answer and stop asking."""
    status = shell.lab.status()
    shown = {machine: header(shell.texts, given["language"], status)}
    if status.state == "loading":
        return shown
    # What was said of the loading is over.
    said = {pages.playground.notice: "", pages.compare.verdict: ""}
    return shown | said | offered(shell, pages, **given) | {watch: gr.Timer(active=False)}
