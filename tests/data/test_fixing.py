"""Fixes are kept with a dataset and taken back; its letters, columns and text are chosen again."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.data.store import DatasetStore
from demo.dataset_records import Fix
from demo.errors import BadInput, NotFound
from demo.records import Message
from demo.run_records import Row
from demo.settings import ROOT

STORE = DatasetStore(ROOT / "demo" / "samples")
FILE = b"prompt,completion\na,b\na,b\nc\nd,e\xe2\x80\x8bf\n"
LEAVE, CLEAN, REPEATED = Fix("leave_damaged"), Fix("clean_characters"), Fix("leave_repeated")


def never(_: Sequence[Row]) -> list[int]:
    raise AssertionError("tokens were counted")


def completions(rows: Sequence[Row]) -> list[str]:
    return [row.messages[-1].content for row in rows]


def test_no_run_may_start_on_damaged_lines_until_they_are_left_out(tmp_path: Path) -> None:
    info = STORE.add(tmp_path, "a.csv", FILE)
    assert [damage.line for damage in info.damaged] == [4]
    assert info.rows == 3
    with pytest.raises(BadInput, match=r"a\.csv: 1 damaged lines or rows \(4\); .*this row 1"):
        STORE.rows(tmp_path, info.id)
    fixed = STORE.fix(tmp_path, info.id, [LEAVE], never)
    assert fixed.damaged == ()
    assert completions(STORE.rows(tmp_path, info.id)) == ["b", "b", "e\u200bf"]


def test_fixes_are_found_again_by_another_store_and_taken_back_one_by_one(tmp_path: Path) -> None:
    info = STORE.add(tmp_path, "a.csv", FILE)
    fixed = STORE.fix(tmp_path, info.id, [LEAVE, CLEAN, REPEATED], never)
    assert [(d.before, d.after, d.changed) for d in fixed.fixes] == [
        (4, 3, 1),
        (3, 3, 1),
        (3, 2, 1),
    ]
    again = DatasetStore(ROOT / "demo" / "samples")
    assert again.info(tmp_path, info.id) == fixed
    assert completions(again.rows(tmp_path, info.id)) == ["b", "ef"]
    fewer = again.fix(tmp_path, info.id, [LEAVE, REPEATED], never)
    assert [done.fix for done in fewer.fixes] == [LEAVE, REPEATED]
    assert completions(again.rows(tmp_path, info.id)) == ["b", "e\u200bf"]
    assert again.fix(tmp_path, info.id, [], never) == info


def test_long_rows_are_left_out_by_their_tokens(tmp_path: Path) -> None:
    info = STORE.add(tmp_path, "a.csv", b"prompt,completion\na,b\nc,ddd\n")
    fixed = STORE.fix(
        tmp_path, info.id, [Fix("leave_long", 2)], lambda rows: [len(c) for c in completions(rows)]
    )
    assert completions(STORE.rows(tmp_path, info.id)) == ["b"]
    assert fixed.fixes[0].examples[0].after == ""


def test_a_mended_sample_is_a_copy_with_its_source(tmp_path: Path) -> None:
    sample = STORE.info(None, "sample:restaurants")
    copy = STORE.fix(tmp_path, sample.id, [REPEATED], never)
    assert copy.id != sample.id
    assert (copy.name, copy.source, copy.licence) == (sample.name, sample.source, sample.licence)
    assert STORE.rows(tmp_path, copy.id) == STORE.rows(None, sample.id)
    assert STORE.info(None, sample.id) == sample
    assert [info.id for info in STORE.own(tmp_path)] == [copy.id]


def test_unknown_fixes_and_foreign_datasets_are_refused(tmp_path: Path) -> None:
    info = STORE.add(tmp_path, "a.csv", FILE)
    with pytest.raises(BadInput, match="fix must be one of"):
        STORE.fix(tmp_path, info.id, [Fix("rm -rf")], never)
    with pytest.raises(NotFound):
        STORE.fix(tmp_path / "other", info.id, [LEAVE], never)
    with pytest.raises(BadInput, match="Choose another completion column"):
        STORE.fix(tmp_path, info.id, [Fix("leave_long", 1)], lambda rows: [9] * len(rows))
    assert STORE.info(tmp_path, info.id) == info


def test_letters_are_chosen_again_and_columns_and_fixes_begin_anew(tmp_path: Path) -> None:
    data = "pytanie;odpowiedź\nGdzie śpi jeż?;Pod liśćmi\n".encode("iso8859-2")
    info = STORE.add(tmp_path, "a.csv", data)
    assert (info.shape, info.encoding.name) == ("question/answer", "iso8859-2")
    other = STORE.decode(tmp_path, info.id, "cp1250")
    assert (other.encoding.name, other.encoding.why) == ("cp1250", "chosen")
    assert other.columns == ("pytanie", "odpowied\N{LATIN CAPITAL LETTER L WITH CARON}")
    assert STORE.decode(tmp_path, info.id, "iso8859-2").columns == info.columns
    with pytest.raises(BadInput, match="encoding must be one of iso8859-2, cp1250, cp1252"):
        STORE.decode(tmp_path, info.id, "utf-7")


def test_a_file_that_reads_in_one_way_only_is_not_kept(tmp_path: Path) -> None:
    info = STORE.add(tmp_path, "a.csv", FILE)
    assert not list(tmp_path.rglob("source"))
    with pytest.raises(BadInput, match="encoding must be one of"):
        STORE.decode(tmp_path, info.id, "cp1250")


def test_one_column_can_be_learned_whole(tmp_path: Path) -> None:
    info = STORE.add(tmp_path, "a.csv", b"id,notes\n1,first\n2,second\n")
    assert not info.mapped
    tried = STORE.try_mapping(tmp_path, info.id, "", "notes")
    assert tried == Row(2, (Message("assistant", "first"),), raw=True)
    mapped = STORE.map(tmp_path, info.id, "", "notes")
    assert mapped.mapped
    assert STORE.rows(tmp_path, info.id)[0] == tried


def test_trying_columns_changes_nothing(tmp_path: Path) -> None:
    info = STORE.add(tmp_path, "a.csv", b"id,x,y\n1,,b\n2,a,b\n")
    row = STORE.try_mapping(tmp_path, info.id, "x", "y")
    assert row is not None
    assert row.line == 3
    assert STORE.info(tmp_path, info.id) == info
    empty = STORE.add(tmp_path, "b.csv", b"id,x,y\n1,,b\n")
    assert STORE.try_mapping(tmp_path, empty.id, "x", "y") is None
