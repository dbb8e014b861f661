import pytest

from demo.data.samples import load_sample
from demo.errors import BadInput
from demo.prompting.build import Built, ShotPlan, build
from demo.prompting.files import PromptFile, read_prompt
from demo.prompting.frame import STEPS, Frame
from demo.prompting.library import PromptLibrary
from demo.prompting.markdown import write_prompt
from demo.prompting.shots import draw
from demo.settings import ROOT

SHIPPED = PromptLibrary(ROOT / "prompts")
PROBLEMS = load_sample(ROOT / "demo" / "samples" / "word-problems" / "sample.yaml").rows
WORKED = SHIPPED.get("word-problem-worked-steps")
SHORT = SHIPPED.get("word-problem-few-shot")


@pytest.mark.parametrize("file", SHIPPED.all(), ids=lambda file: file.name)
def test_plan_that_changes_nothing_builds_the_file_itself(file: PromptFile) -> None:
    built = build(ShotPlan(), file)
    question = file.defaults["input"]
    assert built.messages(question) == file.messages({})
    assert built.rule == file.answer


@pytest.mark.parametrize("file", SHIPPED.all(), ids=lambda file: file.name)
def test_built_prompt_saved_as_a_file_asks_the_same(file: PromptFile) -> None:
    built = build(ShotPlan(count=2, order="2 1"), file)
    question = file.defaults["input"]
    saved = read_prompt("own.md", write_prompt(built.saved_as("Mine", question)).encode())
    assert saved.messages({}) == built.messages(question)
    assert saved.answer == built.rule


def test_fewer_shots_are_the_first_ones() -> None:
    whole = build(ShotPlan(), SHORT)
    assert build(ShotPlan(count=2), SHORT).shots == whole.shots[:2]
    assert build(ShotPlan(count=0), SHORT).shots == ()
    assert whole.with_shots(1).shots == whole.shots[:1]
    assert len(whole.shots) == 3


def test_seed_orders_the_shots_of_a_file() -> None:
    orders = {build(ShotPlan(seed=seed), SHORT).shots for seed in range(6)}
    assert len(orders) > 1
    assert len({frozenset(shots) for shots in orders}) == 1


@pytest.mark.parametrize(
    ("file", "chain", "rule"),
    [
        (WORKED, "", "after_hashes"),
        (WORKED, "none", "last_number"),
        (WORKED, "steps", "last_number"),
        (SHORT, "", "last_number"),
        (SHIPPED.get("sentiment-few-shot"), "", "label"),
    ],
)
def test_rule_of_the_answer_follows_the_chain(file: PromptFile, chain: str, rule: str) -> None:
    assert build(ShotPlan(chain=chain), file).rule == rule


def test_rule_without_a_file_follows_the_shots() -> None:
    drawn = draw(PROBLEMS, 2, 0)
    plan = ShotPlan("dataset", 2)
    assert build(plan, None, drawn).rule == "last_number"
    assert build(ShotPlan("dataset", 2, chain="worked"), None, drawn).rule == "after_hashes"
    assert build(ShotPlan("typed", 1, "a => b"), None).rule == "none"


def test_own_system_prompt_stands_in_the_place_of_the_files() -> None:
    file = SHIPPED.get("extract-json-one-shot")
    messages = build(ShotPlan(), file).messages("Eva is 5.", "You cost $1.")
    assert [m.content for m in messages if m.role == "system"] == ["You cost $1."]
    completion = SHIPPED.get("translation-few-shot")
    assert len(build(ShotPlan(), completion).messages("cheese", "You cost $1.")) == 1


def test_saved_technique_says_what_is_in_the_prompt() -> None:
    for count, technique in ((0, "zero-shot"), (1, "one-shot"), (3, "few-shot")):
        assert build(ShotPlan(count=count), SHORT).saved_as("T", "q").technique == technique
    stepped = build(ShotPlan(chain="steps"), None).saved_as("T", "q")
    assert stepped.technique == "chain-of-thought"
    assert stepped.sections[-1].content == f"$input\n\n{STEPS}"


@pytest.mark.parametrize("title", ["", "  ", "x" * 101, None])
def test_saved_prompt_needs_a_title_of_some_length(title: object) -> None:
    with pytest.raises(BadInput, match="title"):
        Built(Frame()).saved_as(title, "q")  # type: ignore[arg-type]
