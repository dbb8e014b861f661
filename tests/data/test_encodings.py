"""Real bytes of every encoding, in both languages, as a table and as lines of JSON."""

import json

import pytest

from demo.data.ingest import Table, ingest

HUNGARIAN = [
    ("Miért zöld a fű?", "Mert a klorofill a zöld fényt veri vissza."),
    ("Írd le a hét napjait!", "Hétfő, kedd, szerda, csütörtök, péntek, szombat, vasárnap."),
    ("Hogyan köszön el az őz?", "Sehogy: csöndben átúszik a tűzlő füstön túlra."),
]
POLISH = [
    ("Dlaczego trawa jest zielona?", "Bo chlorofil odbija zielone światło."),
    ("Wymień dni tygodnia.", "Poniedziałek, wtorek, środa, czwartek, piątek, sobota, niedziela."),
    ("Zażółć gęślą jaźń!", "Łódź, Źródło, Ślązak, Ćma, Żaba, Ęą."),
]
LANGUAGES = {"hungarian": HUNGARIAN, "polish": POLISH}
ENCODINGS = {
    "utf-8": ("utf-8", "utf-8", "valid"),
    "utf-8 with a mark": ("utf-8-sig", "utf-8", "marked"),
    "utf-16 with a mark": ("utf-16", "utf-16-le", "marked"),
    "utf-16 of a Mac with a mark": ("marked big", "utf-16-be", "marked"),
    "utf-16 without a mark": ("utf-16-le", "utf-16-le", "pattern"),
    "utf-16 of a Mac without a mark": ("utf-16-be", "utf-16-be", "pattern"),
    "windows-1250": ("cp1250", "cp1250", None),
    "iso-8859-2": ("iso8859-2", "iso8859-2", None),
}


def encoded(text: str, name: str) -> bytes:
    return b"\xfe\xff" + text.encode("utf-16-be") if name == "marked big" else text.encode(name)


def pairs_in(table: Table) -> list[tuple[str, str]]:
    return [(record["prompt"], record["completion"]) for record in table.records]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "txt"])
def test_every_letter_is_read_and_the_encoding_named(
    language: str, encoding: str, ending: str
) -> None:
    pairs = LANGUAGES[language]
    python_name, told, why = ENCODINGS[encoding]
    delimiter = {"csv": ";", "tsv": "\t"}.get(ending, "")
    lines = [f"{prompt}{delimiter}{completion}" for prompt, completion in pairs]
    if ending == "jsonl":
        lines = [json.dumps({"prompt": p, "completion": c}, ensure_ascii=False) for p, c in pairs]
    elif delimiter:
        lines.insert(0, f"prompt{delimiter}completion")
    table = ingest(f"a.{ending}", encoded("\n".join(lines), python_name))
    assert not table.damaged
    if ending == "txt":
        assert [record["text"] for record in table.records] == lines
    else:
        assert pairs_in(table) == pairs
    if why:
        assert (table.encoding.name, table.encoding.why) == (told, why)
    elif language == "polish":
        assert (table.encoding.name, table.encoding.why) == (told, "letters")
        assert next(c.name for c in table.encoding.candidates) == told


def test_hungarian_without_quotes_has_the_same_letters_in_both_and_needs_no_choice() -> None:
    data = "prompt;completion\nmiért;őzek űznek".encode("iso8859-2")
    table = ingest("a.csv", data)
    assert pairs_in(table) == [("miért", "őzek űznek")]
    # Windows-1252 would read other letters, so the visitor may look.
    assert [c.name for c in table.encoding.candidates][:2] == ["cp1250", "iso8859-2"]


def test_hungarian_quotes_tell_windows_1250_apart() -> None:
    data = "prompt;completion\nmiért;„őzek” \N{EN DASH} űznek…".encode("cp1250")
    table = ingest("a.csv", data)
    assert pairs_in(table) == [("miért", "„őzek” \N{EN DASH} űznek…")]
    assert (table.encoding.name, table.encoding.why) == ("cp1250", "letters")


def test_letters_that_are_the_same_everywhere_need_no_choice() -> None:
    table = ingest("a.csv", "prompt;completion\ncafé;ö".encode("cp1252"))
    assert pairs_in(table) == [("café", "ö")]
    assert (table.encoding.why, table.encoding.candidates) == ("same", ())


def test_western_letters_are_offered_beside_the_likelier_central_european_ones() -> None:
    table = ingest("a.csv", "prompt;completion\ncafé;fête".encode("cp1252"))
    assert "cp1252" in [candidate.name for candidate in table.encoding.candidates]
    assert pairs_in(ingest("a.csv", "prompt;completion\ncafé;fête".encode("cp1252"), "cp1252")) == [
        ("café", "fête")
    ]


def test_every_reading_is_shown_where_they_differ_and_the_visitor_chooses() -> None:
    data = "prompt;completion\nGdzie śpi jeż?;Pod liśćmi\n".encode("iso8859-2")
    first = ingest("a.csv", data)
    shown = {c.name: " ".join(c.preview) for c in first.encoding.candidates}
    assert "Gdzie śpi jeż?" in shown["iso8859-2"]
    assert "Gdzie ¶pi" in shown["cp1250"]
    chosen = ingest("a.csv", data, "cp1250")
    assert pairs_in(chosen)[0][0] == "Gdzie ¶pi jeż?"
    assert (chosen.encoding.name, chosen.encoding.why) == ("cp1250", "chosen")
    assert chosen.encoding.candidates == first.encoding.candidates


@pytest.mark.parametrize("chosen", ["utf-16-le", "rot13", "../x", "cp1250; rm"])
def test_an_encoding_that_is_no_candidate_is_not_used(chosen: str) -> None:
    data = "prompt;completion\nśpi;jeż\n".encode("iso8859-2")
    assert ingest("a.csv", data, chosen) == ingest("a.csv", data)


def test_a_few_stray_bytes_leave_a_utf8_file_utf8() -> None:
    data = b"text\n" + "zażółć gęślą jaźń\n".encode() * 3 + b"caf\xe9\n"
    table = ingest("a.csv", data)
    assert (table.encoding.name, table.encoding.why) == ("utf-8", "mostly")
    assert [damage.line for damage in table.damaged] == [5]
    assert table.records[0]["text"] == "zażółć gęślą jaźń"
