"""Step 2 of Fine-tune: what a method's choice shows, sets and tells."""

from dataclasses import fields, replace
from typing import Any

import gradio as gr
import pytest
from markupsafe import escape

from demo.errors import BadInput, LabError
from demo.methods import METHODS, good_settings
from demo.run_records import Cost, RunPlan, RunState, TrainSettings
from demo.ui.controls import training_controls
from demo.ui.language import LANGUAGES, Labels, Texts
from demo.ui.shell import Shell
from demo.ui.tuning import breaking, costs
from demo.ui.tuning.about import FAMILIES, VIEWS, about
from demo.ui.tuning.choice import choose, form, turn
from demo.ui.views import duration

TEXTS = Texts.load()
PLAN = RunPlan(
    rows=180, eval_rows=20, too_long=0, steps=23, tokens=18_000, trained_tokens=6_000,
    seconds=75.0, trainable=2_442_240, parameters=134_515_008, adapter_bytes=9_800_000,
    peak_bytes=2_100_000_000, full=Cost(134_515_008, 538_000_000, 4_200_000_000, 101.0),
)  # fmt: skip


def given(**changes: Any) -> dict[str, Any]:
    return vars(TrainSettings(**changes))


def names() -> list[str]:
    with gr.Blocks():
        controls = training_controls(Labels(TEXTS), TrainSettings())
    return ["method", *controls]


@pytest.mark.parametrize("method", METHODS)
def test_chosen_method_sets_its_own_defaults_and_shows_only_what_applies(method: str) -> None:
    updates = dict(zip(names(), choose(**given(seed=7) | {"method": method}), strict=True))
    for name, value in METHODS[method].defaults.items():
        assert updates[name]["value"] == value
    assert updates["seed"]["value"] == 7
    applies = METHODS[method].settings
    for name in ("rank", "alpha", "dropout", "virtual_tokens", "width"):
        assert updates[name]["visible"] == (name in applies)
    assert updates["learning_rate"]["visible"]


def test_form_fills_every_field_of_the_settings() -> None:
    settings = TrainSettings(method="prefix", virtual_tokens=9, template="instruction")
    updates = dict(zip(names(), form(vars(settings)), strict=True))
    assert {name: u["value"] for name, u in updates.items()} == vars(settings)
    assert set(updates) == {f.name for f in fields(TrainSettings)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_method_is_offered_told_drawn_and_mapped(language: str) -> None:
    offered = TEXTS.node(language, "components.methods.method")["choices"]
    assert [value for _, value in offered] == list(METHODS)
    for name, method in METHODS.items():
        html = str(about(TEXTS, language, name, 30))
        assert html.count('class="lit"') >= 1
        assert html.count('aria-current="true"') == 1
        assert method.name == "full" or str(escape(method.source)) in html
        assert 'role="img"' in html


def test_maps_have_a_place_for_every_method() -> None:
    assert {method.view for method in METHODS.values()} == set(VIEWS)
    assert {method.family for method in METHODS.values()} == set(FAMILIES)


def test_plan_says_what_is_trained_and_what_full_tuning_would_take() -> None:
    line = str(costs.lines(TEXTS, "en", PLAN, TrainSettings()))
    assert (
        "LoRA: trains 2.44 million of 135 million weights (1.82 %), an adapter of 9.80 MB" in line
    )
    table = str(costs.table(TEXTS, "en", PLAN))
    assert "<td>2.10 GB</td><td>4.20 GB</td>" in table
    assert "<td>75 s</td><td>101 s</td>" in table


@pytest.mark.parametrize("language", LANGUAGES)
def test_time_is_called_an_estimate_until_this_machine_was_measured(language: str) -> None:
    settings, guess = TrainSettings(), TEXTS.say(language, "tuning.guessed")
    assert guess in costs.lines(TEXTS, language, replace(PLAN, guessed=True), settings)
    assert guess not in costs.lines(TEXTS, language, PLAN, settings)
    table = costs.table(TEXTS, language, replace(PLAN, guessed=True))
    assert TEXTS.say(language, "tuning.cost_note") not in table


def test_share_too_small_to_write_is_said_to_be_less() -> None:
    plan = RunPlan(**{**vars(PLAN), "trainable": 9_216})
    line = str(costs.lines(TEXTS, "en", plan, TrainSettings(method="prompt")))
    assert "trains 9,216 of 135 million weights (less than 0.01 %)" in line


def test_run_that_leaves_rows_unread_says_so() -> None:
    plan = RunPlan(**{**vars(PLAN), "passes": 0.25})
    assert "reads 25 % of the rows" in str(costs.lines(TEXTS, "en", plan, TrainSettings()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_run_that_its_budget_will_cut_is_warned_of_before_it_starts(language: str) -> None:
    said = str(costs.lines(TEXTS, language, replace(PLAN, cut_after=1800.0), TrainSettings()))
    assert 'class="notice warn"' in said
    assert duration(TEXTS, language, 1800.0) in said
    assert "notice" not in costs.lines(TEXTS, language, PLAN, TrainSettings())


def test_estimate_is_set_beside_the_truth_with_its_error() -> None:
    run = RunState(
        "r", "n", "d", "finished",
        planned=Cost(seconds=60.0, peak_bytes=2_000_000_000),
        taken=Cost(seconds=66.0, peak_bytes=1_500_000_000),
    )  # fmt: skip
    html = str(costs.truth(TEXTS, "en", run))
    assert "foretold 60 s, measured 66 s (+10 %)" in html
    assert "foretold 2.00 GB, measured 1.50 GB (−25 %)" in html  # noqa: RUF001
    assert str(costs.truth(TEXTS, "en", RunState("r", "n", "d", "running"))) == ""


@pytest.mark.parametrize("name", breaking.PRESETS)
def test_run_that_fails_on_purpose_fills_the_whole_form(name: str) -> None:
    dial, *form_values = breaking.settings_of(name)
    filled = {n: u["value"] for n, u in zip(names(), form_values, strict=True)}
    good = vars(good_settings("lora"))
    assert {n: v for n, v in filled.items() if v != good[n]} == dict(breaking.PRESETS[name])
    assert dial == (None if name == "by_heart" else "quick")
    TrainSettings(**filled)


class Fitting:
    """As much of the lab as the dial asks for."""

    def __init__(self, fitted: TrainSettings | LabError) -> None:
        self.fitted = fitted

    def fit_run(self, *_: Any) -> TrainSettings:
        if isinstance(self.fitted, LabError):
            raise self.fitted
        return self.fitted


def turned(fitted: TrainSettings | LabError, **changes: Any) -> list[Any]:
    """Epochs and steps after a turn of the dial; `None` where they stay."""
    lab: Any = Fitting(fitted)
    with gr.Blocks():
        shell = Shell(lab, TEXTS, Labels(TEXTS), gr.BrowserState({}), gr.Radio(["en"]))
    page = {"dataset": "d", "memory": {}, "language": "en", "dial": "quick"} | changes
    values = turn(shell, **given(), **page)
    return [None if isinstance(value, dict) else value for value in values]


def test_dial_sets_only_what_changes() -> None:
    assert turned(TrainSettings(epochs=3)) == [3, None]
    assert turned(TrainSettings(max_steps=12)) == [None, 12]
    assert turned(TrainSettings()) == [None, None]


def test_dial_that_stands_nowhere_or_cannot_plan_leaves_the_form_alone() -> None:
    assert turned(TrainSettings(epochs=3), dial=None) == [None, None]
    assert turned(TrainSettings(epochs=3), dataset="") == [None, None]
    assert turned(BadInput("nothing_trained", file="a")) == [None, None]
