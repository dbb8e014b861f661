"""The fold "Your own prompts": save what frames the question as a file, take it home, bring it back.

Knows neither tab; the lab says which files are prompts and how many there may be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from demo.prompting.files import PromptFile
from demo.prompting.own import PREFIX
from demo.ui.memory import recalled
from demo.ui.prompt_choice import ANY, choose_file, files_of, tasks_of
from demo.ui.shell import AT_ONCE, QUIET, Shell, chain, wire
from demo.ui.views import notice

Compose = Callable[[Shell, dict[str, Any]], PromptFile]
"""Makes a prompt file of the question and its knobs as they stand."""


@dataclass(frozen=True)
class OwnPrompts:
    """The fold's components."""

    title: Any
    save: Any
    download: Any
    delete: Any
    upload: Any
    told: Any


def own_prompts(shell: Shell) -> OwnPrompts:
    """Lay the fold out, closed."""
    labels = shell.labels
    with labels.add(gr.Accordion, "own_prompts.title", open=False, elem_classes="fold"):
        labels.add(gr.HTML, "own_prompts.intro", elem_classes="hint")
        title = labels.add(gr.Textbox, "own_prompts.name", max_lines=1, interactive=True)
        with gr.Row(elem_classes="fold-actions"):
            small = {"size": "sm", "min_width": 90}
            save = labels.add(gr.Button, "own_prompts.save", **small)
            upload = labels.add(gr.UploadButton, "own_prompts.upload", file_types=[".md"], **small)
            download = labels.add(
                gr.DownloadButton, "own_prompts.download", interactive=False, **small
            )
            delete = labels.add(gr.Button, "own_prompts.delete", interactive=False, **small)
        told = gr.HTML("")
    return OwnPrompts(title, save, download, delete, upload, told)


def wire_own(
    shell: Shell,
    parts: OwnPrompts,
    choice: dict[str, Any],
    inputs: dict[str, Any],
    compose: Compose,
) -> None:
    """Wire the fold.

    Args:
        shell: the ground.
        parts: the fold.
        choice: the components file, task, technique, teaches, message, and those of the shots.
        inputs: what a question needs, by handler argument.
        compose: makes the file that is saved.
    """
    names = ("file", "task", "technique")
    changed = [shell.memory, *(choice[name] for name in names), parts.told]
    page = {"memory": shell.memory, "language": shell.language}
    typed = inputs | page | {"title": parts.title}
    arranged = [choice["order"], choice["seed"]]
    saved = wire(
        [parts.save.click, parts.title.submit], shell.bind(save, compose),
        typed, [*changed, *arranged], **QUIET,
    )  # fmt: skip
    uploaded = wire(
        [parts.upload.upload],
        shell.bind(upload),
        page | {"uploaded": parts.upload},
        changed,
        **QUIET,
    )
    file = {"file": choice["file"]}
    deleted = wire([parts.delete.click], shell.bind(delete), page | file, changed, **QUIET)
    shown = [choice[name] for name in ("teaches", "message", "count", "chain", "order")]
    asked = file | {
        "memory": shell.memory,
        "message": choice["message"],
        "source": choice["source"],
    }
    for event in (uploaded, deleted):
        chain(event, shell.bind(choose_file), asked, shown, **AT_ONCE)
    own = page | file
    follow = shell.bind(offer_download)
    wire([choice["file"].change], follow, own, [parts.download, parts.delete], **AT_ONCE)
    chain(saved, follow, own, [parts.download, parts.delete], **AT_ONCE)


def save(shell: Shell, compose: Compose, **given: Any) -> tuple[Any, ...]:
    """Keep the prompt as it stands, and choose it; its shots now stand in this very order."""

    def keep(workspace: str) -> PromptFile:
        return shell.lab.prompt_files.save(workspace, compose(shell, given))

    changed = _changed(shell, given["memory"], given["language"], keep, "saved")
    own_order = isinstance(changed[0], dict) and given["shot_source"] == "file"
    return (*changed, "", 0) if own_order else (*changed, gr.skip(), gr.skip())


def upload(shell: Shell, uploaded: Any, memory: Any, language: str) -> tuple[Any, ...]:
    """Keep a file that was brought, and choose it; a refusal names the place."""

    def keep(workspace: str) -> PromptFile:
        path = Path(str(uploaded))
        return shell.lab.prompt_files.add_file(workspace, path)

    return _changed(shell, memory, language, keep, "imported")


def _changed(
    shell: Shell, memory: Any, language: str, keep: Callable[[str], PromptFile], said: str
) -> tuple[Any, ...]:
    """Memory, file, task and technique as they stand once something is kept; and what happened."""
    try:
        kept, workspace = shell.workspace(memory)
        prompt = keep(workspace)
    except Exception as error:
        return (*[gr.skip()] * 4, notice(shell.explain(language, error)))
    told = shell.texts.say(language, f"own_prompts.{said}", title=prompt.title)
    return (kept, *_choices(shell, language, kept, prompt.name), notice(told, "quiet"))


def _choices(shell: Shell, language: str, memory: Any, chosen: str) -> tuple[Any, Any, Any]:
    """File, task and technique with everything on offer."""
    files = files_of(shell, language, ANY, ANY, memory)
    tasks = tasks_of(shell, language, memory)
    return gr.update(choices=files, value=chosen), gr.update(choices=tasks, value=ANY), ANY


def delete(shell: Shell, file: str, memory: Any, language: str) -> tuple[Any, ...]:
    """Delete the chosen own prompt; none is chosen then."""
    try:
        shell.lab.prompt_files.delete(recalled(memory)["workspace"], file)
    except Exception as error:
        return (*[gr.skip()] * 4, notice(shell.explain(language, error)))
    told = shell.texts.say(language, "own_prompts.deleted")
    return (gr.skip(), *_choices(shell, language, memory, ANY), notice(told, "quiet"))


def offer_download(shell: Shell, file: str, memory: Any, language: str) -> tuple[Any, Any]:
    """An own prompt can be taken home and deleted."""
    if not str(file or "").startswith(PREFIX):
        return gr.update(value=None, interactive=False), gr.update(interactive=False)
    with shell.told(language):
        path = shell.lab.prompt_files.export(recalled(memory)["workspace"], file)
        return gr.update(value=str(path), interactive=True), gr.update(interactive=True)
