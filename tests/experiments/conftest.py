"""A lab that answers, sharing the converted model with every other test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.lab import Lab
from demo.settings import LabSettings


@pytest.fixture(scope="module")
def lab(lab_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("experiments")
    (home / "data").mkdir()
    (lab_home / "data" / "models").mkdir(parents=True, exist_ok=True)
    (home / "data" / "models").symlink_to(lab_home / "data" / "models")
    lab = Lab(LabSettings(home=home))
    lab.engine.start()
    lab.engine.wait_ready(240)
    yield lab
    lab.engine.close()
