"""What the operator sets arrives, and what cannot be used is named."""

from pathlib import Path

import pytest

from demo.errors import BadInput
from demo.settings import LabSettings


def test_the_defaults_serve_this_machine_only() -> None:
    settings = LabSettings.read({})
    assert (settings.host, settings.port, settings.share) == ("127.0.0.1", 7860, False)
    assert settings.served.parent == settings.data.parent == settings.home


def test_a_space_listens_on_every_address() -> None:
    assert LabSettings.read({"SPACE_ID": "somebody/lab"}).host == "0.0.0.0"


def test_the_command_line_comes_before_the_environment(tmp_path: Path) -> None:
    settings = LabSettings.read(
        {"PORT": "1", "LAB_HOME": str(tmp_path), "LAB_SHARE": "1"}, ["--port", "81"]
    )
    assert (settings.port, settings.home, settings.share) == (81, tmp_path, True)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PORT", "http", "PORT must be a number; got 'http'"),
        ("PORT", "70000", "PORT must be between 1 and 65535; got '70000'"),
        ("LAB_PRECISION", "int4", "LAB_PRECISION must be one of auto, fp32, bf16, int8, nf4"),
        ("LAB_BATCH_ROWS", "0", "LAB_BATCH_ROWS must be between 1 and 64"),
        ("LAB_HOME", "/proc/version", "it is not a folder"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(variable: str, value: str, expected: str) -> None:
    with pytest.raises(BadInput, match=expected):
        LabSettings.read({variable: value})
