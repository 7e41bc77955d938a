"""What answers say, also those that are made to be slow or wrong."""

import base64
import hashlib

import pytest

from idm_app.engine.answers import Answer
from idm_app.errors import DownloadError

SHA256 = hashlib.sha256(b"").digest()
TOLD = base64.b64encode(SHA256).decode()


def answer(status: int = 200, **headers: str) -> Answer:
    return Answer("http://x/a", status, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("digest", f"SHA-256={TOLD}"),
        ("digest", f"crc32c=abcd==, sha-256={TOLD},md5=x"),
        ("repr_digest", f"unixsum=:AAAA:, sha-256=:{TOLD}:"),
        ("repr_digest", f" sha-256=:{TOLD}:;q=1"),
    ],
)
def test_a_digest_that_can_be_checked(header: str, value: str) -> None:
    assert answer(206, **{header: value}).digest == f"sha-256:{SHA256.hex()}"


@pytest.mark.parametrize("value", ["", "sha-256", "sha-256=:AAAA:", "crc32=AAAA", "a" * 100_000, "=," * 50_000])
def test_a_digest_that_cannot(value: str) -> None:
    assert answer(digest=value).digest is None


@pytest.mark.parametrize("media_type", ["", "text/plain"])
def test_a_beginning_of_comments_is_read_to_its_end(media_type: str) -> None:
    comments = b"<!----> " * 100
    told = answer(content_type=media_type)
    assert told.leads_to_media(comments + b"#EXTM3U")
    assert not told.leads_to_media(comments + b"no manifest")
    assert not told.leads_to_media(b"<!-- -- " * 100)


def test_numbers_that_no_file_has_are_none() -> None:
    many = "9" * 5000
    with pytest.raises(DownloadError, match="makes no sense"):
        _ = answer(content_length=many).length_bytes
    assert answer(206, content_range=f"bytes 0-{many}/*").content_range is None
    assert answer(416, content_range=f"bytes */{many}").unsatisfied_total is None
    assert answer(503, retry_after=many).retry_after_seconds() == 1e6


DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "sent_at"),
    [
        ({"date": DATE}, 1_767_225_600.0),
        ({"date": DATE, "age": "90"}, 1_767_225_690.0),
        ({"date": "yesterday"}, None),
        ({"date": DATE, "age": "old"}, None),
        ({}, None),
    ],
)
def test_when_it_was_sent(headers: dict[str, str], sent_at: float | None) -> None:
    assert Answer("http://example.org/", 200, headers).sent_at == sent_at
