"""The parts that Playground and Compare share: framing a question, and the knobs beside it.

Knows neither tab; `prompt_parts` lays the folded knobs out, `framed` reads them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo.errors import BadInput
from demo.records import AnswerRequest, Message, Sampling, conversation
from demo.ui.controls import preset_buttons, sampling_controls, wire_presets
from demo.ui.memory import recalled, visitor
from demo.ui.shell import AT_ONCE, Shell, wire
from demo.ui.views import notice

if TYPE_CHECKING:
    from demo.prompting.files import PromptFile

ANY = ""
"""The choice of no prompt file, and of every technique."""


@dataclass(frozen=True)
class Framing:
    """The folded knobs beside a question."""

    technique: Any
    file: Any
    teaches: Any
    system: Any
    sampling: dict[str, Any]

    def inputs(self) -> dict[str, Any]:
        """Handler argument -> component."""
        return {"file": self.file, "system": self.system, **self.sampling}


def framing(shell: Shell, message: Any) -> Framing:
    """Lay out prompt file, system prompt and sampling, folded; choosing a file fills the message."""
    labels = shell.labels
    with labels.add(gr.Accordion, "framing.prompt_file", open=False, elem_classes="fold"):
        technique = labels.add(gr.Radio, "framing.technique", value=ANY, interactive=True)
        file = gr.Dropdown(
            choices=files_of(shell, "en", ANY), value=ANY, interactive=True, label="Prompt file"
        )
        shell.labels.entries.append((file, "framing.file"))
        teaches = gr.HTML("")
    with labels.add(gr.Accordion, "framing.system_prompt", open=False, elem_classes="fold"):
        system = labels.add(gr.Textbox, "framing.system", lines=3, max_lines=8, interactive=True)
    with labels.add(gr.Accordion, "framing.sampling", open=False, elem_classes="fold"):
        presets = preset_buttons(labels)
        sampling = sampling_controls(labels, Sampling())
    wire_presets(presets, sampling)
    parts = Framing(technique, file, teaches, system, sampling)
    chosen = {"technique": technique, "language": shell.language}
    wire([technique.input], shell.bind(narrow), chosen, [file, teaches], **AT_ONCE)
    inputs = {"file": file, "message": message}
    wire([file.input], shell.bind(choose_file), inputs, [teaches, message], **AT_ONCE)
    return parts


def files_of(shell: Shell, language: str, technique: str) -> list[tuple[str, str]]:
    """The prompt files of a technique, after the choice of none."""
    none = (shell.texts.say(language, "no_prompt_file"), ANY)
    files = [f for f in shell.lab.prompts.all() if technique in (ANY, f.technique)]
    return [none, *((f"{f.task} · {f.technique} · {f.title}", f.name) for f in files)]


def narrow(shell: Shell, technique: str, language: str) -> tuple[Any, Any]:
    """Offer only the prompt files of one technique, none of them chosen yet."""
    return gr.update(choices=files_of(shell, language, technique), value=ANY), ""


def choose_file(shell: Shell, file: str, message: str) -> tuple[Any, Any]:
    """What the file teaches, and its own example as the message unless something else was typed."""
    files = shell.lab.prompts.all()
    found = next((f for f in files if f.name == file), None)
    if found is None:
        return "", gr.skip()
    typed = str(message or "").strip()
    ours = not typed or typed in {_example(f).strip() for f in files}
    return notice(found.teaches, "quiet"), gr.update(value=_example(found)) if ours else gr.skip()


def _example(file: "PromptFile") -> str:
    return str(file.defaults.get("input", ""))


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
    file = next((f for f in shell.lab.prompts.all() if f.name == given["file"]), None)
    if file is None:
        return conversation(given["message"], system=given["system"] or "", history=past), False
    messages = shell.lab.prompts.messages(file.name, {"input": given["message"]})
    return instructed(messages, given["system"] or "", file.completion), file.completion


def instructed(messages: tuple[Message, ...], system: str, completion: bool) -> tuple[Message, ...]:
    """A prompt file's messages under the visitor's own system prompt; a completion has none."""
    if completion or not system.strip():
        return messages
    return (Message("system", system), *(m for m in messages if m.role != "system"))


def file_title(shell: Shell, name: str) -> str:
    """A prompt file's title, or nothing."""
    return next((f.title for f in shell.lab.prompts.all() if f.name == name), "")
