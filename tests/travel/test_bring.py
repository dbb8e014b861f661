"""Adapters come into a workspace, answer there, are renamed and deleted; a refused one leaves nothing."""

import io
import json
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from demo.errors import BadInput, Busy, NotFound
from demo.lab import Lab
from demo.lab.own_adapters import MOST_ADAPTERS
from demo.records import AnswerRequest, Sampling, conversation
from demo.workspace import read_json, write_json
from tests.methods.travel.zips import parts, with_config, with_tensors, zipped
from tests.travel.looking import kept, logits, tree


def test_a_brought_adapter_answers_renames_downloads_and_goes(
    lab: Lab, folders: dict[str, Path]
) -> None:
    mine = lab.new_workspace()
    info = lab.import_adapter(mine, " From\nelsewhere ", zipped(folders["lora"]))
    assert (info.title, info.source, info.origin) == ("From elsewhere", "own", "brought")
    assert info.base_stated
    assert not info.base_differs
    assert info in lab.adapters(mine)
    assert lab.brought_adapters(mine) == [info]
    here = kept(lab, mine, info.name)
    assert torch.equal(logits(lab, here), logits(lab, folders["lora"]))
    asked = AnswerRequest(conversation("Hi"), sampling=Sampling(max_new_tokens=4), workspace=mine)
    *_, answer = lab.answer(replace(asked, adapter=info.name))
    assert answer.done
    archive = lab.download(mine, info.name)
    assert archive.name == "from-elsewhere.zip"
    lab.rename_adapter(mine, info.name, "Another name")
    assert not archive.exists()
    assert "# Another name" in (here / "README.md").read_text()
    again = lab.import_adapter(mine, "Twice", lab.download(mine, info.name).read_bytes())
    assert torch.equal(logits(lab, kept(lab, mine, again.name)), logits(lab, here))
    lab.delete_adapter(mine, info.name)
    assert [one.name for one in lab.brought_adapters(mine)] == [again.name]
    with pytest.raises(NotFound):
        next(lab.answer(replace(asked, adapter=info.name)))


def test_the_card_says_whose_scores_these_are(lab: Lab, folders: dict[str, Path]) -> None:
    mine = lab.new_workspace()
    info = lab.import_adapter(mine, "Brought", zipped(folders["lora"]))
    assert info.detail == "LoRA r=4 · eval loss 3.2 → 1.25 (n=20)"
    card = (kept(lab, mine, info.name) / "README.md").read_text()
    assert "scores as its own `run.json` states them, not measured here" in card
    assert "| eval loss | 3.2 | 1.25 | 20 |" in card
    assert "“Run lora”" in card
    assert "“rows.csv”" in card


def test_what_a_run_json_from_elsewhere_says_is_bounded_and_cannot_write_markup(
    lab: Lab, folders: dict[str, Path]
) -> None:
    mine = lab.new_workspace()
    run = {
        "name": "---\nlicense: mit\n<script>" + "x" * 9000,
        "dataset": {"name": ["no", "text"]},
        "base": asdict(lab.engine.require_ready().fingerprint),
        "scores": {
            "bleu": {"base": 1, "adapted": 2, "n": 3},
            "a|b": {"base": 1, "adapted": 2, "n": 3},
            "words": {"base": "<b>", "adapted": 2, "n": 3},
            "huge": {"base": 1e300, "adapted": 2, "n": 3},
        },
        "summary": "<script>",
        "settings": "nonsense",
    }
    content = with_config(folders["lora"])
    with zipfile.ZipFile(buffer := io.BytesIO(content), "a") as archive:
        archive.writestr("run.json", json.dumps(run))
    info = lab.import_adapter(mine, "Brought", buffer.getvalue())
    assert info.detail == "LoRA r=4 · bleu 1 → 2 (n=3)"
    record = read_json(kept(lab, mine, info.name) / "run.json")
    assert record["stated"]["scores"].keys() == {"bleu"}
    assert len(record["stated"]["name"]) == 120
    card = (kept(lab, mine, info.name) / "README.md").read_text()
    assert "\\<script\\>" in card
    assert "\nlicense: mit" not in card


def test_an_adapter_that_states_no_base_is_taken_and_marked(
    lab: Lab, folders: dict[str, Path]
) -> None:
    mine = lab.new_workspace()
    for path in ("", None, "/home/somebody/model", "C:\\model", "./model", "other-folder"):
        content = with_config(folders["lora"], base_model_name_or_path=path)
        info = lab.import_adapter(mine, "Unstated", content)
        assert not info.base_stated
        assert not info.base_differs
    again = lab.import_adapter(mine, "Again", lab.download(mine, info.name).read_bytes())
    assert not again.base_stated
    named = with_config(folders["lora"], base_model_name_or_path="tiny-model")
    info = lab.import_adapter(mine, "Named", named)
    assert info.base_stated
    assert info.base_differs


@pytest.mark.parametrize("where", ["config", "run"])
def test_an_adapter_of_another_base_is_refused_by_its_name(
    lab: Lab, folders: dict[str, Path], where: str, tmp_path: Path
) -> None:
    mine = lab.new_workspace()
    if where == "config":
        content = with_config(folders["lora"], base_model_name_or_path="owner/other")
    else:
        for name, data in parts(folders["lora"]).items():
            (tmp_path / name).write_bytes(data)
        base = {"lineage": "owner/other#0", "weights": "0"}
        write_json(tmp_path / "run.json", {"name": "Foreign", "base": base})
        content = zipped(tmp_path)
    before = tree(lab, mine)
    with pytest.raises(BadInput, match=r"was trained on owner/other; this lab runs tiny-model"):
        lab.import_adapter(mine, "Foreign", content)
    assert tree(lab, mine) == before


def test_a_refused_adapter_leaves_nothing_and_changes_nobody(
    lab: Lab, folders: dict[str, Path]
) -> None:
    mine = lab.new_workspace()
    before = tree(lab, mine)
    hostile = [
        b"",
        b"PK",
        with_config(folders["lora"], init_lora_weights="pissa"),
        with_config(folders["lora"], modules_to_save=["lm_head"]),
        with_tensors(folders["lora"], lambda t: {**t, "lm_head.weight": torch.zeros(4, 4)}),
        with_tensors(folders["lora"], lambda t: {n: v * float("nan") for n, v in t.items()}),
    ]
    for content in hostile:
        with pytest.raises(BadInput, match="cannot be brought in"):
            lab.import_adapter(mine, "Hostile", content)
    for name in ("", "x" * 61, "a\0b"):
        with pytest.raises(BadInput):
            lab.import_adapter(mine, name, zipped(folders["lora"]))
    assert tree(lab, mine) == before
    assert lab.base_proof().unchanged


def test_an_adapter_of_the_largest_numbers_harms_nobody_else(
    lab: Lab, folders: dict[str, Path]
) -> None:
    mine = lab.new_workspace()
    huge = with_tensors(folders["lora"], lambda t: {n: v.sign() * 1e3 for n, v in t.items()})
    info = lab.import_adapter(mine, "Huge", huge)
    asked = AnswerRequest(conversation("Hi"), sampling=Sampling(max_new_tokens=6), workspace=mine)
    *_, alone = lab.answer(asked)
    *_, answers = lab.compare(asked, ["base", info.name])
    assert answers[0].text == alone.text
    assert answers[1].done
    assert lab.base_proof().unchanged


def test_nobody_reaches_the_adapters_of_another_workspace(
    lab: Lab, folders: dict[str, Path]
) -> None:
    mine, yours = lab.new_workspace(), lab.new_workspace()
    info = lab.import_adapter(mine, "Mine", zipped(folders["lora"]))
    for reach in (
        lambda: lab.delete_adapter(yours, info.name),
        lambda: lab.rename_adapter(yours, info.name, "theft"),
        lambda: lab.download(yours, info.name),
        lambda: lab.whole_model(yours, info.name),
        lambda: lab.whole_model_code(yours, info.name),
        lambda: lab.merge_adapters(yours, "theft", [(info.name, 1), (info.name, 1)]),
        lambda: lab.delete_adapter(mine, "../adapters"),
        lambda: lab.delete_adapter(mine, "restaurants"),
        lambda: lab.import_adapter("", "nobody", zipped(folders["lora"])),
    ):
        with pytest.raises(NotFound):
            reach()
    assert lab.brought_adapters(mine) == [info]


def test_a_workspace_keeps_so_many_and_no_more(
    lab: Lab, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = lab.new_workspace()
    monkeypatch.setattr("demo.lab.own_adapters.MOST_ADAPTERS", 2)
    assert MOST_ADAPTERS == 20
    first, _ = (lab.import_adapter(mine, name, zipped(folders["lora"])) for name in "ab")
    with pytest.raises(Busy, match="keeps 2 brought and merged adapters"):
        lab.import_adapter(mine, "c", zipped(folders["lora"]))
    with pytest.raises(Busy, match="keeps 2 brought and merged adapters"):
        lab.merge_adapters(mine, "c", [(first.name, 1), (first.name, 1)])
    lab.delete_adapter(mine, first.name)
    lab.import_adapter(mine, "c", zipped(folders["lora"]))
