"""The scripting endpoints, called by scripts on a running lab."""

import re
import zipfile

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests import house_map

ENDPOINTS = [
    "answer",
    "compare",
    "adapters",
    "workspace",
    "train",
    "run",
    "stop",
    "download",
    "delete",
    "evaluate",
]
UPLOAD_ONLY = "file must be an uploaded file"
NOT_FOUND = "Nothing was found under this name."


@pytest.fixture(scope="module")
def client(running_app):
    return Client(running_app.url, verbose=False)


@pytest.fixture(scope="module")
def workspace(client):
    capability = client.predict(api_name="/workspace")
    yield capability
    client.predict(capability, api_name="/delete")


def test_only_the_documented_endpoints_are_public(client):
    public = client.view_api(return_format="dict")["named_endpoints"]
    assert sorted(public) == sorted(f"/{name}" for name in ENDPOINTS)


def test_readme_example_runs_as_it_stands(running_app, tmp_path, monkeypatch):
    readme = house_map.README.read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    rows = [f'"name[House {n}], food[Thai]",House {n} serves Thai food.' for n in range(12)]
    (tmp_path / "rows.csv").write_text("\n".join(["prompt,completion", *rows]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(example.replace("http://127.0.0.1:7860", running_app.url), names)
    assert names["state"]["status"] == "finished"
    assert names["state"]["step"] == names["state"]["steps"] > 0
    assert [answer["adapter"] for answer in names["both"]] == ["base", names["run"]]
    held = {name.rpartition("/")[2] for name in zipfile.ZipFile(names["archive"]).namelist()}
    assert {"adapter_config.json", "adapter_model.safetensors", "README.md", "run.json"} <= held
    with pytest.raises(AppError, match=NOT_FOUND):
        names["lab"].predict(names["workspace"], names["run"], api_name="/run")


def test_answer_repeats_itself_when_the_seed_is_the_same(client):
    asked = {"message": "Tell me a story.", "max_new_tokens": 12, "temperature": 1.2}
    first, again, other = (
        client.predict(**asked, seed=seed, api_name="/answer") for seed in (7, 7, 8)
    )
    assert first["text"] == again["text"] != other["text"]
    assert first["tokens"] == 12


def test_compare_gives_the_base_the_answer_it_gives_alone(client):
    asked = {"message": "What is the capital of France?", "max_new_tokens": 12}
    alone = client.predict(**asked, api_name="/answer")
    (beside,) = client.predict(**asked, adapters=["base"], api_name="/compare")
    assert beside["text"] == alone["text"]


def test_answer_fills_the_message_into_a_prompt_file(client):
    found = client.predict(
        message="ltepa", prompt="unscramble-few-shot", max_new_tokens=8, api_name="/answer"
    )
    assert found["text"].strip()


def test_adapters_lists_the_base_first(client):
    listed = client.predict(api_name="/adapters")
    assert listed[0]["name"] == "base"
    assert all(adapter["problem"] == "" for adapter in listed)


def test_stop_ends_a_run_over_a_sample(client, workspace):
    run = client.predict(workspace, dataset="sample:restaurants", epochs=20, api_name="/train")
    state = client.predict(workspace, run, api_name="/stop")
    while state["status"] in ("queued", "running"):
        state = client.predict(workspace, run, api_name="/run")
    assert state["status"] == "stopped"
    assert state["step"] < state["steps"]


@pytest.mark.parametrize(
    ("endpoint", "arguments", "expected_error"),
    [
        ("/answer", {"message": ""}, "message is empty"),
        ("/answer", {"message": "x" * 40_001}, "message has 40001 characters; the most is 40000"),
        ("/answer", {"message": "x", "temperature": "hot"}, "temperature must be a number"),
        ("/answer", {"message": "x", "temperature": 3}, "temperature must be between 0.0 and 2.0"),
        ("/answer", {"message": "x", "max_new_tokens": [1]}, "max_new_tokens must be a number"),
        ("/answer", {"message": "x", "top_p": None}, "top_p must be a number"),
        ("/answer", {"message": "x", "prompt": "../README"}, "prompt must be one of"),
        ("/answer", {"message": "x", "adapter": "../base"}, NOT_FOUND),
        ("/answer", {"message": "x", "adapter": {"a": 1}}, NOT_FOUND),
        ("/answer", {"message": "x", "adapter": "restaurants@9"}, "strength must be between"),
        ("/answer", {"message": "x", "adapter": "restaurants+nobody"}, NOT_FOUND),
        ("/compare", {"message": "x", "adapters": ["base", "base@1"]}, "base@1 cannot be used"),
        ("/compare", {"message": "x", "adapters": []}, "adapters is empty"),
        ("/compare", {"message": "x", "adapters": list("abcd")}, "4 adapters were chosen"),
        ("/adapters", {"workspace": "nobody's"}, NOT_FOUND),
        ("/run", {"workspace": "nobody's", "run": "x"}, NOT_FOUND),
        ("/download", {"workspace": "nobody's", "run": "../.."}, NOT_FOUND),
        ("/delete", {"workspace": ["x"]}, NOT_FOUND),
    ],
)
def test_refusal_says_what_is_wrong(client, endpoint, arguments, expected_error):
    with pytest.raises(AppError, match=expected_error):
        client.predict(**arguments, api_name=endpoint)


@pytest.mark.parametrize(
    ("arguments", "expected_error"),
    [
        ({}, NOT_FOUND),
        ({"dataset": "sample:nothing"}, NOT_FOUND),
        ({"dataset": "sample:restaurants", "method": "magic"}, "method must be one of"),
        ({"dataset": "sample:restaurants", "rank": 0}, "rank must be between 1 and 64"),
        (
            {"dataset": "sample:restaurants", "fixes": "tidy"},
            "fixes must be one of all, leave_damaged",
        ),
        ({"dataset": "sample:restaurants", "learning_rate": 1}, "learning_rate must be between"),
        ({"dataset": "sample:restaurants", "epochs": "many"}, "epochs must be a number"),
        ({"dataset": "sample:restaurants", "name": "x" * 61}, "name has 61 characters"),
    ],
)
def test_train_refuses_a_run_that_cannot_be(client, workspace, arguments, expected_error):
    with pytest.raises(AppError, match=expected_error):
        client.predict(workspace, **arguments, api_name="/train")


def test_train_refuses_a_run_of_another_visitor(client, workspace):
    run = client.predict(workspace, dataset="sample:restaurants", max_steps=1, api_name="/train")
    stranger = client.predict(api_name="/workspace")
    for endpoint in ("/run", "/stop", "/download"):
        with pytest.raises(AppError, match=NOT_FOUND):
            client.predict(stranger, run, api_name=endpoint)
    client.predict(stranger, api_name="/delete")


@pytest.mark.parametrize(
    "file",
    [
        "/etc/passwd",
        "README.md",
        {"path": "/etc/passwd"},
        {"path": "HOME/data/../../../etc/passwd"},
        {"path": "HOME/gradio/../app.log", "orig_name": "rows.csv"},
        {"path": "HOME/gradio"},
        {"path": "http://127.0.0.1/rows.csv"},
        {"path": 5},
        ["rows.csv"],
        17,
    ],
    ids=str,
)
def test_train_reads_no_file_that_was_not_uploaded(running_app, workspace, file):
    if isinstance(file, dict):
        file = {**file, "path": str(file["path"]).replace("HOME", str(running_app.home))}
    assert UPLOAD_ONLY in posted(running_app.url, "train", workspace, file)


def test_train_reads_no_file_that_claims_to_be_uploaded(running_app, workspace):
    claim = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    answered = posted(running_app.url, "train", workspace, claim)
    assert answered.startswith("event: error")
    assert "root:" not in answered


def posted(url, endpoint, workspace, file):
    """What the lab answers to a script that does not keep to the client's own checks."""
    training = ["run", "lora", 1, 1e-3, 8, 16, 0.0, 8, 512, 0.1, 1, 0, "", "", "", ""]
    called = f"{url}/gradio_api/call/{endpoint}"
    with httpx.Client(trust_env=False, timeout=60) as http:
        event = http.post(called, json={"data": [workspace, file, *training]}).json()["event_id"]
        return http.get(f"{called}/{event}").text
