"""The switches that leave the chat template out: a text is continued as it stands.

Says which components they are; `asking.framed` reads them.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.ui.prompt_choice import ANY
from demo.ui.shell import AT_ONCE, Shell, wire


@dataclass(frozen=True)
class PlainText:
    """The two switches; the second shows only where the first is on."""

    completion: Any
    control: Any

    def inputs(self) -> dict[str, Any]:
        """Handler argument -> component."""
        return {"completion": self.completion, "control": self.control}


def plain_text(shell: Shell, file: Any) -> PlainText:
    """Lay the switches out, folded; plain text and a prompt file take turns."""
    labels = shell.labels
    with labels.add(
        gr.Accordion, "plain_text.title", open=False, elem_classes="fold", elem_id="plain"
    ):
        completion = labels.add(gr.Checkbox, "plain_text.completion", interactive=True)
        control = labels.add(gr.Checkbox, "plain_text.control", interactive=True, visible=False)
    parts = PlainText(completion, control)
    wire([completion.input], switched, {"completion": completion}, [control, file], **AT_ONCE)
    wire([file.input], framed_by, {"file": file}, [completion, control], **AT_ONCE)
    return parts


def switched(completion: bool) -> tuple[Any, Any]:
    """Offer the second switch, and put the prompt file aside, where the template is left out."""
    return gr.update(visible=completion), ANY if completion else gr.skip()


def framed_by(file: str) -> tuple[Any, Any]:
    """A prompt file brings its own format, so the switches go back."""
    return (gr.skip(), gr.skip()) if file == ANY else (False, gr.update(visible=False))
