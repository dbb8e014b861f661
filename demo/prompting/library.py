"""Keep the prompt files of a folder: list them, find one by name, fill it in.

Does not answer anything: it hands out messages.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from demo.checks import chosen
from demo.errors import LabError
from demo.prompting.files import TECHNIQUES, PromptFile, read_prompt_file
from demo.records import Message

log = logging.getLogger(__name__)


class PromptLibrary:
    """The prompt files of a folder, read once."""

    def __init__(self, folder: Path) -> None:
        self.problems: tuple[LabError, ...] = ()
        """Files that were refused, each with its reason; the others can be used."""
        read = [self._read(path) for path in sorted(folder.glob("*.md"))]
        self._prompts = {prompt.name: prompt for prompt in sorted(filter(None, read), key=_order)}

    def all(self) -> list[PromptFile]:
        """Every prompt by task, and within a task from the plainest technique to the richest."""
        return list(self._prompts.values())

    def get(self, name: str) -> PromptFile:
        """The prompt of this name.

        Raises:
            BadInput: there is none; the message lists the names.
        """
        return self._prompts[chosen("prompt", name, tuple(self._prompts))]

    def messages(self, name: str, values: Mapping[str, str]) -> tuple[Message, ...]:
        """A prompt's conversation with its variables filled in.

        Raises:
            BadInput: no such prompt, or a variable is missing, empty or unknown.
        """
        return self.get(name).messages(values)

    def _read(self, path: Path) -> PromptFile | None:
        try:
            return read_prompt_file(path)
        except LabError as problem:
            log.error("Prompt file refused. %s", problem)
            self.problems = (*self.problems, problem)
            return None


def _order(prompt: PromptFile) -> tuple[str, int, str]:
    return prompt.task, TECHNIQUES.index(prompt.technique), prompt.name
