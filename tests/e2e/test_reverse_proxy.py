"""Behind a real nginx, in a sub-path and with HTTPS, configured by the very blocks of docs/REVERSE_PROXY.md."""

import base64
import hashlib
import json
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chromium
import httpx
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from live_server import LiveServer, free_port
from playwright.sync_api import Playwright, expect
from websockets.sync.client import connect

DOCUMENT = Path(__file__).parents[2] / "docs" / "REVERSE_PROXY.md"
PASSWORD = "correct horse"
CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {map}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
        {location}
    }}
}}
"""


@dataclass
class Proxied:
    """idm as the proxy offers it."""

    server: LiveServer
    url: str
    trusted: ssl.SSLContext
    key_sha256: str
    """Base64, of the certificate's public key: by it a browser trusts the certificate."""

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.trusted, trust_env=False, timeout=30)


@pytest.fixture
def proxied(server_factory: Any, tmp_path: Path) -> Iterator[Proxied]:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    assert program, "no nginx found; run the tests with: python3 dev.py test"
    server = server_factory("--root-path", "/idm", "--trusted-proxy", "127.0.0.1", IDM_PASSWORD=PASSWORD)
    authority, trusted = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trusted)
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    blocks = re.findall(r"```nginx\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    location = blocks[1].replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    port, configuration = free_port(), tmp_path / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=tmp_path, port=port, map=blocks[0], location=location))
    nginx = subprocess.Popen([program, "-c", str(configuration), "-p", str(tmp_path)], stderr=subprocess.PIPE)
    try:
        key_sha256 = sha256_of_key(issued.cert_chain_pems[0].bytes())
        proxied = Proxied(server, f"https://127.0.0.1:{port}/idm", trusted, key_sha256)
        wait_until_it_answers(proxied, nginx)
        yield proxied
    finally:
        nginx.terminate()
        nginx.wait(10)


def sha256_of_key(certificate_pem: bytes) -> str:
    key = x509.load_pem_x509_certificate(certificate_pem).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def wait_until_it_answers(proxied: Proxied, nginx: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 20
    with proxied.client() as client:
        while True:
            assert nginx.poll() is None, nginx.stderr and nginx.stderr.read()
            assert time.monotonic() < until
            try:
                assert client.get("/api/health").json()["status"] == "ok"
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return


def test_the_dashboard_signs_in_goes_live_and_signs_out(proxied: Proxied, playwright: Playwright) -> None:
    # Playwright's own way of taking any certificate fails a request now and then: ERR_TOO_MANY_RETRIES.
    trusting = f"--ignore-certificate-errors-spki-list={proxied.key_sha256}"
    with closing(playwright.chromium.launch(**chromium.launch_options(trusting))) as browser:
        page = browser.new_page()
        page.goto(f"{proxied.url}/?show=failed")
        assert page.url.startswith(f"{proxied.url}/login")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("[data-connection=connected]")).to_be_visible(timeout=30_000)
        assert page.url == f"{proxied.url}/?show=failed"
        (cookie,) = [cookie for cookie in page.context.cookies() if cookie["name"].startswith("idm_session")]
        assert cookie["secure"]
        assert cookie["path"] == "/idm"
        page.get_by_role("button", name="Devices").click()
        page.get_by_role("button", name="Sign out", exact=True).click()
        page.wait_for_url(f"{proxied.url}/login")


def test_feed_ranges_and_links_of_the_api(proxied: Proxied, origin: Any) -> None:
    with proxied.client() as client:
        assert client.get("/list").status_code == 401
        assert client.post("/api/login", json={"password": PASSWORD}).status_code == 204
        token = client.post("/api/tokens", json={"name": "feed"}).json()["token"]
        protocols = ["idm.v1", f"bearer.{token}"]
        address = f"{proxied.url.replace('https', 'wss')}/ws"
        with connect(address, ssl=proxied.trusted, subprotocols=protocols, proxy=None) as feed:
            assert [json.loads(feed.recv(10))["type"] for _ in range(2)] == ["hello", "snapshot"]
            url = origin.url("/file/a.bin", size=100_000, seed=4)
            # Where private networks are out of reach, so is this test's origin.
            client.patch("/api/settings", json={"allow_private_addresses": True})
            added = client.post("/api/downloads", json={"url": url}).json()
            until = time.monotonic() + 30
            while not any(one.get("done") for one in json.loads(feed.recv(30)).get("downloads", ())):
                assert time.monotonic() < until
        done = client.get(f"/api/downloads/{added['id']}").json()
        assert done["status"] == "completed", done
        bearer = {"Authorization": f"Bearer {token}", "Range": "bytes=10-19"}
        part = client.get(done["file_url"], headers=bearer)
        assert (part.status_code, part.content) == (206, origin.content(0, 20, 4)[10:])


def test_an_address_that_was_refused_is_the_clients_not_the_proxys(proxied: Proxied) -> None:
    from_elsewhere = httpx.HTTPTransport(verify=proxied.trusted, local_address="127.0.0.2")
    with httpx.Client(base_url=proxied.url, transport=from_elsewhere, timeout=30) as client:
        for number in range(5):
            # nginx adds the real address; what a client claims stands before it and counts for nothing.
            claimed = {"X-Forwarded-For": f"192.0.2.{number}"}
            answer = client.post("/api/login", json={"password": "wrong"}, headers=claimed)
            assert answer.status_code == 401
        assert client.post("/api/login", json={"password": PASSWORD}).status_code == 429
    with proxied.client() as client:
        assert client.post("/api/login", json={"password": PASSWORD}).status_code == 204
