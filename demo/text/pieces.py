"""Which bytes each token of a rendered prompt stands for, and who wrote them: the visitor or the template.

Knows tokenizers and messages; nothing of models or pages.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from tokenizers.decoders import ByteLevel

from demo.records import Message, PromptToken, TokenWriter
from demo.text.tokenizer import LabTokenizer

MARK = 0xE000
"""The first character for private use: stands for a message where only the template is looked for."""
Spans = Sequence[tuple[int, int]]


def named_tokens(
    tokenizer: LabTokenizer, ids: Sequence[int], messages: Sequence[Message] | None
) -> tuple[PromptToken, ...]:
    """Every token of a prompt with its bytes and its writer.

    Args:
        tokenizer: made the ids.
        ids: the whole prompt.
        messages: what the template framed; None for a text without template.
    """
    data = token_bytes(tokenizer, ids)
    text = tokenizer.decode(ids, control=True)
    written = [(0, len(text))] if messages is None else message_spans(tokenizer, messages, text)
    # Some tokenizers put a space before a text that decoding takes away again.
    added = sum(map(len, data)) - len(text.encode())
    starts = accumulate(map(len, data), initial=-max(added, 0))
    spans = _in_bytes(text, written)
    return tuple(
        PromptToken(token, piece, _writer(token in tokenizer.control_ids, ends, spans))
        for token, piece, ends in zip(ids, data, pairwise(starts), strict=True)
    )


def token_bytes(tokenizer: LabTokenizer, ids: Sequence[int]) -> list[bytes]:
    """The bytes of every token; one that is a part of a character has some of the character's bytes."""
    inner = tokenizer.inner
    added = inner.added_tokens_decoder
    names = inner.convert_ids_to_tokens(list(ids))
    read = _byte_level if isinstance(inner.backend_tokenizer.decoder, ByteLevel) else _with_spaces
    return [
        added[token].content.encode() if token in added else read(name)
        for token, name in zip(ids, names, strict=True)
    ]


def _byte_level(name: str) -> bytes:
    """GPT-2's vocabulary (Radford et al. 2019) writes each byte as one printable character."""
    return bytes(BYTE_OF[character] for character in name)


def _with_spaces(name: str) -> bytes:
    """SentencePiece writes a space as a low line, and a byte outside its vocabulary as `<0x0A>`."""
    if len(name) == 6 and name.startswith("<0x"):
        return bytes([int(name[3:5], 16)])
    return name.replace("\N{LOWER ONE EIGHTH BLOCK}", " ").encode()


def _byte_alphabet() -> Iterator[tuple[str, int]]:
    """Printable bytes stand for themselves, the others for what follows the first 256 characters."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    yield from ((chr(byte), byte) for byte in printable)
    yield from ((chr(0x100 + n), byte) for n, byte in enumerate(others))


BYTE_OF = dict(_byte_alphabet())


def message_spans(tokenizer: LabTokenizer, messages: Sequence[Message], text: str) -> Spans:
    """Where in the rendered text the messages stand; nowhere if the template has rewritten one."""
    marks = [chr(MARK + n) for n in range(len(messages))]
    marked = [Message(m.role, mark) for m, mark in zip(messages, marks, strict=True)]
    rest = tokenizer.decode(tokenizer.chat(marked, answer=True), control=True)
    spans, position = [], 0
    for message, mark in zip(messages, marks, strict=True):
        before, _, rest = rest.partition(mark)
        position += len(before)
        content = message.content
        if not text.startswith(content, position):
            content = content.strip()
        if not text.startswith(content, position):
            return ()
        spans.append((position, position + len(content)))
        position += len(content)
    return spans if text.startswith(rest, position) else ()


def _in_bytes(text: str, spans: Spans) -> Spans:
    return [(len(text[:start].encode()), len(text[:end].encode())) for start, end in spans]


def _writer(control: bool, ends: tuple[int, int], spans: Spans) -> TokenWriter:
    if control:
        return "control"
    start, end = ends
    return "text" if any(start < last and end > first for first, last in spans) else "template"
