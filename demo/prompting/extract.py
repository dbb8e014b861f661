"""Find the answer inside what a model wrote, by a named rule.

Knows nothing of prompts, models or scores: text in, the bare answer out, or an empty text.
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

NUMBER = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?")
AFTER_HASHES = re.compile(r"####\s*(.*)")


def whole(text: str) -> str:
    """Everything, without the space around it."""
    return text.strip()


def first_line(text: str) -> str:
    """The first line that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else ""


def last_number(text: str) -> str:
    """The last number, as worked answers end with their result: "… so 1,200 are left." -> "1200"."""
    numbers: list[str] = NUMBER.findall(text)
    return numbers[-1].replace(",", "") if numbers else ""


def after_hashes(text: str) -> str:
    """What follows the last "####", the mark that worked answers of GSM8K end with."""
    marked: list[str] = AFTER_HASHES.findall(text)
    return marked[-1].strip().replace(",", "") if marked else ""


def label(text: str) -> str:
    """The first word in small letters; "Sentiment: Positive." -> "positive"."""
    words = re.findall(r"[^\W\d_][\w-]*", first_line(text).rpartition(":")[2])
    return words[0].casefold() if words else ""


def first_json(text: str) -> str:
    """The first JSON object, written without spaces so that two answers can be compared."""
    for start in (match.start() for match in re.finditer(r"\{", text)):
        try:
            found, _ = json.JSONDecoder().raw_decode(text, start)
        except json.JSONDecodeError:
            continue
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return ""


EXTRACTORS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "none": whole,
        "first_line": first_line,
        "last_number": last_number,
        "after_hashes": after_hashes,
        "label": label,
        "json": first_json,
    }
)
"""What `answer:` in a prompt file may name."""
