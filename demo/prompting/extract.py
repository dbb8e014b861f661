"""Find the answer inside what a model wrote, by a named rule, and say where it stands.

Knows nothing of prompts, models or scores: text in, the bare answer out, or an empty text.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from demo.prompting.figures import figures, inside, leading

AFTER_HASHES = re.compile(r"####[^\S\n]*(\S.*)")
LINE = re.compile(r"\S.*")
WORD = re.compile(r"[^\W\d_][\w-]*")


@dataclass(frozen=True)
class Taken:
    """What was taken as the answer, and which characters of the text it was taken from."""

    answer: str = ""
    """Bare, so that two can be compared; empty where the rule found nothing."""
    start: int = 0
    end: int = 0


Rule = Callable[[str], Taken]


def _whole(text: str) -> Taken:
    """Everything, without the space around it."""
    bare = text.strip()
    start = text.find(bare)
    return Taken(bare, start, start + len(bare))


def _first_line(text: str) -> Taken:
    """The first line that is not empty."""
    found = LINE.search(text)
    return _bare(text, found.start(), found.end()) if found else Taken()


def _last_number(text: str) -> Taken:
    """The last number, as worked answers end with their result: "… so 1,200 are left." -> "1200"."""
    last = figures(text)[-1:]
    return Taken(last[0].plain, last[0].start, last[0].end) if last else Taken()


def _after_hashes(text: str) -> Taken:
    """What follows the last "####", the mark that worked answers of GSM8K end with.

    Where that is a number, the number alone: "$18", "18 dollars" and "**18**" are one answer.
    """
    marked = list(AFTER_HASHES.finditer(text))
    if not marked:
        return Taken()
    found = _bare(text, *marked[-1].span(1))
    number = leading(found.answer)
    if number:
        return Taken(number.plain, found.start + number.start, found.start + number.end)
    start, end = inside(found.answer)
    return Taken(found.answer[start:end], found.start + start, found.start + end)


def _label(text: str) -> Taken:
    """The first word in small letters; "Sentiment: Positive." -> "positive"."""
    line = _first_line(text)
    after = text.rfind(":", line.start, line.end) + 1
    found = WORD.search(text, max(after, line.start), line.end)
    return Taken(found[0].casefold(), *found.span()) if found else Taken()


def _first_json(text: str) -> Taken:
    """The first JSON object, written without spaces so that two answers can be compared."""
    for start in (match.start() for match in re.finditer(r"\{", text)):
        try:
            found, end = json.JSONDecoder().raw_decode(text, start)
        except (json.JSONDecodeError, RecursionError):
            continue
        bare = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        return Taken(bare, start, end)
    return Taken()


def _bare(text: str, start: int, end: int) -> Taken:
    bare = text[start:end].rstrip()
    return Taken(bare, start, start + len(bare))


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "none": _whole,
        "first_line": _first_line,
        "last_number": _last_number,
        "after_hashes": _after_hashes,
        "label": _label,
        "json": _first_json,
    }
)
"""What `answer:` in a prompt file may name."""


def taken(rule: str, text: str) -> Taken:
    """The answer by a named rule, with its place; a name that is no rule takes everything."""
    return RULES.get(rule, _whole)(text)


def _answer(rule: Rule, text: str) -> str:
    return rule(text).answer


EXTRACTORS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {name: partial(_answer, rule) for name, rule in RULES.items()}
)
"""The same rules where the place does not matter."""
after_hashes = EXTRACTORS["after_hashes"]
