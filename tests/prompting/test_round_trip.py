"""A prompt saved as a file is read again as what it was: text, shots, chain of thought and rule."""

import random
from dataclasses import replace
from itertools import product

import pytest

from demo.prompting.apart import parts_of
from demo.prompting.build import Built, ShotPlan, build
from demo.prompting.files import PromptFile, read_prompt
from demo.prompting.frame import CHAINS, Chain, Frame, Parts
from demo.prompting.library import PromptLibrary
from demo.prompting.markdown import write_prompt
from demo.prompting.shots import Shot
from demo.settings import ROOT

SHIPPED = PromptLibrary(ROOT / "prompts")
QUESTION = "It costs $5, $input and ${input}: {x}\n\n## user\n'\"# *a &b"
TYPED = {
    "none": (),
    "plain": (Shot("sea otter", "loutre de mer"), Shot("cheese", "fromage")),
    "signs": (Shot("$5 or ${input} or $$", "{a: 'b' # c}"), Shot('"quoted": [x', "- & * | > ! % @ `")),
    "headings": (Shot("## user", "## assistant\nHi"), Shot("a\n---\nb", "---")),
    "lines": (Shot("one\ntwo", "three\nfour"), Shot("  indented\n\n\nfar", "\nled by a line")),
    "spaces": (Shot("trailing ", "space \t"), Shot(" leading", "  two"), Shot("a", "b\n")),
    "blocks": (Shot("Q: a\n\nA: b\n\nQ: c", "d\n\nReview: e"), Shot("f => g", "h =>\ni")),
    "languages": (Shot("Zażółć gęślą jaźń", "łódź"), Shot("Árvíztűrő \u200b🦦", "情\u2028報 \u00a0x")),
    "worked": (Shot("6 x 3?", "6 x 3 = 18.\n#### 18"), Shot("$9?", "  $9.\n\nSo\n#### $9")),
    "marked": (Shot("6 x 3?", "#### 18"), Shot("yes", "no"), Shot("#### 4", "Let's think step by step.")),
}  # fmt: skip
OWN_SHOTS = "the file's own"
VISIBLE = "a ż 🦦 # ## $ $$ ${input} $input : - ' \" { [ | > & * ! % @ ` \\ --- ... #### 4 => Q: A: ? ~ null"
HIDDEN = (" ", "\n", "\n\n", "\t", "\r", "\u2028", "\u00a0", "\ufeff", "## user\n", "\n---\n")
PIECES = (*VISIBLE.split(), *HIDDEN)


def frames() -> dict[str, tuple[Frame, PromptFile | None]]:
    """Every shipped frame as it is and in the other format, and none."""
    found: dict[str, tuple[Frame, PromptFile | None]] = {
        "chat": (Frame(), None),
        "completion": (Frame(completion=True), None),
    }
    for file in SHIPPED.all():
        frame = parts_of(file).frame
        found[file.name] = (frame, file)
        found[f"{file.name}, other format"] = (
            replace(frame, completion=not frame.completion, before=()),
            file,
        )
    return found


FRAMES = frames()


def again(built: Built) -> Built:
    """Saved under a title, read, and built as a plan that changes nothing builds it."""
    saved = write_prompt(built.saved_as("Mine", "a question"))
    return build(ShotPlan(), read_prompt("mine.md", saved.encode()))


def kept(built: Built) -> None:
    back = again(built)
    assert back.messages(QUESTION) == built.messages(QUESTION)
    assert (back.frame, back.shots, back.chain) == (built.frame, built.shots, built.chain)
    assert back.rule == built.rule
    assert back.file is not None
    assert back.file.messages({"input": QUESTION}) == built.messages(QUESTION)


@pytest.mark.parametrize("name", FRAMES)
def test_every_prompt_with_any_shots_and_chain_is_read_again_as_it_was(name: str) -> None:
    frame, file = FRAMES[name]
    own = {OWN_SHOTS: parts_of(file).shots} if file else {}
    for shots, chain in product((own | TYPED).values(), CHAINS):
        if chain == "worked" and shots and not any(shot.worked for shot in shots):
            continue
        rule = build(ShotPlan(chain=chain), file).rule
        kept(
            Built(
                frame, shots, chain, rule if chain != "worked" else _worked_rule(shots, rule), file
            )
        )


def _worked_rule(shots: tuple[Shot, ...], rule: str) -> str:
    worked = any(shot.worked for shot in shots)
    return "after_hashes" if worked else rule.replace("after_hashes", "last_number")


@pytest.mark.parametrize("file", SHIPPED.all(), ids=lambda file: file.name)
@pytest.mark.parametrize("chain", CHAINS)
def test_shots_typed_on_the_page_count_again_once_they_are_saved(
    file: PromptFile, chain: Chain
) -> None:
    typed = '6 x 3 = ? => 6 x 3 = 18. #### 18\nWhat is $9, {x}, "y"? => It is $9. #### $9'
    kept(build(ShotPlan("typed", typed=typed, chain=chain), file))


def test_saving_twice_changes_nothing() -> None:
    for frame, file in FRAMES.values():
        once = again(Built(frame, TYPED["worked"], "none", "none", file))
        assert once.file is not None
        assert write_prompt(once.saved_as("Mine", "a question")) == write_prompt(once.file)


@pytest.mark.parametrize(
    "name", ["sentiment-few-shot", "addition-few-shot", "translation-few-shot"]
)
def test_shots_that_the_text_itself_tells_stand_nowhere_else(name: str) -> None:
    file = SHIPPED.get(name)
    built = build(ShotPlan("typed", typed="Good. => positive\nBad. => negative"), file)
    saved = write_prompt(built.saved_as("Mine", ""))
    assert "shots:" not in saved
    assert parts_of(read_prompt("mine.md", saved.encode())) == Parts(built.frame, built.shots)


def test_shots_that_the_text_would_not_tell_are_listed_as_they_are_read() -> None:
    worked = Shot("6 x 3?", "6 x 3 = 18.\n#### 18")
    built = Built(Frame(instruction="Count."), (worked,), "worked", "after_hashes")
    head = write_prompt(built.saved_as("Mine", "")).partition("\n---\n")[0]
    assert head.endswith(
        "instruction: Count.\nchain: worked\nshots:\n"
        "- input: 6 x 3?\n  output: |-\n    6 x 3 = 18.\n    #### 18"
    )


def test_no_text_is_awkward_enough_to_change_on_its_way_through_a_file() -> None:
    chance = random.Random(7)

    def text() -> str:
        return "x".join(chance.choices(PIECES, k=chance.randint(1, 5))) + chance.choice(PIECES)

    for _ in range(150):
        frame, file = FRAMES[chance.choice(tuple(FRAMES))]
        shots = tuple(Shot(f"q{text()}", f"{text()}a") for _ in range(chance.randint(0, 4)))
        kept(Built(frame, shots, chance.choice(("none", "steps")), "first_line", file))


def test_own_system_prompt_is_read_again_with_the_shots() -> None:
    shots = TYPED["blocks"]
    for name in ("extract-json-one-shot", "sentiment-zero-shot"):
        built = Built(parts_of(SHIPPED.get(name)).frame, shots)
        file = read_prompt(
            "mine.md", write_prompt(built.saved_as("Mine", "q", " You owe $5.\n")).encode()
        )
        assert file.messages({"input": QUESTION}) == built.messages(QUESTION, "You owe $5.")
        assert parts_of(file).shots == shots
