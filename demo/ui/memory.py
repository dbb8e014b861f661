"""What one browser remembers: its workspace, its run and its language, kept in the browser itself.

A session state on the server would hold a connection open for every tab; six tabs would then hang.
"""

from typing import Any

import gradio as gr

from demo.ui.language import LANGUAGES

EMPTY = {"workspace": "", "run": "", "dataset": "", "language": ""}


def browser_memory() -> gr.BrowserState:
    """The component; key and secret are fixed so that a restart of the lab forgets nothing."""
    return gr.BrowserState(dict(EMPTY), storage_key="adaptation-lab", secret="adaptation-lab")


def recalled(memory: Any) -> dict[str, str]:
    """The memory with every field present; what a visitor has tampered with is dropped."""
    given = memory if isinstance(memory, dict) else {}
    kept = {name: given.get(name) for name in EMPTY}
    kept = {name: value if isinstance(value, str) else "" for name, value in kept.items()}
    if kept["language"] not in LANGUAGES:
        kept["language"] = ""
    return kept


def visitor(memory: Any, request: gr.Request) -> str:
    """Whom the limits count: the workspace, or else this load of the page."""
    return recalled(memory)["workspace"] or str(request.session_hash)
