"""The API is as /api/openapi.json describes it, and its examples work."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

import jsonschema
import numpy
import pytest
from conftest import ROOT, png
from openapi_spec_validator import validate

MODEL = "mnist-k8-l3"
PICTURE = base64.b64encode(png(numpy.tile(numpy.arange(32.0) * 8, (32, 1)))).decode()


def ask(server, method, path, body=None):
    """Status, content type and body of an answer."""
    request = urllib.request.Request(
        server.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"} if body is not None else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


@pytest.fixture(scope="module")
def description(server):
    text = json.loads(ask(server, "GET", "/api/openapi.json")[2])
    validate(text)
    return text


def check(description, path, method, answer):
    """Holds an answer to the schema of its status."""
    status, kind, body = answer
    response = description["paths"][path][method]["responses"][str(status)]
    if "$ref" in response:
        response = description["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    schema = response["content"][kind.split(";")[0]]["schema"]
    if kind == "image/png":
        assert body.startswith(b"\x89PNG")
        return None
    value = json.loads(body)
    jsonschema.validate(value, {**schema, "components": description["components"]})
    closed(value, schema, description)
    return value


def closed(value, schema, description):
    """Nothing is answered that is not described."""
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, dict) and "properties" in schema:
        for key, part in value.items():
            assert key in schema["properties"], f"{key} is not described"
            closed(part, schema["properties"][key], description)
    if isinstance(value, list):
        for part in value:
            closed(part, schema["items"], description)


def test_every_operation_is_as_described(server, description, run_folder):
    checked = []

    def asked(method, path, body=None, status=200):
        answer = ask(server, method, path, body)
        assert answer[0] == status, answer
        template = path.split("?")[0]
        checked.append(template)
        return check(description, template, method.lower(), answer)

    models = asked("GET", "/api/models")
    assert {"mnist", "cifar10", "faces64"} <= {model["name"] for model in models["models"]}
    asked("GET", "/api/status")
    drawn = asked("POST", "/api/draw", {"model": MODEL, "seeds": [1, 2], "guides": [{"kind": "sr", "side": 4, "image": PICTURE}]})
    assert [sample["seed"] for sample in drawn["samples"]] == [1, 2]
    asked("POST", "/api/draw", {"model": "cifar10", "seeds": [1], "class": 6})
    asked("POST", "/api/draw", {"model": MODEL, "class": 6}, 422)
    asked("POST", "/api/draw", {"model": "nothing"}, 404)
    asked("POST", "/api/draw", {"model": 3}, 400)
    asked("GET", f"/api/choices?model={MODEL}&code=1.2")
    asked("GET", f"/api/choices?model={MODEL}&code=1.2.9", status=422)
    asked("GET", f"/api/tree?model={MODEL}&size=256")
    asked("GET", f"/api/picture?model={MODEL}&code=1.2.3&zoom=2")
    encoded = asked("POST", "/api/encode", {"model": "faces64", "class": 1, "picture": PICTURE, "beams": 2})
    decoded = asked("POST", "/api/decode", {"file": encoded["file"]})
    assert decoded["code"] == encoded["code"]
    training = asked("GET", "/api/training")
    assert training["name"] == run_folder.name
    asked("GET", f"/api/training/samples?images={training['samples'][-1]}")
    asked("GET", "/api/training/samples?images=1", status=404)
    asked("GET", "/api/openapi.json")
    assert set(checked) == set(description["paths"]), "every path is tried"


def test_the_examples_work(server, tmp_path):
    text = (ROOT / "Documentation/Serve.md").read_text()
    blocks = dict(re.findall(r"```(bash|python|swift)\n(.*?)```", text, re.S))
    assert set(blocks) == {"bash", "python", "swift"}
    commands = {"bash": ["bash", "-e"], "python": [sys.executable]}
    if shutil.which("swiftc"):
        commands["swift"] = None
    for language, command in commands.items():
        folder = tmp_path / language
        folder.mkdir()
        source = folder / f"example.{language}"
        source.write_text(blocks[language].replace("http://127.0.0.1:8080", server.url))
        if language == "swift":
            subprocess.run(["swiftc", "-swift-version", "6", "-parse-as-library", source, "-o", folder / "example"], check=True)
            command = [folder / "example"]
            subprocess.run(command, cwd=folder, check=True, timeout=60)
        else:
            subprocess.run([*command, source], cwd=folder, check=True, timeout=60, env={**os.environ})
        pictures = list(folder.glob("*.png"))
        assert pictures and all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures), language
