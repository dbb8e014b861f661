"""Rows of a file without columns: the paragraphs of a text, to be learned whole.

Standard library only.
"""

import re
from collections.abc import Iterator

from demo.data.reading.limits import LONGEST_CELL, Read, Record

COLUMN = "text"
PARAGRAPH = re.compile(r"\S(?:[^\n]|\n(?!\s*\n))*")
LINE = re.compile(r"\S[^\n]*")
PIECE = LONGEST_CELL // 2


def text_records(text: str) -> Iterator[Read]:
    """Paragraphs divided by blank lines; where there are none, lines.

    A paragraph too long for one row is divided between words; its pieces begin on its line.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    form = PARAGRAPH if re.search(r"\n[ \t]*\n\s*\S", text.strip()) else LINE
    line, counted = 1, 0
    for found in form.finditer(text):
        line, counted = line + text.count("\n", counted, found.start()), found.start()
        for piece in _pieces(found.group().rstrip()):
            yield Record(line, {COLUMN: piece})


def _pieces(paragraph: str) -> Iterator[str]:
    while len(paragraph) > LONGEST_CELL:
        end = paragraph.rfind(" ", 1, PIECE) + 1 or PIECE
        yield paragraph[:end].rstrip()
        paragraph = paragraph[end:]
    yield paragraph
