"""Tells how a file's bytes stand for letters: UTF-8, UTF-16, Windows-1250 or ISO-8859-2, and why so.

Knows no table; standard library only. What bytes alone do not decide is scored by the letters of
Hungarian and Polish, and told as a guess with the other readings beside it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from demo.data.reading.limits import UNDECODED
from demo.dataset_records import Decoding, Encoding, Why

MARKS = (("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"))
ONE_BYTE = ("cp1250", "iso8859-2", "cp1252")
"""Windows-1250 and ISO-8859-2 of Central Europe, Windows-1252 of the West; the first wins a tie."""
LETTERS = frozenset("áéíóöőúüűÁÉÍÓÖŐÚÜŰąćęłńóśźżĄĆĘŁŃÓŚŹŻ")
MARKS_OF_PRINT = frozenset(
    "\u201e\u201d\u201c\u2019\u2018\u201a\u2013\u2014\u2026\u00ab\u00bb\u00a7\u00b0\u20ac\u00a0"
)
"""Quotes, dashes, the degree, the euro and the no-break space."""
CONTROL_COST = 5
"""C1 controls stand in no text: they are letters or quotes of another encoding."""
LOOKED_AT = 8_192
ZEROS = 0.4
"""Share of zero bytes at every second place that only UTF-16 of a Latin script has."""
STRAY = 0.1
"""Bytes outside UTF-8 per character inside it, up to which a file is damaged UTF-8."""
FOREIGN = re.compile("[^\x00-\x7f]")
EXCERPTS, AROUND = 3, 36


def decoded(data: bytes, chosen: str = "") -> tuple[str, Encoding]:
    """A file's text and how it was read.

    Bytes that are not UTF-8 in a file that otherwise is become lone surrogates, which the limits on
    values find line by line.

    Args:
        data: the whole file.
        chosen: the visitor's choice; one that does not fit the bytes is ignored.
    """
    for name, mark in MARKS:
        if data.startswith(mark):
            return _escaped(data[len(mark) :], name), Encoding(name, "marked")
    if name := wide(data):
        return _escaped(data, name), Encoding(name, "pattern")
    text = data.decode("utf-8", "surrogateescape")
    stray = len(UNDECODED.findall(text))
    if not stray:
        return text, Encoding()
    if stray <= STRAY * len(FOREIGN.findall(text)):
        return text, Encoding("utf-8", "mostly")
    return _one_byte(data, chosen)


def wide(data: bytes) -> str:
    """`utf-16-le` or `utf-16-be` where zero bytes say so without a mark, else empty."""
    start = data[: min(LOOKED_AT, len(data) & ~1)]
    pairs = max(len(start) // 2, 1)
    even, odd = start[::2].count(0) / pairs, start[1::2].count(0) / pairs
    if len(data) % 2 or max(even, odd) < ZEROS or min(even, odd) > 0.01:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _escaped(data: bytes, name: str) -> str:
    if name == "utf-8":
        return data.decode(name, "surrogateescape")
    # A lone half of a pair, or a last odd byte, is damage on its line only.
    return data.decode(name, "surrogatepass" if not len(data) % 2 else "replace")


def _one_byte(data: bytes, chosen: str) -> tuple[str, Encoding]:
    texts = dict(_readings(data))
    counts = Counter(data)
    by_score = sorted(texts, key=lambda name: -_score(counts, name))
    if len(texts) == 1:
        return texts[by_score[0]], Encoding(by_score[0], "letters")
    if len(set(texts.values())) == 1:
        return texts[by_score[0]], Encoding(by_score[0], "same")
    places = _differences(list(texts.values()))
    candidates = tuple(
        Decoding(name, tuple(_excerpt(texts[name], place) for place in places)) for name in by_score
    )
    why: Why = "chosen" if chosen in texts else "letters"
    name = chosen if chosen in texts else by_score[0]
    return texts[name], Encoding(name, why, candidates)


def _readings(data: bytes) -> Iterator[tuple[str, str]]:
    for name in ONE_BYTE:
        with suppress(UnicodeDecodeError):
            yield name, data.decode(name)


def _score(counts: Counter[int], name: str) -> float:
    """Higher where the bytes read like Hungarian or Polish, or like anything at all."""
    return sum(
        count * _worth(bytes([byte]).decode(name)) for byte, count in counts.items() if byte > 0x7F
    )


def _worth(letter: str) -> float:
    if letter in LETTERS:
        return 1
    if letter in MARKS_OF_PRINT:
        return 0.5
    return -CONTROL_COST if letter < "\xa0" else -1


def _differences(texts: list[str]) -> list[int]:
    """Some places where one-byte readings, which are equally long, differ; apart from each other."""
    places: list[int] = []
    for place, letters in enumerate(zip(*texts, strict=True)):
        if len(set(letters)) > 1 and (not places or place > places[-1] + 2 * AROUND):
            places.append(place)
            if len(places) == EXCERPTS:
                break
    return places


def _excerpt(text: str, place: int) -> str:
    line = text.rfind("\n", 0, place) + 1
    below = text.find("\n", place)
    end = min(place + AROUND, below if below >= 0 else len(text))
    around = text[max(line, place - AROUND) : end]
    shown = (c if c.isprintable() else "\ufffd" if c > "\x7f" else " " for c in around)
    return " ".join("".join(shown).split())
