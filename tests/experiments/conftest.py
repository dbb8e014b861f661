"""A lab that answers, sharing the converted model with every other test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.lab import Lab
from demo.settings import LabSettings


@pytest.fixture(scope="module")
def lab(own_home: Path) -> Iterator[Lab]:
    lab = Lab(LabSettings(home=own_home))
    lab.engine.start()
    lab.engine.wait_ready(240)
    yield lab
    lab.engine.close()
