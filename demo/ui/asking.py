"""The parts that Playground and Compare share: framing a question, and the knobs beside it.

Knows neither tab; `framing` lays the folded knobs out, `framed` reads them.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import gradio as gr

from demo.errors import BadInput, LabError
from demo.prompting.apart import chain_of, shots_of
from demo.prompting.build import Built
from demo.prompting.files import PromptFile
from demo.prompting.frame import Frame
from demo.records import AnswerRequest, Message, Sampling, conversation
from demo.ui.controls import preset_buttons, sampling_controls, wire_presets
from demo.ui.memory import recalled, visitor
from demo.ui.own_prompts import OwnPrompts, own_prompts, wire_own
from demo.ui.prompt_choice import ANY, choose_file, files_of, narrow, offer, tasks_of
from demo.ui.shell import AT_ONCE, QUIET, Shell, wire
from demo.ui.shot_builder import ShotBuilder, plan_of, shot_builder
from demo.ui.shots_view import shots_view
from demo.ui.views import notice


@dataclass(frozen=True)
class Framing:
    """The folded knobs beside a question."""

    task: Any
    technique: Any
    file: Any
    teaches: Any
    shots: ShotBuilder
    system: Any
    sampling: dict[str, Any]
    own: OwnPrompts

    def inputs(self) -> dict[str, Any]:
        """Handler argument -> component."""
        return {"file": self.file, "system": self.system, **self.shots.inputs(), **self.sampling}

    def changes(self) -> list[Any]:
        """Whatever changes the prompt beside the question."""
        return [self.file.change, self.system.change, *self.shots.changes()]


def framing(shell: Shell, message: Any) -> Framing:
    """Lay out prompt file, shots, system prompt and sampling, folded; a file fills the message."""
    labels = shell.labels
    fold = labels.add(gr.Accordion, "framing.prompt_file", open=False, elem_classes="fold")
    with fold:
        task = gr.Dropdown(choices=tasks_of(shell, "en"), value=ANY, interactive=True, label="Task")
        labels.entries.append((task, "framing.task"))
        technique = labels.add(gr.Radio, "framing.technique", value=ANY, interactive=True)
        file = gr.Dropdown(
            choices=files_of(shell, "en", ANY),
            value=ANY,
            interactive=True,
            label="Prompt file",
            elem_classes="prompt-choice",
        )
        labels.entries.append((file, "framing.file"))
        teaches = gr.HTML("")
    shots = shot_builder(shell, message, file)
    with labels.add(gr.Accordion, "framing.system_prompt", open=False, elem_classes="fold"):
        system = labels.add(gr.Textbox, "framing.system", lines=3, max_lines=8, interactive=True)
    own = own_prompts(shell)
    with labels.add(gr.Accordion, "framing.sampling", open=False, elem_classes="fold"):
        gr.HTML("", elem_classes="sampling-strip", padding=False)
        presets = preset_buttons(labels)
        sampling = sampling_controls(labels, Sampling())
    wire_presets(presets, sampling)
    parts = Framing(task, technique, file, teaches, shots, system, sampling, own)
    _wire(shell, parts, fold, message)
    return parts


def _wire(shell: Shell, parts: Framing, fold: Any, message: Any) -> None:
    page = {"memory": shell.memory, "language": shell.language}
    chosen = page | {"technique": parts.technique, "task": parts.task}
    narrowed = [parts.file, parts.teaches, parts.task]
    events = [parts.technique.input, parts.task.input]
    wire(events, shell.bind(narrow), chosen, narrowed, **AT_ONCE)
    # What the other tab has saved is on offer here as soon as somebody looks.
    wire([fold.expand], shell.bind(offer), chosen, [parts.file, parts.task], **AT_ONCE)
    shots = parts.shots
    asked = {"file": parts.file, "message": message, "source": shots.source, "memory": shell.memory}
    filled = [parts.teaches, message, shots.count, shots.chain, shots.order]
    wire([parts.file.input], shell.bind(choose_file), asked, filled, **AT_ONCE)
    inputs = page | parts.inputs() | {"message": message}
    wire(
        parts.changes(),
        shell.bind(show_shots),
        inputs,
        shots.shown,
        trigger_mode="always_last",
        **QUIET,
    )
    names = ("file", "task", "technique", "teaches")
    choice = {name: getattr(parts, name) for name in names} | {"message": message}
    choice |= {name: getattr(shots, name) for name in ("source", "count", "chain", "order", "seed")}
    wire_own(shell, parts.own, choice, inputs, composed)


def framed(
    shell: Shell, request: gr.Request, given: dict[str, Any], past: Sequence[Message] = ()
) -> AnswerRequest:
    """The request that a question and its knobs make.

    Raises:
        BadInput: the message is empty, a knob is out of range, or the prompt file cannot be filled.
    """
    if not str(given["message"] or "").strip():
        raise BadInput("empty_text", field="message")
    messages, completion = _messages(shell, given, past)
    return AnswerRequest(
        messages=messages,
        adapter=given.get("speaks") or "base",
        workspace=recalled(given["memory"])["workspace"],
        visitor=visitor(given["memory"], request),
        sampling=Sampling(**{f.name: given[f.name] for f in fields(Sampling)}),
        completion=completion,
        control=bool(given.get("completion") and given.get("control")),
    )


def _messages(
    shell: Shell, given: dict[str, Any], past: Sequence[Message]
) -> tuple[tuple[Message, ...], bool]:
    if given.get("completion"):
        return (Message("user", given["message"]),), True
    built = built_now(shell, given)
    if built is None:
        return conversation(given["message"], system=given["system"] or "", history=past), False
    return built.messages(given["message"], given["system"] or ""), built.frame.completion


def built_now(shell: Shell, given: dict[str, Any]) -> Built | None:
    """What frames the question beside its words; None where the chat simply goes on.

    Raises:
        BadInput: a knob is out of range, or typed shots cannot be read.
        NotFound: an own prompt or a dataset has gone.
    """
    if given.get("completion"):
        return None
    workspace, asked = recalled(given["memory"])["workspace"], [str(given["message"] or "")]
    plan = plan_of(given)
    built = shell.lab.prompt_files.build(workspace, given["file"] or "", plan, asked)
    return built if built.file or built.shots or built.chain != "none" else None


def frame_title(shell: Shell, given: dict[str, Any]) -> str:
    """What frames the question, in a few words; nothing where the chat simply goes on."""
    built = built_now(shell, given)
    if built is None:
        return ""
    said, language = [built.file.title] if built.file else [], given["language"]
    own = shots_of(built.file) if built.file else ()
    if built.shots != own:
        said.append(shell.texts.say(language, "shots.count", count=len(built.shots)))
    if built.chain != (chain_of(built.file) if built.file else "none"):
        said.append(shell.texts.say(language, f"shots.chain_{built.chain}"))
    return " · ".join(said)


def answer_rule(shell: Shell, given: dict[str, Any]) -> str:
    """Which rule finds the answer in what the model will write."""
    built = built_now(shell, given)
    return built.rule if built else "none"


def composed(shell: Shell, given: dict[str, Any]) -> PromptFile:
    """The question and what frames it as a prompt file.

    Raises:
        BadInput: the title is empty, or something of it cannot stand in a prompt file.
    """
    built = built_now(shell, given) or Built(Frame(completion=bool(given.get("completion"))))
    question = str(given["message"] or "")
    if not question.strip() and built.file:
        question = built.file.defaults.get("input", "")
    return built.saved_as(given["title"] or "", question, given["system"] or "")


def show_shots(shell: Shell, request: gr.Request, **given: Any) -> Any:
    """The shots as they stand in the prompt, what they cost, and how many would fit."""
    language = given["language"]
    try:
        built = built_now(shell, given)
        if built is None:
            return ""
        question = framed(shell, request, given | {"message": given["message"] or "?"})
        cost = _cost(shell, question, built, given)
        return shots_view(shell.texts, language, built, cost, int(given["shot_count"] or 0))
    except LabError as error:
        return notice(shell.explain(language, error))


def _cost(
    shell: Shell, question: AnswerRequest, built: Built, given: dict[str, Any]
) -> tuple[int, int, int]:
    """Tokens of the prompt, the most that there may be, and how many of its shots would fit."""

    def tokens(shots: int) -> int:
        messages = built.with_shots(shots).messages(given["message"] or "?", given["system"] or "")
        return len(shell.lab.render(replace(question, messages=messages)).ids)

    rendered = shell.lab.render(question)
    most = rendered.context - question.sampling.max_new_tokens
    if len(rendered.ids) <= most:
        return len(rendered.ids), most, len(built.shots)
    fit = bisect_right(range(len(built.shots)), most, key=tokens)
    return len(rendered.ids), most, max(fit - 1, 0)
