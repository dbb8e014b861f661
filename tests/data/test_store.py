import json
import os
from pathlib import Path

import pytest

from demo.data.store import MOST_DATASETS, DatasetStore
from demo.errors import BadInput, LabError, NotFound
from demo.records import Message
from demo.settings import ROOT

SAMPLES = ROOT / "demo" / "samples"
PAIRS = b"prompt,completion\na,b\nc,d\ne,\n"
UNKNOWN = b"id,facts,text\n1,a,b\n2,c,d\n"


@pytest.fixture
def store() -> DatasetStore:
    return DatasetStore(SAMPLES)


def test_added_dataset_is_found_again_by_another_store(store: DatasetStore, tmp_path: Path) -> None:
    info = store.add(tmp_path, "pairs.csv", PAIRS)
    again = DatasetStore(SAMPLES)
    assert again.info(tmp_path, info.id) == info
    assert (info.rows, info.skipped, info.mapped, info.shape) == (2, 1, True, "prompt/completion")
    assert [row.line for row in again.rows(tmp_path, info.id)] == [2, 3]
    assert again.rows(tmp_path, info.id) == info.preview


def test_unknown_columns_are_refused_until_the_visitor_maps_them(
    store: DatasetStore, tmp_path: Path
) -> None:
    info = store.add(tmp_path, "facts.csv", UNKNOWN)
    assert (info.prompt_column, info.completion_column, info.mapped) == ("facts", "text", False)
    with pytest.raises(BadInput, match=r"facts\.csv: choose which column"):
        store.rows(tmp_path, info.id)
    mapped = store.map(tmp_path, info.id, "text", "facts")
    assert mapped.mapped
    assert mapped == store.info(tmp_path, info.id)
    assert store.rows(tmp_path, info.id)[0].messages == (
        Message("user", "b"),
        Message("assistant", "a"),
    )


@pytest.mark.parametrize(
    ("prompt", "completion"), [("no", "text"), ("text", "no"), ("text", "text"), ("", "no")]
)
def test_map_names_the_choices_when_a_column_cannot_be_chosen(
    prompt: str, completion: str, store: DatasetStore, tmp_path: Path
) -> None:
    info = store.add(tmp_path, "facts.csv", UNKNOWN)
    with pytest.raises(BadInput, match=r"must be one of .*facts"):
        store.map(tmp_path, info.id, prompt, completion)
    assert not store.info(tmp_path, info.id).mapped


def test_map_refuses_a_completion_column_without_texts(store: DatasetStore, tmp_path: Path) -> None:
    info = store.add(tmp_path, "facts.csv", b"id,facts,text\n1,a,\n2,c,\n")
    with pytest.raises(BadInput, match="Choose another completion column"):
        store.map(tmp_path, info.id, "facts", "text")


def test_dataset_of_one_workspace_is_not_found_in_another(
    store: DatasetStore, tmp_path: Path
) -> None:
    mine, foreign = tmp_path / "mine", tmp_path / "foreign"
    mine.mkdir()
    foreign.mkdir()
    info = store.add(mine, "pairs.csv", PAIRS)
    for folder in (foreign, None):
        with pytest.raises(NotFound):
            store.info(folder, info.id)
        with pytest.raises(NotFound):
            store.rows(folder, info.id)
    with pytest.raises(NotFound):
        store.map(foreign, info.id, "prompt", "completion")


@pytest.mark.parametrize("dataset", ["", "sample:none", "../secret", "0" * 16, ".", "/etc"])
def test_unknown_ids_are_not_found(dataset: str, store: DatasetStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        store.info(tmp_path, dataset)
    with pytest.raises(NotFound):
        store.rows(tmp_path, dataset)


def test_refused_file_leaves_nothing_behind(store: DatasetStore, tmp_path: Path) -> None:
    for name, data in (("a.csv", b"a,b\n1\n"), ("b.csv", b"prompt,completion\na,\n")):
        with pytest.raises(LabError):
            store.add(tmp_path, name, data)
    assert list((tmp_path / "datasets").iterdir()) == []


def test_the_same_file_again_is_the_same_dataset(store: DatasetStore, tmp_path: Path) -> None:
    first = store.add(tmp_path, "pairs.csv", PAIRS)
    assert store.add(tmp_path, "pairs.csv", PAIRS) == first
    assert store.add(tmp_path, "others.csv", PAIRS).id != first.id


def test_one_dataset_too_many_takes_the_place_of_the_one_longest_unused(
    store: DatasetStore, tmp_path: Path
) -> None:
    ids = [store.add(tmp_path, f"{n}.csv", PAIRS).id for n in range(MOST_DATASETS)]
    for age, dataset in enumerate(ids):
        os.utime(tmp_path / "datasets" / dataset, (1000 + age, 1000 + age))
    store.add(tmp_path, "0.csv", PAIRS)
    store.add(tmp_path, "one more.csv", PAIRS)
    assert store.info(tmp_path, ids[0]).name == "0.csv"
    with pytest.raises(NotFound):
        store.info(tmp_path, ids[1])


def test_file_name_is_shown_and_never_a_path(store: DatasetStore, tmp_path: Path) -> None:
    info = store.add(tmp_path, "../../evil.csv", PAIRS)
    assert info.name == "evil.csv"
    stored = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert stored == {"table.json", "rows.jsonl", "recipe.json", "dataset.json"}


@pytest.mark.parametrize("folder", [path.name for path in sorted(SAMPLES.iterdir())])
def test_every_sample_has_rows_source_and_licence(folder: str, store: DatasetStore) -> None:
    info = store.info(None, f"sample:{folder}")
    assert info in store.samples()
    assert info.source
    assert info.licence
    assert info.url.startswith("https://") or info.source.startswith("Written for this lab")
    assert info.teaches.endswith(".")
    assert set(info.titles) == {"en", "hu", "pl"}
    assert all(info.titles.values())
    assert info.mapped
    assert not info.skipped
    assert len(store.rows(None, info.id)) == info.rows >= 60


def test_sample_card_with_an_unknown_field_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "sample.yaml").write_text("title: Odd\ncolour: red\n")
    with pytest.raises(BadInput, match=r"odd/sample\.yaml: .*colour"):
        DatasetStore(tmp_path).samples()


def test_restaurants_used_for_scoring_occur_in_no_training_row() -> None:
    lines = (SAMPLES / "restaurants" / "scoring.jsonl").read_text(encoding="utf-8").splitlines()
    scoring = [json.loads(line) for line in lines]
    names = {item["prompt"].split("name[")[1].split("]")[0] for item in scoring}
    training = (SAMPLES / "restaurants" / "rows.csv").read_text(encoding="utf-8").lower()
    assert len(names) == 5
    assert len({item["prompt"] for item in scoring}) == 48
    assert all(item["references"] for item in scoring)
    assert not [name for name in names if name.lower() in training]


def test_word_problems_keep_their_result_line_and_no_calculator_marks(store: DatasetStore) -> None:
    for row in store.rows(None, "sample:word-problems"):
        answer = row.messages[-1].content
        assert "<<" not in answer
        assert answer.splitlines()[-1].startswith("#### ")
