"""Where other devices are told to find the server."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import Request

from idm_app.dashboard.own_address import address_elsewhere, page_address
from idm_app.settings import Options


def test_where_other_devices_find_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def address(page: str = "127.0.0.1:8000", **options: Any) -> str | None:
        scope = {"type": "http", "scheme": "https", "path": "/", "headers": [(b"host", page.encode())]}
        request = Request({**scope, "root_path": "/dl", "query_string": b""})
        return address_elsewhere(Options(data_dir=tmp_path, download_dir=tmp_path, **options), page_address(request))

    assert address() is None
    assert address("nas.example", trusted_proxies=("127.0.0.1",)) == "https://nas.example/dl", "as others have found it"
    assert address(host="192.0.2.7", port=8080, root_path="/dl") == "http://192.0.2.7:8080/dl"
    assert address("localhost", host="2001:db8::7") == "http://[2001:db8::7]:8000"
    assert "0.0.0.0" not in (address(host="0.0.0.0") or "")
    monkeypatch.setenv("container", "oci")
    assert address(host="0.0.0.0") is None
    assert address("192.0.2.9:8000", host="0.0.0.0") == "https://192.0.2.9:8000/dl"
