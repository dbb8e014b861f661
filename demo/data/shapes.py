"""Recognises what the columns of a table mean by their names, in English, Hungarian and Polish.

Knows nothing of files, storage or tokens; `rows.py` turns records into conversations.
"""

from dataclasses import dataclass

from demo.data.ingest import Table

MESSAGES = "messages"
ALPACA = "alpaca"
PAIRS = "prompt/completion"
QUESTIONS = "question/answer"
LABELS = "text/label"
TEXT = "text"
COLUMNS = "columns"

CHAT_COLUMNS = ("messages", "conversations", "conversation")
INSTRUCTIONS = ("instruction", "utasítás", "polecenie")
CONTEXTS = ("input", "context", "bemenet", "wejście")
RESPONSES = ("output", "response", "completion", "answer", "kimenet", "válasz", "wyjście")
PAIR_NAMES = (
    (PAIRS, "prompt", "completion"),
    (PAIRS, "prompt", "response"),
    (QUESTIONS, "question", "answer"),
    (QUESTIONS, "kérdés", "válasz"),
    (QUESTIONS, "pytanie", "odpowiedź"),
    (PAIRS, "input", "output"),
    (PAIRS, "query", "response"),
    (PAIRS, "source", "target"),
    (PAIRS, "mr", "ref"),
)
TEXT_NAMES = ("text", "sentence", "review", "content", "document", "szöveg", "tekst", "zdanie")
LABEL_NAMES = ("label", "category", "class", "topic", "sentiment", "címke", "etykieta", "kategoria")


@dataclass(frozen=True)
class Mapping:
    """Which columns are the prompt and the completion, and in what shape."""

    shape: str
    prompt: str
    """Empty: there is none, and the completion is plain text to be learned whole."""
    completion: str
    certain: bool
    """False: only a guess, which the visitor has to confirm."""


def recognise(table: Table) -> Mapping:
    """The mapping that the names and values of the columns suggest."""
    names = {column.strip().lower(): column for column in reversed(table.columns)}
    chat = _first(names, CHAT_COLUMNS)
    if chat and any(isinstance(record.get(chat), list) for record in table.records):
        return Mapping(MESSAGES, chat, chat, certain=True)
    instruction, response = _first(names, INSTRUCTIONS), _first(names, RESPONSES)
    if instruction and response:
        return Mapping(ALPACA, instruction, response, certain=True)
    for shape, prompt, completion in PAIR_NAMES:
        if prompt in names and completion in names:
            return Mapping(shape, names[prompt], names[completion], certain=True)
    text, label = _first(names, TEXT_NAMES), _first(names, LABEL_NAMES)
    if text and label:
        return Mapping(LABELS, text, label, certain=True)
    if text and len(table.columns) == 1:
        return Mapping(TEXT, "", text, certain=True)
    return _guess(table)


def _first(names: dict[str, str], wanted: tuple[str, ...]) -> str:
    return next((names[name] for name in wanted if name in names), "")


def _guess(table: Table) -> Mapping:
    texts = [column for column in table.columns if _holds_text(table, column)]
    rest = [column for column in table.columns if column not in texts]
    if len(table.columns) == 1:
        return Mapping(COLUMNS, "", table.columns[0], certain=False)
    prompt, completion = [*texts, *rest][:2]
    return Mapping(COLUMNS, prompt, completion, certain=False)


def _holds_text(table: Table, column: str) -> bool:
    value = next((record[column] for record in table.records if record.get(column)), None)
    return isinstance(value, str) and any(character.isalpha() for character in value)
