"""Rules of the house that no linter knows."""

import inspect
import re
from dataclasses import fields

import pytest

from demo.settings import ROOT, LabSettings
from tests import house_map

LONGEST_MODULE = 300
MODULES = sorted(
    path for folder in ("demo", "benchmarks", "tests") for path in (ROOT / folder).rglob("*.py")
)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_stays_short(module):
    lines = len(module.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_MODULE, f"{module} has {lines} lines: split it by its nouns"


def test_readme_map_equals_the_disk():
    assert house_map.shown() == house_map.draw(), "run `make fix` to draw the map anew"


def test_every_file_is_described():
    undescribed = [line for line in house_map.draw().splitlines() if not line.split(maxsplit=1)[1:]]
    assert not undescribed


def test_readme_documents_every_setting():
    readme = house_map.README.read_text(encoding="utf-8")
    variables = re.findall(
        r'^    """(LAB_[A-Z_]+|HOST|PORT):', inspect.getsource(LabSettings), re.M
    )
    assert len(variables) == len(fields(LabSettings))
    missing = [name for name in variables if f"| `{name}` |" not in readme]
    assert not missing


def test_front_matter_is_what_a_space_needs():
    front = house_map.README.read_text(encoding="utf-8").split("---\n")[1]
    for line in (
        "sdk: gradio",
        "app_file: app.py",
        'python_version: "3.12"',
        "license: apache-2.0",
    ):
        assert f"{line}\n" in front
