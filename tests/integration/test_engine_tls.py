"""Encrypted origins: whose certificate is believed."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
from engine_jobs import Jobs

CONTENT = b"over TLS" * 1000


class Answering(BaseHTTPRequestHandler):
    """The same file for every address."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.send_header("Content-Type", "application/octet-stream")
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    running = Jobs(tmp_path)
    yield running
    running.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def encrypted_url(authority: trustme.CA) -> Iterator[str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}/a.bin"
        server.shutdown()


def test_an_authority_of_ones_own_is_believed_when_the_environment_names_it(
    jobs: Jobs, encrypted_url: str, authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    run = jobs.start(encrypted_url, environment={"SSL_CERT_FILE": str(tmp_path / "authority.pem")})
    assert run.finished().read_bytes() == CONTENT


def test_a_certificate_that_nobody_has_signed_is_not_believed(jobs: Jobs, encrypted_url: str) -> None:
    assert jobs.start(encrypted_url, environment={"SSL_CERT_FILE": ""}).failed().code == "tls-failed"
    assert jobs.names() == []
