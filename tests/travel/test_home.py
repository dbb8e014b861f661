"""Adapters are merged, and taken home: as a download, as a whole model, as lines of code."""

import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from demo.errors import BadInput
from demo.lab import Lab
from demo.workspace import read_json
from tests.methods.making import with_peft
from tests.methods.travel.zips import zipped
from tests.travel.looking import IDS, kept, logits


def test_a_merged_adapter_answers_as_the_sum_does(lab: Lab, folders: dict[str, Path]) -> None:
    mine = lab.new_workspace()
    one, other = (
        lab.import_adapter(mine, name, zipped(folders[name])) for name in ("lora", "rslora")
    )
    info = lab.merge_adapters(mine, "Both", [(one.name, 0.5), (other.name, -0.25)])
    assert info.origin == "merged"
    assert info.detail == "LoRA r=8 · 0.5 x lora + -0.25 x rslora"
    both = logits(lab, folders["lora"], 0.5, (folders["rslora"], -0.25))
    torch.testing.assert_close(logits(lab, kept(lab, mine, info.name)), both, atol=1e-5, rtol=1e-5)
    record = read_json(kept(lab, mine, info.name) / "run.json")
    assert record["scores"] == {}
    assert [(p["id"], p["weight"]) for p in record["parents"]] == [
        (one.name, 0.5),
        (other.name, -0.25),
    ]
    assert "nothing was measured" in (kept(lab, mine, info.name) / "README.md").read_text()


@pytest.mark.parametrize("method", ["dora", "ia3", "prompt", "bottleneck"])
def test_what_is_more_than_low_rank_is_not_merged(
    lab: Lab, folders: dict[str, Path], method: str
) -> None:
    mine = lab.new_workspace()
    one, other = (
        lab.import_adapter(mine, name, zipped(folders[name])) for name in ("lora", method)
    )
    with pytest.raises(BadInput, match=f"{method} is more than a low-rank update"):
        lab.merge_adapters(mine, "Both", [(one.name, 0.5), (other.name, 0.5)])
    for bad in ([], [(one.name, 1)], [(one.name, 1)] * 5, [(one.name, 2), (one.name, 1)]):
        with pytest.raises(BadInput):
            lab.merge_adapters(mine, "Both", bad)


def test_a_sum_of_too_high_a_rank_is_refused(
    lab: Lab, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = lab.new_workspace()
    info = lab.import_adapter(mine, "One", zipped(folders["lora"]))
    monkeypatch.setattr("demo.lab.own_adapters.LARGEST_RANK", 7)
    with pytest.raises(BadInput, match="rank 8; the most is 7"):
        lab.merge_adapters(mine, "Both", [(info.name, 1), (info.name, 1)])


@torch.no_grad()
@pytest.mark.parametrize("method", ["lora", "dora", "ia3"])
def test_a_whole_model_loads_in_plain_transformers_with_the_adapted_logits(
    lab: Lab, folders: dict[str, Path], method: str, tmp_path: Path
) -> None:
    mine = lab.new_workspace()
    info = lab.import_adapter(mine, "Mine", zipped(folders[method]))
    path = lab.whole_model(mine, info.name)
    assert path == lab.whole_model(mine, info.name)
    with closing(zipfile.ZipFile(path)) as archive:
        archive.extractall(tmp_path)
    whole = AutoModelForCausalLM.from_pretrained(tmp_path / "mine-whole", dtype=torch.float32)
    said = whole(torch.tensor([IDS])).logits[0, -1]
    here = kept(lab, mine, info.name)
    torch.testing.assert_close(said, logits(lab, here), atol=1e-4, rtol=1e-4)
    lab.delete_adapter(mine, info.name)
    assert not path.exists()


def test_a_whole_model_is_written_only_where_it_may_be_and_can_be(
    lab: Lab, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = lab.new_workspace()
    info = lab.import_adapter(mine, "Soft", zipped(folders["prompt"]))
    with pytest.raises(BadInput, match="Soft acts beside the model's weights"):
        lab.whole_model(mine, info.name)
    monkeypatch.setattr(lab.whole_models, "settings", replace(lab.settings, full_tuning=False))
    with pytest.raises(BadInput, match="this lab writes none of that size"):
        lab.whole_model(mine, info.name)


def test_the_code_that_merges_it_runs_in_plain_peft(
    lab: Lab, folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = lab.new_workspace()
    info = lab.import_adapter(mine, "Mine", zipped(folders["lora"]))
    code = lab.whole_model_code(mine, info.name)
    with zipfile.ZipFile(lab.download(mine, info.name)) as archive:
        archive.extractall(tmp_path)
    assert "merge_and_unload()" in code
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny-model").symlink_to(lab.settings.model)
    exec(code, {})
    with torch.no_grad():
        whole = AutoModelForCausalLM.from_pretrained("mine-whole", dtype=torch.float32)
        said = whole(torch.tensor([IDS])).logits[0, -1]
    torch.testing.assert_close(said, logits(lab, folders["lora"]), atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("method", ["lora", "dora", "ia3", "prompt"])
def test_a_download_loads_in_plain_peft_with_the_labs_logits(
    lab: Lab, folders: dict[str, Path], model: Path, method: str, tmp_path: Path
) -> None:
    mine = lab.new_workspace()
    info = lab.import_adapter(mine, "Mine", zipped(folders[method]))
    with zipfile.ZipFile(lab.download(mine, info.name)) as archive:
        archive.extractall(tmp_path)
    said = with_peft(model, tmp_path / "mine")(torch.tensor([IDS])).logits[0, -1]
    torch.testing.assert_close(logits(lab, kept(lab, mine, info.name)), said, atol=2e-4, rtol=1e-3)
