"""Finds in one text what does not belong there, and takes it out: stray characters, wrong letters, control tokens.

Knows nothing of rows.
"""

import re

STRAY = re.compile(
    "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
"""Controls, soft hyphens, and what takes no place or turns the direction of writing. The joiners
U+200C and U+200D stay: scripts and emoji need them."""
REPLACED = "\N{REPLACEMENT CHARACTER}"
"""What other programs write for bytes they could not read: the letter is lost."""
TEMPLATE = re.compile(
    r"<\|im_start\|>(?:system|user|assistant)?\n?|<\|start_header_id\|>\w*<\|end_header_id\|>\n*"
    r"|<\|[a-z][a-z0-9_]{1,30}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>(?:user|model)?\n?"
)
"""Marks that chat templates put around turns; a row that holds them was templated already."""
MISREAD = ("cp1252", "cp1250")
LEADS = re.compile("[\u00c2-\u00c5\u0102\u0139][^\x00-\x7f]|\u00e2[^\x00-\x7f]{2}")
"""The first letters of UTF-8 pairs and of its quotes and dashes, read as Windows-1252 or -1250."""
PLAUSIBLE = re.compile("[\u00a0-\u017f\u2010-\u203a\u20ac\u2122]")
"""What such a pair may have been: letters with marks, quotes, dashes, the euro."""


def cleaned(text: str) -> str:
    """Without characters that nobody sees."""
    return STRAY.sub("", text)


def without_template(text: str) -> str:
    """Without a chat template's own marks."""
    return TEMPLATE.sub("", text).strip() if TEMPLATE.search(text) else text


def mended(text: str) -> str:
    """With letters put right that were UTF-8 once and were read as Windows-1252 or Windows-1250.

    "Ã©" becomes "é". What was not misread in this way stays as it is.
    """
    return LEADS.sub(lambda found: _once_more(found.group()), text)


def _once_more(letters: str) -> str:
    for encoding in MISREAD:
        try:
            read = b"".join(_byte(letter, encoding) for letter in letters).decode("utf-8")
        except UnicodeError:
            continue
        if PLAUSIBLE.fullmatch(read):
            return read
    return letters


def _byte(letter: str, encoding: str) -> bytes:
    """The byte behind a letter. Programs pass the five that the code page leaves open as controls."""
    return bytes([ord(letter)]) if "\x80" <= letter <= "\x9f" else letter.encode(encoding)
