"""The library, built once as the lab builds it."""

from pathlib import Path
from typing import Any

import pytest

from demo.engine.compiled.library import compiler, open_library


@pytest.fixture(scope="session")
def library(lab_home: Path) -> Any:
    """The library as the lab builds it for this machine."""
    if compiler() is None:
        pytest.skip("this machine has no C++ compiler")
    return open_library(lab_home / "data" / "compiled")
