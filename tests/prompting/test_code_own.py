"""The shown lines for the lab's own formats, run on a tiny model."""

from pathlib import Path
from typing import Any

import pytest
import torch

from demo.prompting.code_adapters import Worn, adapter_imports, adapter_lines, is_wrapped
from demo.prompting.code_own import bottleneck_lines, head_lines
from demo.records import Sampling
from tests.methods.making import (
    CONFIGS,
    LABELS,
    as_the_card_says,
    load,
    make_adapter,
    make_own,
    with_peft,
)

IDS = torch.tensor([[5, 17, 80, 3, 44, 9]])


def run(base: Path, worn: list[Worn]) -> Any:
    """The model that the shown lines leave behind."""
    standard, others = adapter_imports(worn)
    narrow = [one for one in worn if one.method == "BOTTLENECK"]
    lines = [*standard, "import torch", *others, *adapter_lines(worn)]
    lines += bottleneck_lines(narrow, wrapped=is_wrapped(worn))
    names: dict[str, Any] = {"model": load(base)}
    exec("\n".join(lines), names)
    return names["model"].eval()


@torch.no_grad()
def test_a_bottleneck_is_loaded_as_its_card_loads_it(base: Path, tmp_path: Path) -> None:
    folder = make_own(base, tmp_path / "narrow", "bottleneck")
    expected = as_the_card_says(base, folder, "bottleneck")["model"].eval()(IDS).logits
    got = run(base, [Worn(str(folder), 1.0, "BOTTLENECK")])(IDS).logits
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.filterwarnings("ignore:Sparse invariant")
@pytest.mark.parametrize(("kind", "strength"), [("lora", 1.0), ("ia3", 1.0), ("ia3", 0.5)])
def test_a_bottleneck_stands_behind_another_adapter(
    base: Path, tmp_path: Path, kind: str, strength: float
) -> None:
    other = make_adapter(base, tmp_path / kind, CONFIGS[kind]())
    folder = make_own(base, tmp_path / "narrow", "bottleneck")
    worn = [Worn(str(other), strength, kind.upper()), Worn(str(folder), 0.7, "BOTTLENECK")]
    got = run(base, worn)(IDS).logits
    alone = run(base, worn[:1])
    hooked = run(base, worn[1:])
    if strength == 1:
        expected = with_peft(base, other)(IDS).logits
        torch.testing.assert_close(alone(IDS).logits, expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(got, alone(IDS).logits, atol=0.01)
    assert not torch.allclose(got, hooked(IDS).logits, atol=0.01)


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_head_says_a_label_and_how_likely_each_is(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], temperature: float
) -> None:
    worn = Worn(str(make_own(base, tmp_path / "head", "head")), 1.0, "HEAD")
    standard, others = adapter_imports([worn])
    lines = [
        *standard,
        "import torch",
        *others,
        *head_lines(worn, Sampling(temperature=temperature)),
    ]
    exec("\n".join(lines), {"model": load(base), "ids": IDS})
    likely, label = capsys.readouterr().out.strip().splitlines()
    assert label in {one.text for one in LABELS}
    assert all(one.text in likely for one in LABELS)
