r"""Read numbers as people write them: 1,200 and .5 and -$5 and 5e3, each in one plain form.

A comma parts thousands and a point the fraction, as in English: of the Hungarian or Polish "3,5" the
last number is 5, and of "1 200" it is 200, because "3, 5" and "1 200" may as well be two numbers. Knows
nothing of where a text comes from.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

NUMBER = re.compile(
    r"""(?: (?<![\w)\]}%°]) (?P<minus>[-\N{MINUS SIGN}]) [$€£¥]? )?  # not the one of 3-4
        (?P<digits> (?: \d{1,3} (?:,\d{3})+ (?!\d) | \d+ ) (?:\.\d+)? | (?<![\w.]) \.\d+ )
        (?P<power> [eE][-+]?\d{1,3} (?!\w) )?""",
    re.VERBOSE,
)
EMPHASIS = "*_`"
CURRENCY = "$€£¥"
AROUND = f"{CURRENCY}{EMPHASIS}%°"
"""Signs that may stand beside a number and are no part of it."""


@dataclass(frozen=True)
class Figure:
    """A number in a text."""

    plain: str
    """Its digits without what only helps to read them: 1200.50, 0.5, -5, 5000."""
    start: int
    end: int


def figures(text: str) -> list[Figure]:
    """Every number of a text, in its order."""
    return [Figure(_plain(match), *match.span()) for match in NUMBER.finditer(text)]


def leading(text: str) -> Figure | None:
    """The number that a short answer consists of, with its currency or unit: "$18 per day" is 18."""
    found = NUMBER.match(text, len(text) - len(text.lstrip(f" {AROUND}")))
    if found is None:
        return None
    unit = text[found.end() :].lstrip(AROUND)
    words = not unit[:1].isalpha() and not any(character.isdigit() for character in unit)
    return Figure(_plain(found), *found.span()) if words else None


def inside(text: str) -> tuple[int, int]:
    """Where a text stands between Markdown's marks of emphasis."""
    start, end = 0, len(text)
    while end - start > 2 and text[start] == text[end - 1] and text[start] in EMPHASIS:
        start, end = start + 1, end - 1
    return start, end


def bare(text: str) -> str:
    """A text without the emphasis around it and the point at its end, whichever is inside the other."""
    for _ in range(2):
        text = text.strip().rstrip(".")
        text = text[slice(*inside(text))]
    return text.rstrip(".")


def value(text: str) -> str | None:
    """The number that a text is, currency aside, in the form in which two are compared; else None."""
    found = NUMBER.fullmatch(text.strip(f" {CURRENCY}"))
    if found is None:
        return None
    whole, _, part = _plain(found).lstrip("-").partition(".")
    digits = ".".join(filter(None, (whole.lstrip("0") or "0", part.rstrip("0"))))
    return f"-{digits}" if found["minus"] and digits != "0" else digits


def _plain(found: re.Match[str]) -> str:
    digits = found["digits"].replace(",", "")
    digits = f"0{digits}" if digits.startswith(".") else digits
    if found["power"]:
        digits = f"{Decimal(digits + found['power']):f}"
    return f"-{digits}" if found["minus"] else digits
