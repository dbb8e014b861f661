"""What is too large is refused before it is read, made or written; what was refused says why in words."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import orjson
import pytest
from safetensors import SafetensorError

from demo.errors import BadInput, Busy, NotFound
from demo.lab import Lab
from demo.lab.own_adapters import OwnAdapters
from demo.methods.file_size import NUMBER_BYTES
from demo.methods.travel.archive import LARGEST_ARCHIVE
from demo.methods.travel.merging import bytes_of, merged
from demo.run_records import DatasetInfo
from demo.ui.language import LANGUAGES, Labels, Texts
from demo.ui.memory import browser_memory
from demo.ui.shell import Shell
from demo.ui.tuning import travel
from tests.methods.travel.zips import packed, parts, with_config, zipped
from tests.travel.looking import kept, tree


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("bring", "size", "said"),
    [
        (Lab.import_adapter, LARGEST_ARCHIVE + 1, "the most is 48 MB"),
        (Lab.add_file, 5_000_001, "file is 5.00 MB; the most is 5 MB"),
    ],
)
def test_a_file_that_is_too_large_is_refused_unread(
    lab: Lab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bring: Callable[[Lab, str, str, Path], DatasetInfo],
    size: int,
    said: str,
) -> None:
    mine, path = lab.new_workspace(), tmp_path / "file"
    path.touch()
    os.truncate(path, size)
    monkeypatch.setattr(Path, "read_bytes", failing(AssertionError("it was read")))
    with pytest.raises(BadInput, match=said):
        bring(lab, mine, "file", path)


def test_an_adapter_comes_in_from_a_file(
    lab: Lab, folders: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "mine.zip"
    path.write_bytes(zipped(folders["lora"]))
    assert lab.import_adapter(lab.new_workspace(), "Mine", path).detail.startswith("LoRA r=4")


def test_a_sum_that_takes_too_much_is_refused_before_it_is_made(
    lab: Lab, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = lab.new_workspace()
    info = lab.import_adapter(mine, "One", zipped(folders["lora"]))
    own, facts = lab.own_adapters, lab.own_adapters._base()[0]
    both = [own.read(kept(lab, mine, info.name), "One")] * 2
    _, tensors = merged([(one, 1.0) for one in both], facts)
    size = bytes_of(both, facts)
    assert size == NUMBER_BYTES * sum(tensor.numel() for tensor in tensors.values())
    monkeypatch.setattr("demo.lab.own_adapters.merged", failing(AssertionError("it was made")))
    monkeypatch.setattr("demo.lab.own_adapters.LARGEST_TENSORS", size - 1)
    with pytest.raises(BadInput, match="Together these adapters would take 1 MB; the most is 0 MB"):
        lab.merge_adapters(mine, "Both", [(info.name, 1), (info.name, 1)])


def test_the_page_says_how_large_a_zip_may_be() -> None:
    for language in LANGUAGES:
        intro = Texts.load().node(language, "components.travel.intro.value")
        assert f"{LARGEST_ARCHIVE // 10**6} MB" in intro


def test_a_score_beyond_every_float_is_passed_over(lab: Lab, folders: dict[str, Path]) -> None:
    score = f'{{"base": 1{"0" * 400}, "adapted": 2, "n": 3}}'
    run = f'{{"scores": {{"huge": {score}}}}}'.encode()
    content = packed({**parts(folders["lora"]), "run.json": run})
    assert lab.import_adapter(lab.new_workspace(), "Huge", content).detail == "LoRA r=4"


def test_half_a_surrogate_pair_is_refused_in_words_that_can_be_sent(
    lab: Lab, folders: dict[str, Path]
) -> None:
    content = with_config(folders["lora"], **{"\ud800": 1})
    with pytest.raises(BadInput, match="no strict JSON") as refusal:
        lab.import_adapter(lab.new_workspace(), "Half", content)
    orjson.dumps(str(refusal.value))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "does not fit into memory"),
        (MemoryError(), "does not fit into memory"),
        (KeyError("layers.0.weight"), "base model's file has no 'layers.0.weight'"),
    ],
)
def test_what_memory_or_the_base_cannot_hold_is_refused_in_words(
    lab: Lab,
    folders: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    said: str,
) -> None:
    mine, content = lab.new_workspace(), zipped(folders["dora"])
    facts = replace(lab.own_adapters._base()[0], weight=failing(error))
    monkeypatch.setattr(OwnAdapters, "_base", lambda _: (facts, "tiny-model"))
    before = tree(lab, mine)
    with pytest.raises(BadInput, match=said):
        lab.import_adapter(mine, "Large", content)
    assert tree(lab, mine) == before


def test_weights_that_cannot_be_written_leave_nothing(
    lab: Lab, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, content = lab.new_workspace(), zipped(folders["lora"])
    monkeypatch.setattr("demo.lab.own_adapters.write", failing(SafetensorError("I/O error")))
    with pytest.raises(Busy, match="no room"):
        lab.import_adapter(mine, "Mine", content)
    assert tree(lab, mine) == ["adapters"]

    def deleted(*_: object) -> None:
        lab.workspaces.delete(mine)
        raise SafetensorError("I/O error")

    monkeypatch.setattr("demo.lab.own_adapters.write", deleted)
    with pytest.raises(NotFound):
        lab.import_adapter(mine, "Mine", content)


@pytest.mark.parametrize("error", [None, OSError(28, "No space left on device")])
def test_a_download_needs_room_and_leaves_nothing_half_made(
    lab: Lab,
    folders: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None,
) -> None:
    mine = lab.new_workspace()
    info = lab.import_adapter(mine, "Mine", zipped(folders["lora"]))
    if error:
        monkeypatch.setattr("zipfile.ZipFile.write", failing(error))
    else:
        monkeypatch.setattr("demo.training.shelf.LEAST_FREE_BYTES", 10**18)
    with pytest.raises(Busy, match="no room"):
        lab.download(mine, info.name)
    assert list(lab.own_adapters.export_folder(mine, info.name).iterdir()) == []


def test_only_a_few_whole_models_lie_here_at_a_time(
    lab: Lab, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab.whole_models, "_write", lambda path, *_: path.write_bytes(b"zip"))
    made = []
    for n in range(5):
        mine = lab.new_workspace()
        info = lab.import_adapter(mine, "Mine", zipped(folders["lora"]))
        made.append(lab.whole_model(mine, info.name))
        os.utime(made[-1], (n + 1, n + 1))
    assert [path.exists() for path in made] == [False, False, True, True, True]


def test_the_code_reads_no_weights_and_a_whole_model_reads_them_in_its_turn(
    lab: Lab, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = lab.new_workspace()
    info = lab.import_adapter(mine, "Mine", zipped(folders["lora"]))

    def read(*_: object) -> None:
        assert lab.whole_models._writing.locked()
        raise Busy("disk_full")

    monkeypatch.setattr(OwnAdapters, "read", read)
    assert "merge_and_unload()" in lab.whole_model_code(mine, info.name)
    with pytest.raises(Busy):
        lab.whole_model(mine, info.name)


def test_a_visitor_without_a_workspace_gets_one_for_all_whole_models(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, asked = Texts.load(), []
    with gr.Blocks():
        language = gr.Radio(["en"], value="en")
        shell = Shell(lab, texts, Labels(texts), browser_memory(), language)
    monkeypatch.setattr(
        lab, "whole_model", lambda workspace, _: asked.append(workspace) or Path("whole.zip")
    )
    memory, file = travel.whole(shell, "restaurants", None, "en")
    memory, _ = travel.whole(shell, "restaurants", memory, "en")
    assert file["value"] == "whole.zip"
    assert asked == [memory["workspace"]] * 2
