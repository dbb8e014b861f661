"""The prompts that a visitor keeps: the same Markdown files, in the folder of a workspace.

Knows nothing of who the visitor is: whoever passes the folder may use what lies in it.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from demo.checks import checked_text
from demo.errors import BadInput, Busy, NotFound
from demo.prompting.files import PromptFile, read_prompt, read_prompt_file
from demo.prompting.markdown import write_prompt
from demo.workspace import slug, write_atomic

log = logging.getLogger(__name__)

PREFIX = "own:"
"""Before the name of an own prompt, so that no shipped one is meant."""
MOST_PROMPTS = 50
"""In one workspace."""
MOST_KILOBYTES = 64
"""Of one prompt: more characters than the embedded model's context has room for."""
LONGEST_TITLE = 100
NAME = re.compile(r"[a-z0-9-]{1,44}")


def own_prompts(folder: Path) -> list[PromptFile]:
    """The prompts of a workspace by title; a file that is none (any more) hides no other."""
    paths = sorted((folder / "prompts").glob("*.md"))
    prompts = [_named(prompt) for prompt in map(_read, paths) if prompt]
    return sorted(prompts, key=lambda prompt: prompt.title.casefold())


def own_prompt(folder: Path, name: str) -> PromptFile:
    """One of them.

    Raises:
        NotFound: no such prompt in this workspace.
    """
    return _named(read_prompt_file(_existing(folder, name)))


def save(folder: Path, prompt: PromptFile) -> PromptFile:
    """Keep a prompt under its title; one with the same title is replaced.

    Raises:
        BadInput: it breaks a rule of prompt files or is too large.
        Busy: the workspace holds as many prompts as it may.
    """
    free = next(n for n in _names(prompt.title) if _free(folder, n, prompt.title))
    return _keep(folder, replace(prompt, name=free))


def add(folder: Path, file: str, content: bytes) -> PromptFile:
    """Keep an uploaded file under its own name, or a numbered one where that name is taken.

    Raises:
        BadInput: it is no prompt file, or too large; the message names the file and the problem.
        Busy: the workspace holds as many prompts as it may.
    """
    require_size(file, len(content))
    prompt = read_prompt(file, content)
    names = _names(Path(file).stem)
    free = next(n for n in names if _unused(folder, n) or _same(folder, replace(prompt, name=n)))
    return _keep(folder, replace(prompt, name=free))


def delete(folder: Path, name: str) -> None:
    """Delete an own prompt."""
    _existing(folder, name).unlink(missing_ok=True)


def text_of(folder: Path, name: str) -> tuple[str, bytes]:
    """The file of an own prompt: its name and what it holds."""
    path = _existing(folder, name)
    return path.name, path.read_bytes()


def _names(wish: str) -> Iterator[str]:
    """File names for a wish, numbered from the second on: different titles may be spelt alike."""
    stem = slug(wish, "prompt")
    return (f"{stem}-{number}" if number > 1 else stem for number in range(1, MOST_PROMPTS + 2))


def _unused(folder: Path, name: str) -> bool:
    return not (folder / "prompts" / f"{name}.md").exists()


def _free(folder: Path, name: str, title: str) -> bool:
    """Whether nothing lies under this name, or a prompt of this very title."""
    if _unused(folder, name):
        return True
    kept = _read(folder / "prompts" / f"{name}.md")
    return kept is not None and kept.title == title


def _same(folder: Path, prompt: PromptFile) -> bool:
    return _read(folder / "prompts" / f"{prompt.name}.md") == prompt


def _read(path: Path) -> PromptFile | None:
    try:
        return read_prompt_file(path)
    except BadInput as problem:
        log.error("Own prompt file left out. %s", problem)
        return None


def _keep(folder: Path, prompt: PromptFile) -> PromptFile:
    for field in ("title", "task"):
        checked_text(field, getattr(prompt, field), LONGEST_TITLE)
    text = write_prompt(prompt)
    require_size(prompt.title, len(text.encode()))
    path = folder / "prompts" / f"{prompt.name}.md"
    path.parent.mkdir(exist_ok=True)
    others = [other for other in path.parent.glob("*.md") if other != path]
    if len(others) >= MOST_PROMPTS:
        raise Busy("prompts_full", got=len(others))
    write_atomic(path, text)
    return _named(read_prompt_file(path))


def require_size(file: str, size: int) -> None:
    """Refuse a file of so many bytes, which nobody needs to have read yet. Raises `BadInput`."""
    if size > MOST_KILOBYTES * 1024:
        raise BadInput("prompt_too_big", file=file, got=-(-size // 1024), high=MOST_KILOBYTES)


def _existing(folder: Path, name: str) -> Path:
    stem = name.removeprefix(PREFIX) if isinstance(name, str) else ""
    path = folder / "prompts" / f"{stem}.md"
    if not NAME.fullmatch(stem) or not path.is_file():
        raise NotFound
    return path


def _named(prompt: PromptFile) -> PromptFile:
    return replace(prompt, name=f"{PREFIX}{prompt.name}")
