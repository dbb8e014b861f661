"""Plain text, Parquet and pasted text become tables; a hostile Parquet file becomes a sentence."""

import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from demo.data.ingest import ingest
from demo.data.pasted import file_name, guessed
from demo.data.reading.child import read
from demo.data.reading.limits import Refused
from demo.data.shapes import recognise
from demo.errors import BadInput


def test_paragraphs_of_a_text_are_rows_with_their_lines() -> None:
    text = "\n\nEgy.\nKettő.\r\n \r\nHárom.\n\n\n  Négy.\n"
    table = ingest("könyv.txt", text.encode())
    assert [record["text"] for record in table.records] == ["Egy.\nKettő.", "Három.", "Négy."]
    assert table.lines == (3, 6, 9)
    assert recognise(table).shape == "text"


def test_a_text_without_blank_lines_is_read_line_by_line() -> None:
    table = ingest("a.txt", b"one\ntwo\n three \n\n")
    assert [record["text"] for record in table.records] == ["one", "two", "three"]
    assert table.lines == (1, 2, 3)


def test_a_long_paragraph_is_divided_between_words_and_nothing_is_lost() -> None:
    paragraph = " ".join(f"word{number}" for number in range(3000))
    table = ingest("a.txt", f"first\n\n{paragraph}".encode())
    pieces = [record["text"] for record in table.records[1:]]
    assert len(pieces) > 1
    assert " ".join(pieces) == paragraph
    assert max(map(len, pieces)) <= 8000
    assert set(table.lines[1:]) == {3}


def parquet_of(columns: dict[str, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file, **options)
    return file.getvalue()


def test_text_numbers_and_truth_values_of_parquet_are_read_and_other_columns_left() -> None:
    data = parquet_of(
        {
            "text": ["zażółć", "őz", None],
            "label": [1, 0, 1],
            "sure": [True, False, True],
            "picture": [b"\x89PNG", b"", b""],
            "nested": [[1], [2], [3]],
        }
    )
    table = ingest("a.parquet", data)
    assert table.columns == ("text", "label", "sure")
    assert table.records[0] == {"text": "zażółć", "label": 1, "sure": True}
    assert (table.lines, table.place) == ((1, 2, 3), "row")
    assert recognise(table).shape == "text/label"


def test_words_of_a_dictionary_column_are_read() -> None:
    labels = pa.array(["good", "bad", "good"]).dictionary_encode()
    table = ingest("a.parquet", parquet_of({"text": ["a", "b", "c"], "label": labels}))
    assert [record["label"] for record in table.records] == ["good", "bad", "good"]


def test_a_number_that_is_none_is_damage_on_its_row() -> None:
    data = parquet_of({"prompt": ["a", "b"], "completion": [1.5, float("nan")]})
    assert [(d.line, d.key) for d in ingest("a.parquet", data).damaged] == [(2, "not_finite")]


def many_rows() -> bytes:
    return parquet_of({"text": ["x"] * 20_001})


def few_bytes_of_much_text() -> bytes:
    """20,000 rows that name one entry of a dictionary: 7,000 characters in each."""
    column = pa.DictionaryArray.from_arrays(
        pa.array([0] * 20_000, pa.int32()), pa.array(["word " * 1400])
    )
    return parquet_of({"text": column.cast(pa.string())}, compression="zstd")


def long_texts_of_a_dictionary() -> bytes:
    column = pa.DictionaryArray.from_arrays(
        pa.array([0] * 20_000, pa.int32()), pa.array(["word " * 400_000])
    )
    return parquet_of({"text": column}, compression="zstd")


def only_bytes() -> bytes:
    return parquet_of({"data": [b"a", b"b"]})


def cut_off() -> bytes:
    whole = parquet_of({"text": ["a"] * 1000})
    return whole[: len(whole) // 2] + b"PAR1"


def scrambled() -> bytes:
    whole = bytearray(parquet_of({"text": [f"text {n}" for n in range(1000)]}))
    whole[40:400] = bytes(255 - byte for byte in whole[40:400])
    return bytes(whole)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (many_rows, "20,001 rows, the most is 20,000"),
        (few_bytes_of_much_text, "more than 40 MB|could not be read"),
        (long_texts_of_a_dictionary, "2,000,000 characters|could not be read|more than 40 MB"),
        (only_bytes, "no column of it is text"),
        (cut_off, "damaged"),
        (scrambled, "damaged|could not be read"),
        (lambda: b"PAR1", "is not|damaged"),
        (lambda: b"x" * 50, "does not begin and end with PAR1"),
    ],
)
def test_hostile_parquet_is_refused_in_words(make: Callable[[], bytes], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        ingest("a.parquet", make())


def test_what_parquet_says_of_files_on_the_server_is_not_looked_at(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    kind = {"info": {"features": {"text": {"_type": "Image"}}}}
    schema = pa.schema([("text", pa.string())], {b"huggingface": json.dumps(kind).encode()})
    file = io.BytesIO()
    parquet.write_table(pa.table({"text": [str(secret)]}, schema=schema), file)
    (record,) = ingest("a.parquet", file.getvalue()).records
    assert record == {"text": str(secret)}


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("prompt,completion\na,b", "csv"),
        ("pytanie;odpowiedź\na;b", "csv"),
        ("prompt\tcompletion\na\tb", "tsv"),
        ('{"prompt": "a", "completion": "b"}\n{"prompt": "c", "completion": "d"}', "jsonl"),
        ('{\n  "data": []\n}', "json"),
        ('  [{"prompt": "a"}]', "json"),
        ("Well, this is a sentence, and no header.\nThe next, too.", "txt"),
        ("One paragraph.\n\nAnother, with commas.", "txt"),
        ("alone", "txt"),
    ],
)
def test_a_pasted_text_is_recognised_by_how_it_begins(text: str, ending: str) -> None:
    assert guessed(text) == ending
    assert file_name("mine", text, "auto") == f"mine.{ending}"


def test_the_visitors_format_counts() -> None:
    assert file_name("mine.csv", "a,b\n1,2", "txt") == "mine.csv.txt"
    assert file_name("mine.csv", "a,b\n1,2", "csv") == "mine.csv"


SEEDS = {
    ".csv": 'a;b\n"x\ny";ż\n1;2\n'.encode("cp1250"),
    ".tsv": b"a\tb\n1\t2\n",
    ".json": b'{"data": [{"messages": [{"role": "user", "content": "a"}]}]}',
    ".jsonl": '{"a": "ő"}\n{"b": 2}\n'.encode(),
    ".txt": "Ala ma kota\n\nżółć".encode("utf-16"),
}
ODD = [b'"', b"\n", b"\0", b"\xff\xfe", b";", b"{", b"[", b"\xc4", b"\r", b"\xd8\x00", b"9" * 5000]


@pytest.mark.parametrize("ending", SEEDS)
def test_no_broken_file_is_more_than_refused(ending: str) -> None:
    drawn = random.Random(ending)
    for _ in range(1500):
        data = bytearray(SEEDS[ending])
        for _ in range(drawn.randint(1, 6)):
            place = drawn.randrange(len(data) + 1)
            data[place : place + drawn.randint(0, 4)] = drawn.choice(ODD)
        try:
            answer = read(bytes(data), ending, drawn.choice(["", "cp1250", "utf-7"]))
        except Refused as refused:
            answer = refused.answer
        json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()
