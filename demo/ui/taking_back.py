"""Taking back what was said: edit an earlier question, undo the last turn, begin anew.

Answers nothing: it hands the chat back, and a question to be edited to the message field.
"""

from typing import Any

import gradio as gr

from demo.checks import bounded
from demo.errors import LabError
from demo.ui import speech
from demo.ui.shell import Shell
from demo.ui.views import notice

EDIT_SCRIPT = """
element.addEventListener('click', event => {
    const pressed = event.target.closest('[data-edit]');
    if (pressed) trigger('edit', { turn: Number(pressed.dataset.edit) });
});
watch('value', () => {
    const last = (props.value?.turns ?? []).at(-1);
    const going = last && !last.reason && !last.error;
    if (props.value?.lens || !going) trigger('told');
});
"""
"""A press on a turn's own button becomes an event of the chat that says which turn; another one says
that the lens has something to hear. Each event walks every component of the page, so an increment
without a lens makes none."""
FOCUS_MESSAGE = "() => { document.querySelector('#message textarea').focus() }"


def edit(
    shell: Shell, event: gr.EventData, chat: Any, message: Any, language: str
) -> tuple[Any, Any, Any]:
    """A question goes to the message field to be edited, or, with turn -1, stays as it was.

    What followed it stands until the edited question is sent, and what had been typed comes back then.

    Returns:
        Chat, message and notice.
    """
    turns, editing = speech.read_turns(chat), speech.read_editing(chat)
    if speech.under_way(turns):
        return gr.skip(), gr.skip(), _under_way(shell, language)
    try:
        place = bounded("turn", event.turn, -1, len(turns) - 1, int)
    except LabError as error:
        return gr.skip(), gr.skip(), notice(shell.explain(language, error))
    draft = editing.draft if editing else str(message or "")
    begun = speech.Editing(place, draft) if place >= 0 else None
    said = notice(shell.texts.say(language, "edit_begun"), "quiet") if begun else ""
    shown = {**chat, **speech.chat(shell.texts, language, turns, begun)}
    return shown, turns[place].question if begun else draft, said


def undo(shell: Shell, chat: Any, language: str) -> tuple[Any, Any]:
    """Take the last question and its answer away; returns chat and notice."""
    turns = speech.read_turns(chat)
    if speech.under_way(turns):
        return gr.skip(), _under_way(shell, language)
    return speech.chat(shell.texts, language, turns[:-1]), ""


def start_afresh(shell: Shell, language: str) -> tuple[Any, str]:
    """Empty the chat; returns chat and notice."""
    return speech.chat(shell.texts, language, ()), ""


def _under_way(shell: Shell, language: str) -> Any:
    return notice(shell.texts.say(language, "answer_under_way"))
