import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo.dataset_records import Fix, FixDone
from demo.run_records import DatasetInfo, RunEvent
from demo.training.ordering import told_of
from demo.training.report import card
from demo.training.run_folder import RunFolder, StoredState


def test_run_folder_gives_back_what_was_ordered(order_run: Any, make_rows: Any) -> None:
    folder: RunFolder = order_run(make_rows(3), make_rows(2), rank=5)
    again = RunFolder(folder.path)
    assert again.order() == folder.order()
    assert again.order().settings.rank == 5
    assert list(again.train_rows()) == make_rows(3)
    assert list(again.eval_rows()) == make_rows(2)
    assert again.state().status == "queued"
    assert again.events() == ()


def test_folder_that_cannot_be_written_leaves_nothing_behind(
    order_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_run: RunFolder, _state: StoredState) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(RunFolder, "write_state", full)
    with pytest.raises(OSError, match="no space"):
        order_run()
    assert list((tmp_path / "runs").iterdir()) == []


def test_reader_leaves_out_a_line_that_is_still_being_written(order_run: Any) -> None:
    folder: RunFolder = order_run()
    event = RunEvent(1, 0.5, train_loss=2.0)
    folder.append_event(event)
    with (folder.path / "events.jsonl").open("a") as file:
        file.write('{"step": 2, "seco')
    assert folder.events() == (event,)


def test_card_keeps_a_visitors_words_out_of_its_front_matter() -> None:
    settings = {"method": "lora", "rank": 8, "alpha": 16, "dropout": 0.0, "learning_rate": 1e-3}
    more = {"epochs": 1, "batch_size": 8, "max_length": 512, "max_steps": 0, "seed": 0}
    text = card(
        {
            "name": "x\n---\nlicense: mit\n[click](evil)",
            "status": "finished",
            "settings": {**settings, **more},
            "dataset": {
                "name": "a|b",
                "sha256": "0",
                "source": "",
                "licence": "CC BY-SA 4.0 (url)",
                "fixes": [
                    {"fix": "leave_long", "limit": 64, "changed": 2, "before": 9, "after": 7}
                ],
            },
            "rows": 1,
            "rows_given": 1,
            "eval_rows": 0,
            "too_long": 0,
            "base": {"lineage": "owner/model#abc", "weights": "w"},
            "scores": {},
        }
    )
    _, front, body = text.split("---\n", 2)
    assert "license: cc-by-sa-4.0" in front
    assert "base_model: owner/model\n" in front
    assert "mit" not in front
    assert "\\[click\\](evil)" in body
    assert "mended before training: leave long over 64 tokens (2 changed, 9 → 7 rows)." in body


def test_a_run_writes_down_what_was_mended_in_its_dataset() -> None:
    fixes = (FixDone(Fix("leave_repeated"), 9, 8, 1), FixDone(Fix("leave_long", 64), 8, 7, 1))
    info = DatasetInfo("d", "rows.csv", "0" * 64, "messages", (), "", "", 7, (), fixes=fixes)
    told = told_of(info)
    assert told["name"] == "rows.csv"
    assert told["fixes"] == [
        {"fix": "leave_repeated", "changed": 1, "before": 9, "after": 8},
        {"fix": "leave_long", "limit": 64, "changed": 1, "before": 8, "after": 7},
    ]
    assert json.loads(json.dumps(told)) == told
    assert "fixes" not in told_of(replace(info, fixes=()))
