"""What operators and monitors rely on: settings, /healthz, served and blocked files, a clean end."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from gradio_client import Client

from demo.settings import ROOT
from tests.running import RunningApp, start_app, stop_app

NOWHERE = "http://127.0.0.1:9"
"""A proxy that nobody runs: whatever needs another machine fails at once."""


@dataclass
class Watched:
    """An app started on a machine without network, and what was seen of it."""

    app: RunningApp
    outside: Path
    """Home and temp folder that it was given."""
    states: list[str] = field(default_factory=list)
    answer: str = ""


@pytest.fixture(scope="module")
def watched(running_app, tmp_path_factory):
    home, outside = tmp_path_factory.mktemp("watched"), tmp_path_factory.mktemp("outside")
    models = running_app.home / "data" / "models"
    shutil.copytree(models, home / "data" / "models", copy_function=os.link)
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), NOWHERE)
    seen = Watched(
        start_app(
            home,
            **proxies,
            NO_PROXY="127.0.0.1,localhost",
            HOME=str(outside),
            TMPDIR=str(outside),
            LAB_SHARE="1",
        ),
        outside,
    )
    try:
        follow(seen)
        client = Client(seen.app.url, verbose=False)
        seen.answer = client.predict("Hello!", max_new_tokens=4, api_name="/answer")["text"]
        yield seen
    finally:
        stop_app(seen.app)


def follow(seen: Watched) -> None:
    """Note what /healthz says from the first answer on until the model is ready."""
    while "ready" not in seen.states:
        assert seen.app.process.poll() is None, seen.app.log
        state = seen.app.health().get("status")
        if state and state not in seen.states:
            seen.states.append(state)
        time.sleep(0.05)


def test_healthz_says_loading_and_then_ready(watched):
    assert watched.states == ["loading", "ready"]


def test_healthz_has_the_fields_that_monitors_read(running_app):
    health = running_app.health()
    contract = {"device", "model", "precision", "running", "status", "waiting"}
    assert health.keys() == contract | {"engine", "restarts", "seconds_since_turn"}
    assert (health["engine"], health["restarts"]) == ("ok", 0)
    assert health["model"] == "SmolLM2-135M-Instruct"


def test_lab_answers_without_a_network(watched):
    assert watched.answer


def test_lab_says_so_when_no_public_link_can_be_had(watched):
    assert "No public link could be opened:" in watched.app.log
    assert f"The lab still runs at {watched.app.url}" in watched.app.log


def test_nothing_is_written_outside_lab_home(watched):
    assert [str(path) for path in watched.outside.rglob("*")] == []
    untracked = subprocess.run(
        ["git", "status", "--porcelain", "--", ".gradio", "gradio_cached_examples", "flagged"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert untracked == ""
    assert sorted(path.name for path in watched.app.home.iterdir()) == ["app.log", "data", "gradio"]


def test_lab_ends_cleanly_when_it_is_told_to(watched):
    watched.app.process.terminate()
    assert watched.app.process.wait(timeout=30) == 0
    assert "Traceback" not in watched.app.log


@pytest.mark.parametrize("place", ["/etc/passwd", "/proc/self/environ", "app.py", "LAB_HOME"])
def test_files_of_the_machine_are_not_served(running_app, place):
    private = next(path for path in (running_app.home / "data").rglob("*") if path.is_file())
    path = private if place == "LAB_HOME" else ROOT / place
    response = httpx.get(f"{running_app.url}/gradio_api/file={path}", trust_env=False)
    assert response.status_code == 403


def test_pages_may_load_nothing_from_elsewhere(running_app):
    headers = httpx.get(running_app.url, trust_env=False).headers
    policy = headers["content-security-policy"]
    assert "connect-src 'self' data: blob:;" in policy
    assert "form-action 'none'" in policy
    assert "frame-ancestors" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/monitoring", "/monitoring/summary", "/gradio_api/runs"])
def test_what_others_did_is_not_told(running_app, path):
    assert httpx.get(running_app.url + path, trust_env=False).status_code in (403, 404)


@pytest.mark.parametrize(
    ("variable", "value", "expected_error"),
    [
        ("PORT", "abc", "PORT must be a number; got 'abc'."),
        ("PORT", "70000", "PORT must be between 1 and 65535; got '70000'."),
        ("LAB_PRECISION", "fp8", "LAB_PRECISION must be one of auto, fp32, bf16, int8, nf4"),
        ("LAB_HOME", str(ROOT / "app.py"), "cannot be used: it is not a folder."),
        ("LAB_BATCH_ROWS", "0", "LAB_BATCH_ROWS must be between 1 and 64; got '0'."),
    ],
)
def test_bad_setting_ends_with_one_sentence(variable, value, expected_error):
    assert_refused({variable: value}, expected_error)


def test_taken_port_ends_with_one_sentence(running_app, tmp_path):
    port = running_app.url.rpartition(":")[2]
    variables = {"PORT": port, "HOST": "127.0.0.1", "LAB_HOME": str(tmp_path)}
    assert_refused(variables, f"HOST:PORT=127.0.0.1:{port} cannot be used: another program")


def assert_refused(variables, expected_error):
    """The app ends with status 2 and the sentence alone."""
    ended = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 2
    assert expected_error in ended.stderr
    assert "Traceback" not in ended.stderr
