"""A visitor's own prompts and shots at the service layer: every limit, and nobody else's things."""

from dataclasses import replace
from pathlib import Path

import pytest

from demo.data.store import DatasetStore
from demo.errors import BadInput, Busy, NotFound
from demo.lab.prompts import Prompts
from demo.prompting import own
from demo.prompting.library import PromptLibrary
from demo.settings import ROOT, LabSettings
from demo.workspace import Workspaces

SHIPPED = PromptLibrary(ROOT / "prompts")
FEW = SHIPPED.get("sentiment-few-shot")
FILE = (ROOT / "prompts" / "sentiment-few-shot.md").read_bytes()
PROBLEMS = "sample:word-problems"


@pytest.fixture
def prompts(tmp_path: Path) -> Prompts:
    workspaces = Workspaces(tmp_path / "data" / "workspaces", 20, 7)
    settings = LabSettings(home=tmp_path)
    return Prompts(settings, workspaces, SHIPPED, DatasetStore(ROOT / "demo" / "samples"))


@pytest.fixture
def mine(prompts: Prompts) -> str:
    return prompts.workspaces.create()


def test_saved_prompt_is_found_again_as_it_was(prompts: Prompts, mine: str) -> None:
    kept = prompts.save(mine, replace(FEW, title="Mój nastrój: łódź"))
    assert kept.name == "own:moj-nastroj-lodz"
    assert prompts.own(mine) == [kept]
    assert prompts.get(mine, kept.name) == kept
    assert kept.sections == FEW.sections


def test_same_title_replaces_and_another_stands_beside(prompts: Prompts, mine: str) -> None:
    prompts.save(mine, FEW)
    prompts.save(mine, replace(FEW, teaches="Changed."))
    prompts.save(mine, replace(FEW, title="another"))
    assert [(p.title, p.teaches) for p in prompts.own(mine)] == [
        ("another", FEW.teaches),
        (FEW.title, "Changed."),
    ]


def test_exported_file_imported_elsewhere_is_the_same_file(prompts: Prompts, mine: str) -> None:
    kept = prompts.add(mine, "Sentiment few shot.MD", FILE)
    path = prompts.export(mine, kept.name)
    assert path.name == "sentiment-few-shot.md"
    assert path.is_relative_to(prompts.settings.served)
    other = prompts.workspaces.create()
    again = prompts.add(other, path.name, path.read_bytes())
    assert again == kept == replace(FEW, name=again.name)
    assert prompts.export(other, again.name).read_bytes() == path.read_bytes()


def test_imported_file_never_replaces_another_one(prompts: Prompts, mine: str) -> None:
    assert prompts.add(mine, "a.md", FILE).name == "own:a"
    assert prompts.add(mine, "a.md", FILE).name == "own:a"
    assert prompts.add(mine, "../a.md", FILE + b"\nmore").name == "own:a-2"
    assert len(prompts.own(mine)) == 2


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"no front matter", r"mine\.md: it does not begin with front matter"),
        (FILE.replace(b"technique: few-shot", b"technique: magic"), r"mine\.md: technique 'magic'"),
        (FILE + b"\xff", r"mine\.md: line 36 is not UTF-8"),
        (b"---\ntitle: " + b"[" * 60_000 + b"\n---\n", r"mine\.md: the front matter"),
        (FILE + b"x" * 70_000, r"mine\.md has 70 KB; a prompt may have 64 KB at most"),
        (FILE.replace(b"task: Sentiment", b"task: " + b"x" * 101), "task has 101 characters"),
    ],
)
def test_file_that_breaks_a_rule_is_refused_with_the_place(
    prompts: Prompts, mine: str, content: bytes, place: str
) -> None:
    with pytest.raises(BadInput, match=place):
        prompts.add(mine, "mine.md", content)
    assert prompts.own(mine) == []


def test_windows_file_is_read_like_any_other(prompts: Prompts, mine: str) -> None:
    windows = b"\xef\xbb\xbf" + FILE.replace(b"\n", b"\r\n")
    assert prompts.add(mine, "a.md", windows).sections == FEW.sections


def test_workspace_keeps_only_so_many_prompts(prompts: Prompts, mine: str) -> None:
    for number in range(own.MOST_PROMPTS):
        prompts.save(mine, replace(FEW, title=f"number {number}"))
    with pytest.raises(Busy, match="keeps 50 prompts"):
        prompts.add(mine, "one-more.md", FILE)
    prompts.save(mine, replace(FEW, title="number 7", teaches="Changed."))
    prompts.delete(mine, "own:number-7")
    prompts.add(mine, "one-more.md", FILE)


def test_full_workspace_takes_no_prompt(prompts: Prompts, mine: str) -> None:
    (prompts.workspaces.open(mine) / "big").write_bytes(b"\0" * 20_000_000)
    with pytest.raises(Busy, match="20 of 20 MB"):
        prompts.save(mine, FEW)


@pytest.mark.parametrize("name", ["own:../x", "own:", "own:absent", "own:..", "own:a/b", "own:A"])
def test_name_that_is_no_own_prompt_is_not_found(prompts: Prompts, mine: str, name: str) -> None:
    for ask in (prompts.get, prompts.export, prompts.delete):
        with pytest.raises(NotFound):
            ask(mine, name)


def test_nobody_sees_anothers_prompts(prompts: Prompts, mine: str) -> None:
    kept = prompts.save(mine, FEW)
    other = prompts.workspaces.create()
    assert prompts.own(other) == prompts.own("") == []
    for workspace in (other, "", "invented"):
        with pytest.raises(NotFound):
            prompts.get(workspace, kept.name)


def test_deleted_prompt_leaves_nothing_to_download(prompts: Prompts, mine: str) -> None:
    kept = prompts.save(mine, FEW)
    served = prompts.export(mine, kept.name)
    prompts.delete(mine, kept.name)
    assert not served.exists()
    assert prompts.own(mine) == []


def test_shipped_prompt_is_found_without_a_workspace(prompts: Prompts) -> None:
    assert prompts.get("", FEW.name) == FEW
    with pytest.raises(BadInput, match="prompt must be one of"):
        prompts.get("", "nothing")


def test_no_shot_is_held_out_or_asked(prompts: Prompts) -> None:
    held_out = {shot.input for shot in prompts.held_out("", PROBLEMS)}
    shots = prompts.shots("", PROBLEMS, 32, 5)
    assert held_out
    assert len(shots) == 32
    assert not held_out & {shot.input for shot in shots}
    asked = [shot.input for shot in shots[:3]]
    assert not set(asked) & {s.input for s in prompts.shots("", PROBLEMS, 32, 5, asked)}


def test_shots_of_a_foreign_dataset_are_not_found(prompts: Prompts, mine: str) -> None:
    rows = b"prompt,completion\n" + b"".join(b"q%d,a%d\n" % (n, n) for n in range(9))
    info = prompts.datasets.add(prompts.workspaces.open(mine), "rows.csv", rows)
    assert len(prompts.shots(mine, info.id, 4, 0)) == 4
    for workspace in ("", prompts.workspaces.create()):
        with pytest.raises(NotFound):
            prompts.shots(workspace, info.id, 4, 0)


def test_titles_that_are_spelt_alike_stand_beside_each_other(prompts: Prompts, mine: str) -> None:
    titles = ["C#", "C++", "\N{CJK UNIFIED IDEOGRAPH-60C5}", "\N{CJK UNIFIED IDEOGRAPH-7FFB}"]
    for title in titles:
        prompts.save(mine, replace(FEW, title=title))
    prompts.save(mine, replace(FEW, title="C#", teaches="Replaced."))
    assert sorted(p.title for p in prompts.own(mine)) == titles


def test_an_alias_in_the_front_matter_is_refused(prompts: Prompts, mine: str) -> None:
    bomb = FILE.replace(b"---\n", b"---\ndefaults: {input: &a x, other: *a}\n", 1)
    with pytest.raises(BadInput, match="alias"):
        prompts.add(mine, "bomb.md", bomb)
