"""What the fold shows of a sweep: the sentence, the chart, the table; escaped, in every language."""

from dataclasses import replace

import pytest

from demo.sweep_records import SweepPoint, SweepState
from demo.ui.language import LANGUAGES, Texts
from demo.ui.tuning.sweep import read
from demo.ui.tuning.sweep_view import banner, view

TEXTS = Texts.load()


def point(value: float | str, loss: float | None, trained: int = 100) -> SweepPoint:
    status = "finished" if loss is not None else "queued"
    return SweepPoint(str(value), value, status, 4, 4, loss, trained, 9.0)  # type: ignore[arg-type]


RANKS = SweepState(
    "s", "E2E", "rows.csv", "rank", 1.0,
    (point(2, 1.5, 25), point(8, 1.05, 100), point(32, 1.0, 400), point("full", 0.99, 4_000)),
    base_loss=3.0, held_out=20,
)  # fmt: skip


def test_ranks_stand_on_a_log_axis_with_full_tuning_at_the_edge_and_the_base_dashed() -> None:
    html = view(TEXTS, "en", RANKS)
    assert html.count('<circle class="point"') == 4
    assert '<line class="base"' in html
    assert '<line class="edge"' in html
    across = [float(part.split('"')[0]) for part in html.split('cx="')[1:4]]
    assert across[1] - across[0] == pytest.approx(across[2] - across[1], abs=0.2)
    assert "Rank 8 is within 0.060 of full tuning with 2 % of its trained weights." in html
    assert "Eval loss on 20 held-out rows" in html
    assert html.count("<tr>") == 5


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("setting", ["rank", "rows", "learning_rate", "method"])
def test_every_sweep_is_told_in_every_language(language: str, setting: str) -> None:
    values = ("lora", "ia3") if setting == "method" else (1, 2)
    points = tuple(point(value, loss) for value, loss in zip(values, (1.5, 1.2), strict=True))
    html = view(TEXTS, language, replace(RANKS, setting=setting, points=points))
    assert html.count('<circle class="point"') == 2
    assert "{" not in html


def test_a_sweep_under_way_shows_what_is_there_and_moves_the_banner() -> None:
    under_way = replace(RANKS, points=(point(2, 1.5), point(8, None)))
    html = view(TEXTS, "en", under_way)
    assert "1 of 2 runs have ended" in html
    assert "verdict" not in html
    told = banner(TEXTS, "en", under_way, {"html": "", "title": "", "live": False})
    assert told["live"]
    assert "50 %" in told["title"]


def test_a_sweep_with_a_failed_run_is_called_partial() -> None:
    failed = replace(point(8, None), status="failed")
    html = view(TEXTS, "en", replace(RANKS, points=(point(2, 1.5), point(4, 1.4), failed)))
    assert "Partial: 2 of 3 runs took all of their steps; only these are compared." in html


def test_a_run_that_was_stopped_early_is_drawn_faintly_and_called_partial() -> None:
    early = replace(point(8, 1.6), status="stopped", step=3)
    html = view(TEXTS, "en", replace(RANKS, points=(point(2, 1.5), point(4, 1.4), early)))
    assert html.count('<circle class="point faint"') == 1
    assert "Partial: 2 of 3 runs" in html


def test_full_tuning_alone_is_drawn_once_its_ranks_were_deleted() -> None:
    html = view(TEXTS, "en", replace(RANKS, points=(point("full", 0.99, 4_000),)))
    assert html.count('<circle class="point"') == 1
    assert '<line class="edge"' in html


def test_names_are_escaped_and_nothing_is_drawn_without_a_loss() -> None:
    hostile = replace(RANKS, name="<img src=x>", points=(point(2, None), point(8, None)))
    assert "<svg" not in view(TEXTS, "en", hostile)
    assert "<img" not in banner(TEXTS, "en", hostile, {})["html"]
    assert "No sweep yet" in view(TEXTS, "en", None)


@pytest.mark.parametrize(
    ("setting", "typed", "expected"),
    [
        ("rank", "2, 8,32", ["2", "8", "32"]),
        ("rank", "2 8 full", ["2", "8", "full"]),
        ("rank", "2,8 16,32", ["2", "8", "16", "32"]),
        ("rank", "4, Full", ["4", "full"]),
        ("rank", "", []),
        ("learning_rate", "0,001; 0,01", ["0.001", "0.01"]),
        ("learning_rate", "0,0002 0,002", ["0.0002", "0.002"]),
        ("learning_rate", "0,0002, 0,002", ["0.0002", "0.002"]),
        ("learning_rate", "2,5e-4 1,5E-3", ["2.5e-4", "1.5e-3"]),
        ("learning_rate", "0.0002,0.002, 0.02", ["0.0002", "0.002", "0.02"]),
        ("learning_rate", "1e-4,1e-3", ["1e-4", "1e-3"]),
        ("learning_rate", "", []),
    ],
)
def test_values_are_read_as_people_type_them(setting: str, typed: str, expected: list[str]) -> None:
    assert read(typed, setting) == expected
