"""Which prompt file frames the question: by task and technique, shipped or own, and what it teaches.

Knows neither tab nor how a prompt is built.
"""

from typing import Any

import gradio as gr

from demo.errors import LabError
from demo.prompting.apart import chain_of, shots_of
from demo.prompting.files import PromptFile
from demo.ui.memory import recalled
from demo.ui.shell import Shell
from demo.ui.views import notice

ANY = ""
"""The choice of no prompt file, of every task and of every technique."""


def own_of(shell: Shell, memory: Any) -> list[PromptFile]:
    """The visitor's own prompts; none where there is no workspace."""
    try:
        return shell.lab.prompt_files.own(recalled(memory)["workspace"])
    except LabError:
        return []


def files_of(
    shell: Shell, language: str, technique: str, task: str = ANY, memory: Any = None
) -> list[tuple[str, str]]:
    """The prompt files of a task and a technique, own ones first, after the choice of none."""
    none = (shell.texts.say(language, "no_prompt_file"), ANY)
    yours = shell.texts.say(language, "source_own")
    own, shipped = own_of(shell, memory), shell.lab.prompts.all()
    offered = [
        (f"{yours} · " if file in own else "", file)
        for file in (*own, *shipped)
        if technique in (ANY, file.technique) and task in (ANY, file.task)
    ]
    return [none, *((f"{who}{f.task} · {f.technique} · {f.title}", f.name) for who, f in offered)]


def tasks_of(shell: Shell, language: str, memory: Any = None) -> list[tuple[str, str]]:
    """Every task that a prompt file has, after the choice of all."""
    files = (*shell.lab.prompts.all(), *own_of(shell, memory))
    tasks = dict.fromkeys(sorted(file.task for file in files))
    return [(shell.texts.say(language, "all_tasks"), ANY), *((task, task) for task in tasks)]


def narrow(
    shell: Shell, technique: str, task: str, memory: Any, language: str
) -> tuple[Any, str, Any]:
    """Offer only the prompt files of one task and technique, none of them chosen yet."""
    files = files_of(shell, language, technique, task, memory)
    tasks = tasks_of(shell, language, memory)
    return gr.update(choices=files, value=ANY), "", gr.update(choices=tasks)


def offer(shell: Shell, technique: str, task: str, memory: Any, language: str) -> tuple[Any, Any]:
    """The files and tasks as they stand now; what was chosen stays."""
    files = files_of(shell, language, technique, task, memory)
    return gr.update(choices=files), gr.update(choices=tasks_of(shell, language, memory))


def file_of(shell: Shell, memory: Any, name: Any) -> PromptFile | None:
    """The chosen prompt file; None where none is chosen, or where it has gone."""
    try:
        workspace = recalled(memory)["workspace"]
        return shell.lab.prompt_files.get(workspace, name) if name else None
    except LabError:
        return None


def own_shots(file: PromptFile | None) -> tuple[int, str, str]:
    """K, chain of thought and order as a prompt file has them, for the controls."""
    return (len(shots_of(file)), chain_of(file), "") if file else (0, "none", "")


def choose_file(shell: Shell, file: str, message: str, source: str, memory: Any) -> tuple[Any, ...]:
    """What the file teaches; its own example as the message unless something else was typed; its shots."""
    found = file_of(shell, memory, file)
    count, chain, order = own_shots(found)
    shots = (count if source == "file" else gr.skip(), chain, order)
    if found is None:
        return ("", gr.skip(), *shots)
    typed = str(message or "").strip()
    files = (*own_of(shell, memory), *shell.lab.prompts.all())
    ours = not typed or typed in {_example(f).strip() for f in files}
    teaches = notice(found.teaches, "quiet")
    return (teaches, gr.update(value=_example(found)) if ours else gr.skip(), *shots)


def _example(file: PromptFile) -> str:
    return str(file.defaults.get("input", ""))
