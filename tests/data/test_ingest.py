import json
import re
import sys
from collections.abc import Callable

import pytest

from demo.data.damage import cure_of, problem_of
from demo.data.ingest import MOST_BYTES, as_table, ingest, read_in_child, shown_name
from demo.errors import BadInput
from demo.settings import ROOT

GOOD = {
    "commas": ("a.csv", b"prompt,completion\na,b\nc,d\n", [2, 3]),
    "semicolons": ("a.csv", b"prompt;completion\na,a;b\nc;d\n", [2, 3]),
    "tabs": ("a.csv", b"prompt\tcompletion\na\tb\nc\td\n", [2, 3]),
    "byte order mark": ("a.csv", b"\xef\xbb\xbfprompt,completion\na,b\nc,d\n", [2, 3]),
    "windows line ends": ("a.csv", b"prompt,completion\r\na,b\r\nc,d\r\n", [2, 3]),
    "quoted line break": ("a.csv", b'prompt,completion\n"a\nx",b\nc,d\n', [2, 4]),
    "blank lines": ("a.csv", b"prompt,completion\n\na,b\n\nc,d\n\n", [3, 5]),
    "tab separated": ("a.tsv", b"prompt\tcompletion\na,;\tb\nc\td\n", [2, 3]),
    "utf-16": ("a.csv", "prompt,completion\na,b\nc,d\n".encode("utf-16"), [2, 3]),
    "capital extension": ("A.CSV", b"prompt,completion\na,b\nc,d\n", [2, 3]),
    "list": ("a.json", b'[{"prompt":"a","completion":"b"},{"prompt":"c","completion":1}]', [1, 2]),
    "list in an object": (
        "a.json",
        b'{"version":1,"data":[{"prompt":"a","completion":"b"},\n{"prompt":"c","completion":"d"}]}',
        [1, 2],
    ),
    "lines": (
        "a.jsonl",
        b'{"prompt":"a","completion":"b"}\n\n{"prompt":"c","completion":null}\n',
        [1, 3],
    ),
    "line separators in a text": (
        "a.jsonl",
        '{"prompt":"a\u2028b","completion":"b"}\n{"prompt":"c","completion":"d"}'.encode(),
        [1, 2],
    ),
}


@pytest.mark.parametrize(("name", "data", "lines"), GOOD.values(), ids=GOOD)
def test_ingest_reads_rows_with_their_lines(name: str, data: bytes, lines: list[int]) -> None:
    table = ingest(name, data)
    assert table.columns == ("prompt", "completion")
    assert list(table.lines) == lines
    assert [len(record) for record in table.records] == [2, 2]


def test_ingest_numbers_columns_without_a_name() -> None:
    assert ingest("a.csv", b",prompt,completion\n0,a,b\n").columns == (
        "column 1",
        "prompt",
        "completion",
    )


HEADER = b"prompt,completion\n"
WIDE = ",".join(f"c{number}" for number in range(33)).encode()
BAD: dict[str, tuple[str, bytes, list[str]]] = {
    "unknown kind": ("a.docx", b"x", ["a.docx", ".csv, .tsv, .json, .jsonl, .txt and .parquet"]),
    "no extension": ("rows", b"x", ["rows", "Save it as one of these"]),
    "too big": ("a.csv", b"x" * (MOST_BYTES + 1), ["a.csv", "5 MB", "Keep fewer rows"]),
    "empty": ("a.csv", b"", ["a.csv is empty", "at least two rows"]),
    "blank": ("a.jsonl", b"\xef\xbb\xbf \n\n", ["a.jsonl is empty"]),
    "blank text": ("a.txt", b"\n \n", ["a.txt is empty"]),
    "header only": ("a.csv", HEADER, ["a.csv is empty"]),
    "empty list": ("a.json", b"[]", ["a.json is empty"]),
    "spreadsheet": ("a.csv", b"PK\x03\x04rest", ["a.csv is not CSV", "zip", "Save it as CSV"]),
    "gzip": ("a.jsonl", b"\x1f\x8b\x08rest", ["a.jsonl is not JSONL", "gzip"]),
    "parquet": ("a.csv", b"PAR1rest", ["Parquet"]),
    "pdf": ("a.csv", b"%PDF-1.7", ["PDF"]),
    "picture": ("a.json", b"\x89PNG\r\n", ["picture"]),
    "binary": ("a.csv", b"a,b\n\x00\x01", ["binary"]),
    "binary text": ("a.txt", b"ab\n\x00\x01", ["a.txt is not text", "binary"]),
    "json named csv": ("a.csv", b'[{"prompt":"a"}]', ["a.csv is not CSV", "looks like JSON"]),
    "csv named json": ("a.json", HEADER + b"a,b", ["a.json is not JSON", "does not begin with"]),
    "csv named jsonl": ("a.jsonl", HEADER + b"a,b", ["a.jsonl is not JSONL"]),
    "json named jsonl": ("a.jsonl", b'[{"a":"b"}]', ["begins with ["]),
    "jsonl named json": ("a.json", b'{"a":1}\n{"a":2}', ["name it .jsonl"]),
    "half character in name": ("a.jsonl", b'{"\\udfff":"b"}', ["line 1", "Rename the column"]),
    "same column twice": ("a.csv", b"a,a\n1,2\n", ["line 1", "name of its own"]),
    "33 columns": ("a.csv", WIDE + b"\n" + WIDE, ["line 2", "more than 32 columns", "Remove"]),
    "long column name": ("a.csv", b"p" * 101 + b",c\n1,2\n", ["column name is longer than 100"]),
    "20,001 rows": ("a.csv", HEADER + b"a,b\n" * 20_001, ["line 20002", "more than 20,000 rows"]),
    "1,001 damaged rows": ("a.csv", HEADER + b"a,b\n" + b"c\n" * 1001, ["line 3", "this row 1"]),
    "no good row": ("a.csv", HEADER + b"a,b,c\n", ["line 2", "this row 3", 'in "quotes"']),
    "bad json": ("a.json", b'[{"a":1},\n{"a":}]', ["a.json, line 2", "not JSON", "commas"]),
    "json of numbers": ("a.json", b"[1,2]", ["a.json, row 1", "not an object"]),
    "two lists": ("a.json", b'{"a":[{}],"b":[{}]}', ["2 lists of rows instead of one"]),
    "no list": ("a.json", b'{"a":1}', ["0 lists of rows"]),
    "nested without end": ("a.json", b"[" * 100_000, ["a.json", "nested too deeply"]),
}


@pytest.mark.parametrize(("name", "data", "said"), BAD.values(), ids=BAD)
def test_ingest_names_file_place_and_cure_when_refusing(
    name: str, data: bytes, said: list[str]
) -> None:
    with pytest.raises(BadInput) as caught:
        ingest(name, data)
    for words in [name, *said]:
        assert words in str(caught.value)


DAMAGED: dict[str, tuple[str, bytes, int, str]] = {
    "nul": ("a.csv", HEADER + b"a,b\n" * 4000 + b"a\0,b", 4002, "completion|prompt.*NUL"),
    "nul escape": ("a.jsonl", b'{"a":"b"}\n{"a":"\\u0000"}', 2, "NUL"),
    "half character": ("a.jsonl", b'{"a":"b"}\n{"a":"\\ud800"}', 2, "half of a character"),
    "field missing": ("a.csv", HEADER + b"a,b\nc\n", 3, "2 fields and this row 1"),
    "field too many": ("a.csv", HEADER + b'"a\nx",b\na,b,c\n', 4, "2 fields and this row 3"),
    "open quote": ("a.csv", HEADER + b'a,b\n"c,d\ne,f\n', 3, "quotes do not match"),
    "text behind quote": ("a.csv", HEADER + b'"a"x,b\nc,d', 2, "quotes do not match"),
    "long cell": ("a.csv", HEADER + b"a,b\na," + b"b" * 8001, 3, "8,001 characters.*8,000"),
    "longer cell": ("a.csv", HEADER + b"a,b\na," + b"b" * 90_000, 3, "quotes|field larger"),
    "long inner text": (
        "a.json",
        json.dumps([{"m": "x"}, {"m": [{"content": "b" * 8001}]}]).encode(),
        2,
        "8,001 characters",
    ),
    "bad jsonl": ("a.jsonl", b'{"a":1}\n{"a":\n', 2, "not JSON"),
    "jsonl of numbers": ("a.jsonl", b'{"a":1}\n7\n', 2, "not an object"),
    "nan": ("a.jsonl", b'{"a":1}\n{"a":NaN}', 2, "NaN or infinite"),
    "infinity": ("a.json", b'[{"a":1},{"a":-Infinity}]', 2, "NaN or infinite"),
    "too large number": ("a.json", b'[{"a":1e999},{"a":1}]', 1, "infinite"),
    "too long number": ("a.jsonl", b'{"a":1}\n{"a":' + b"9" * 5000 + b"}", 2, "too many digits"),
    "same name twice": ("a.jsonl", b'{"a":1}\n{"a":1,"a":2}', 2, "same name twice"),
    "nested": ("a.jsonl", b'{"a":1}\n{"a":' + b"[" * 9 + b"]" * 9 + b"}", 2, "too deeply"),
    "stray byte": (
        "a.jsonl",
        '{"a":"árvíztűrő tükörfúrógép"}\n'.encode() + b'{"a":"caf\xe9"}',
        2,
        "bytes that are not UTF-8",
    ),
}


@pytest.mark.parametrize(("name", "data", "line", "said"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_row_is_told_with_its_line_and_the_rest_is_read(
    name: str, data: bytes, line: int, said: str
) -> None:
    table = ingest(name, data)
    (damage,) = table.damaged
    assert damage.line == line
    assert re.search(said, problem_of(damage))
    assert cure_of(damage).endswith(".")
    assert table.records
    assert line not in table.lines


def test_a_quote_that_stays_open_costs_its_own_line_only() -> None:
    table = ingest("a.csv", HEADER + b'a,b\n"c,d\ne,f\n"g\nh",i\n')
    assert [
        (record["prompt"], line) for record, line in zip(table.records, table.lines, strict=True)
    ] == [
        ("a", 2),
        ("e", 4),
        ("g\nh", 5),
    ]
    assert [damage.line for damage in table.damaged] == [3]


REFUSED_UNREAD = ["spreadsheet", "gzip", "too big", "empty", "json named csv", "csv named json"]


@pytest.mark.parametrize("case", REFUSED_UNREAD)
def test_ingest_starts_no_child_for_what_is_not_what_its_name_says(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.data.ingest.read_in_child", forbidden)
    with pytest.raises(BadInput):
        ingest(*BAD[case][:2])


def forbidden(*_: object) -> None:
    raise AssertionError("a child was started")


CRASH = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
SLEEP = "import time; time.sleep(60)"
CHATTER = "print('<html>')"
NUMBER = "print(7)"


@pytest.mark.parametrize("program", [CRASH, SLEEP, CHATTER, NUMBER])
def test_ingest_says_unreadable_when_the_child_dies_hangs_or_answers_nonsense(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "demo.data.ingest.reader_command", lambda *_: [sys.executable, "-c", program]
    )
    monkeypatch.setattr("demo.data.ingest.read_in_child", impatient(read_in_child))
    with pytest.raises(BadInput, match=r"a\.csv could not be read within .* Make it smaller"):
        ingest("a.csv", HEADER + b"a,b\n")


def impatient(read: Callable[..., dict[str, object]]) -> Callable[..., dict[str, object]]:
    return lambda data, command: read(data, command, seconds=2)


def test_child_answers_unreadable_when_memory_runs_out() -> None:
    limited = (
        "import sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from demo.data.reading import child\n"
        "child.MEMORY_BYTES = 80_000_000\n"
        "sys.argv = ['child', '.jsonl', '']; child.main()"
    )
    data = b'{"a":[' + b"[]," * 1_500_000 + b"1]}"
    answer = read_in_child(data, [sys.executable, "-I", "-c", limited])
    with pytest.raises(BadInput, match="Make it smaller"):
        as_table("a.jsonl", data, answer)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\data\\rows.csv", "rows.csv"),
        ("a\nb\x1b[0m\u202e.csv", "ab[0m.csv"),
        ("", "file"),
    ],
)
def test_shown_name_keeps_only_what_is_safe_to_show(given: str, shown: str) -> None:
    assert shown_name(given) == shown


def test_shown_name_keeps_the_extension_when_shortened() -> None:
    shown = shown_name("x" * 300 + ".jsonl")
    assert len(shown) == 80
    assert shown.endswith("….jsonl")
