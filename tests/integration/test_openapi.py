"""The server does what its OpenAPI document says, whatever it is sent: no 500, no answer that is not in there."""

import subprocess
import sys
from itertools import product

import pytest
from live_server import LiveServer

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


@pytest.mark.timeout(300)
def test_what_the_document_allows_and_what_it_forbids(server: LiveServer) -> None:
    """Schemathesis makes up both. Probes ask the network, so they are left out."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/openapi.json", "--no-color"]
    command += ["--max-examples", "5", "--phases", "coverage,fuzzing", "--exclude-path", "/api/probe"]
    command += ["--generation-deterministic", "--checks", ",".join(CHECKS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_a_wrong_method_is_told_the_right_ones(server: LiveServer) -> None:
    for method in ("PUT", "TRACE", "QUERY", "OPTIONS"):
        answer = server.client.request(method, "/api/downloads/1/pause")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert server.client.request(method, "/api/nothing").status_code == 404


HOSTILE = {
    "NaN": b'{"url": NaN}',
    "infinity": b'{"url": "http://192.0.2.1/", "connections": Infinity}',
    "too large a float": b'{"url": "http://192.0.2.1/", "connections": 1e400}',
    "huge integer": b'{"url": "http://192.0.2.1/", "connections": ' + b"9" * 5000 + b"}",
    "lone surrogate": b'{"url": "http://192.0.2.1/\\ud800"}',
    "lone surrogate in a name": b'{"url": "http://192.0.2.1/", "filename": "\\ud800"}',
    "lone surrogate as a key": b'{"url": "http://192.0.2.1/", "\\udfff": 1}',
    "over-long label": b'{"url": "http://' + b"a" * 64 + b'.example/"}',
    "over-long host": b'{"url": "http://' + b"a." * 200 + b'example/"}',
    "host that idna refuses": '{"url": "http://\u00e4\u200b\u3002\u3002/"}'.encode(),
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep and closed": b'{"urls": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "not UTF-8": b'{"url": "\xff\xfe"}',
    "NUL": b'{"url": "http://192.0.2.1/\\u0000"}',
    "nothing": b"",
    "null": b"null",
    "an array": b"[1]",
    "a number": b"7",
    "many keys": b"{" + b",".join(b'"%d":1' % n for n in range(50_000)) + b"}",
}
DOORS = (
    ("POST", "/api/downloads"),
    ("POST", "/download"),
    ("POST", "/api/probe"),
    ("POST", "/api/import"),
    ("POST", "/api/downloads/actions"),
    ("PATCH", "/api/downloads/1"),
    ("PATCH", "/api/settings"),
    ("POST", "/api/login"),
    ("POST", "/api/tokens"),
)


def test_hostile_bodies_are_refused_in_words(server: LiveServer) -> None:
    for (name, body), (method, path) in product(HOSTILE.items(), DOORS):
        answer = server.client.request(method, path, content=body, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, (name, method, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["message"]
    assert server.client.get("/list").json() == []
