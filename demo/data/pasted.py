"""Tells what format a pasted text has, by how it begins.

Knows nothing of what is in it: the readers check that.
"""

import re

FORMATS = ("auto", "csv", "tsv", "json", "jsonl", "txt")
HEADERS = re.compile(r"[\w \"./-]+(?:[,;][\w \"./-]+)+")
"""A first line of a few names divided by commas or semicolons."""
LONGEST_HEADER = 120


def file_name(name: str, text: str, format: str) -> str:
    """A file's name, with the ending that its format has."""
    ending = guessed(text) if format == "auto" else format
    return f"{name.removesuffix(f'.{ending}')}.{ending}"


def guessed(text: str) -> str:
    """`json`, `jsonl`, `tsv`, `csv`, or `txt` for everything else."""
    lines = text.strip().splitlines()
    first = lines[0].strip()
    if first.startswith("["):
        return "json"
    if first.startswith("{"):
        whole = first.endswith("}") and all(
            line.lstrip().startswith("{") for line in lines if line.strip()
        )
        return "jsonl" if whole else "json"
    if "\t" in first:
        return "tsv"
    return "csv" if _is_table(first, lines) else "txt"


def _is_table(first: str, lines: list[str]) -> bool:
    """Whether the first line reads as a header, and the next has its delimiter as well."""
    if len(lines) < 2 or len(first) > LONGEST_HEADER or not HEADERS.fullmatch(first):
        return False
    delimiter = max(",;", key=first.count)
    words = max(len(name.split()) for name in first.split(delimiter))
    return words <= 3 and delimiter in lines[1]
