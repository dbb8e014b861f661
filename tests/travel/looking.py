"""What the tests look at: the engine's own logits, and what lies in a workspace."""

from pathlib import Path
from typing import Any

from demo.engine.forward import Part
from demo.lab import Lab
from demo.methods.adaptation import Blend
from demo.methods.facts import base_facts
from demo.methods.reading import read_adaptation

IDS = [5, 17, 80, 3, 44, 9]


def logits(lab: Lab, folder: Path, weight: float = 1.0, *others: tuple[Path, float]) -> Any:
    """What the engine's own forward says with adapters on."""
    base = lab.engine.require_ready()
    facts = base_facts(base.spec.source)
    terms = [
        (read_adaptation(one, str(one), facts), strength)
        for one, strength in ((folder, weight), *others)
    ]
    blend = Blend(tuple(terms))
    forward = base.forward
    forward.prepare(blend)
    said = forward.run([Part(IDS, forward.new_cache(blend), blend)])[0][-1]
    forward.release(blend)
    return said


def tree(lab: Lab, workspace: str) -> list[str]:
    folder = lab.workspaces.open(workspace)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def kept(lab: Lab, workspace: str, adapter: str) -> Path:
    return lab.workspaces.open(workspace) / "adapters" / adapter
