"""Each knob of the fault server does what it says, as a plain HTTP client sees it."""

import gzip
import hashlib
import http.client
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fault_server import FaultServer

SIZE = 300_000


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10, verify=False) as opened:
        yield opened


def get(client: httpx.Client, url: str, **headers: str) -> httpx.Response:
    return client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})


def received(url: str, **headers: str) -> bytes:
    """What arrives before the end, however it ends."""
    parts = bytearray()
    try:
        with httpx.stream("GET", url, headers=headers, trust_env=False, timeout=0.7) as response:
            for part in response.iter_raw():
                parts += part
    except httpx.HTTPError:
        pass
    return bytes(parts)


def test_content_is_the_same_each_time_and_differs_by_seed(client: httpx.Client, origin: FaultServer) -> None:
    whole = get(client, origin.url("/file/ä.bin", size=2_500_000, seed=3)).content
    assert whole == origin.content(0, 2_500_000, 3) != origin.content(0, 2_500_000, 4)
    assert whole[1_000_000:1_200_000] == origin.content(1_000_000, 1_200_000, 3)
    assert FaultServer.sha256(2_500_000, 3) == hashlib.sha256(whole).hexdigest()
    assert origin.stats("/file/ä.bin").bytes_sent == 2_500_000


@pytest.mark.parametrize(
    ("asked", "told", "part"),
    [
        ("bytes=0-9", "bytes 0-9/300000", (0, 10)),
        ("bytes=299990-", "bytes 299990-299999/300000", (299_990, SIZE)),
        ("bytes=299990-400000", "bytes 299990-299999/300000", (299_990, SIZE)),
        ("bytes=-5", "bytes 299995-299999/300000", (299_995, SIZE)),
    ],
)
def test_ranges(client: httpx.Client, origin: FaultServer, asked: str, told: str, part: tuple[int, int]) -> None:
    response = get(client, origin.url("/x", size=SIZE), Range=asked)
    assert (response.status_code, response.headers["content-range"]) == (206, told)
    assert response.content == origin.content(*part)
    assert origin.stats("/x").ranges == [asked]


def test_what_no_range_can_be_taken_from(client: httpx.Client, origin: FaultServer) -> None:
    beyond = get(client, origin.url("/x", size=SIZE), Range="bytes=300000-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */300000")
    assert get(client, origin.url("/x", size=0), Range="bytes=0-").status_code == 200
    ignored = get(client, origin.url("/x", size=SIZE, norange=1), Range="bytes=5-9")
    assert (ignored.status_code, len(ignored.content)) == (200, SIZE)
    assert "accept-ranges" not in ignored.headers


@pytest.mark.parametrize(
    ("knobs", "condition", "status"),
    [
        ({}, '"0-300000"', 206),
        ({}, '"other"', 200),
        ({"weak": 1}, 'W/"0-300000"', 200),
        ({"noetag": 1}, '"0-300000"', 200),
        ({"noetag": 1, "modified": "Mon, 01 Jan 2024 00:00:00 GMT"}, "Mon, 01 Jan 2024 00:00:00 GMT", 206),
        ({"modified": "Mon, 01 Jan 2024 00:00:00 GMT"}, "Tue, 02 Jan 2024 00:00:00 GMT", 200),
    ],
)
def test_if_range_needs_the_same_strong_validator(
    client: httpx.Client, origin: FaultServer, knobs: dict[str, Any], condition: str, status: int
) -> None:
    response = get(client, origin.url("/x", size=SIZE, **knobs), Range="bytes=9-", If_Range=condition)
    assert response.status_code == status


def test_a_file_changes_after_so_many_requests_or_on_demand(client: httpx.Client, origin: FaultServer) -> None:
    url = origin.url("/x", size=1000, changes=2)
    answers = [get(client, url) for _ in range(3)]
    assert [a.content == origin.content(0, 1000, seed) for a, seed in zip(answers, (0, 0, 1), strict=True)] == [
        True
    ] * 3
    assert [a.headers["etag"] for a in answers] == ['"0-1000"', '"0-1000"', '"1-1000"']
    origin.seeds["/x"] = 7
    assert get(client, url).content == origin.content(0, 1000, 7)


def test_rate_burst_and_the_slow_ones(origin: FaultServer) -> None:
    def seconds(**knobs: Any) -> float:
        begun = time.monotonic()
        assert len(received(origin.url(f"/{len(knobs)}", size=SIZE, **knobs))) == SIZE
        return time.monotonic() - begun

    assert seconds() < 1
    assert 0.5 < seconds(rate=500_000) < 2.5
    assert seconds(rate=300_000, burst=290_000) < 1
    assert seconds(rate=12_000_000, slow=0, seed=1) > 0.4
    assert 0.25 < seconds(rate=4_000_000, slow_region="100000-200000", seed=1, etag='"a"') < 2


def test_delays(client: httpx.Client, origin: FaultServer) -> None:
    begun = time.monotonic()
    with client.stream("GET", origin.url("/x", delay=0.2, first_byte_delay=0.2)) as response:
        headers_after = time.monotonic() - begun
        response.read()
    assert headers_after >= 0.2
    assert time.monotonic() - begun >= 0.4


def test_broken_off(origin: FaultServer) -> None:
    assert received(origin.url("/a", size=SIZE, drop=70_000)) == origin.content(0, 70_000)
    assert received(origin.url("/a", size=SIZE, drop=70_000), Range="bytes=70000-") == origin.content(70_000, 140_000)
    once = [len(received(origin.url("/b", size=SIZE, drop=0, drop_once=1))) for _ in range(2)]
    assert once == [0, SIZE]
    assert received(origin.url("/c", size=SIZE, shorter=1)) == origin.content(0, SIZE - 1)
    begun = time.monotonic()
    assert received(origin.url("/d", size=SIZE, stall=5)) == origin.content(0, 5)
    assert time.monotonic() - begun > 0.5
    stalls = [len(received(origin.url("/e", size=SIZE, stall=5, stall_once=1))) for _ in range(2)]
    assert stalls == [5, SIZE]
    until = time.monotonic() + 5
    while origin.stats("/d").connections:  # the client is gone
        assert time.monotonic() < until
        time.sleep(0.01)


def exchange_raw(url: str) -> bytes:
    """Everything the socket gives, until it ends; a reset is raised."""
    target = urlsplit(url)
    with socket.create_connection((target.hostname, target.port), timeout=5) as opened:
        opened.sendall(f"GET {target.path}?{target.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        opened.settimeout(0.5)
        parts = bytearray()
        try:
            while part := opened.recv(65536):
                parts += part
        except TimeoutError:
            pass
        return bytes(parts)


def test_one_request_is_never_answered(client: httpx.Client, origin: FaultServer) -> None:
    url = origin.url("/hang", size=SIZE, hang=1)
    assert [len(received(url)) for _ in range(3)] == [SIZE, 0, SIZE]


def test_a_reset_is_no_orderly_end(origin: FaultServer) -> None:
    assert exchange_raw(origin.url("/x", drop=0)).endswith(b"\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        exchange_raw(origin.url("/x", drop=0, reset=1))


def test_more_than_promised(origin: FaultServer) -> None:
    head, _, body = exchange_raw(origin.url("/x", size=100, longer=20)).partition(b"\r\n\r\n")
    assert b"Content-Length: 100\r\n" in head
    assert body == origin.content(0, 120)
    origin.files["/real"] = (b"abc", "text/plain")
    assert exchange_raw(origin.url("/real", longer=2)).endswith(b"\r\n\r\nabc\0\0")


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_refusals(client: httpx.Client, origin: FaultServer, status: int) -> None:
    first = get(client, origin.url("/x", fail=1, status=status, retry_after=7))
    assert (first.status_code, first.headers["retry-after"], first.content) == (status, "7", b"")
    assert get(client, origin.url("/x", fail=1, status=status)).status_code == 200
    for _ in range(3):
        assert get(client, origin.url("/y", status=status)).status_code == status


def test_what_has_to_come(client: httpx.Client, origin: FaultServer) -> None:
    cookie, header, auth = (
        origin.url("/x", **{k: v}) for k, v in (("cookie", "a=1"), ("header", "X-A=b"), ("auth", "u:p"))
    )
    assert [get(client, url).status_code for url in (cookie, header, auth)] == [403, 403, 401]
    assert get(client, cookie, Cookie="b=2; a=1").status_code == 200
    assert get(client, cookie, Cookie="aa=1; a=11").status_code == 403
    assert get(client, header, X_A="b").status_code == 200
    assert client.get(auth, auth=("u", "p")).status_code == 200


def test_head_and_expiry(client: httpx.Client, origin: FaultServer) -> None:
    head = client.head(origin.url("/x", size=SIZE))
    assert (head.headers["content-length"], origin.stats("/x").bytes_sent) == (str(SIZE), 0)
    assert client.head(origin.url("/x", nohead=1)).status_code == 405
    assert [get(client, origin.url("/x", expire=1)).status_code for _ in range(2)] == [200, 403]


def test_only_so_many_connections(origin: FaultServer) -> None:
    url = origin.url("/x", size=SIZE, rate=500_000, max_connections=1)
    with httpx.stream("GET", url, trust_env=False) as first:
        assert first.status_code == 200
        assert httpx.get(url, trust_env=False).status_code == 503
        assert origin.stats("/x").most_connections == 2
        assert origin.stats("/x").connections == 1


def test_redirects(client: httpx.Client, origin: FaultServer) -> None:
    url = origin.url("/a b", size=10, redirect=3)
    answer = client.get(url, follow_redirects=True)
    assert (len(answer.history), answer.content) == (3, origin.content(0, 10))
    with pytest.raises(httpx.TooManyRedirects):
        client.get(origin.url("/x", redirect=-1), follow_redirects=True)
    assert get(client, origin.url("/x", location="file:///etc/passwd")).headers["location"] == "file:///etc/passwd"


def test_what_a_redirect_leads_to_is_good_for_one_request(client: httpx.Client, origin: FaultServer) -> None:
    url = origin.url("/x", size=10, redirect=1, tickets=1)
    targets = [get(client, url).headers["location"] for _ in range(2)]
    assert targets[0] != targets[1]
    for target in targets:
        address = f"http://127.0.0.1:{origin.port}{target}"
        assert [get(client, address).status_code for _ in range(2)] == [200, 403]


def test_parts_of_parts(client: httpx.Client, origin: FaultServer) -> None:
    answer = get(client, origin.url("/x", size=100, capped=30, nototal=1), Range="bytes=10-")
    assert (answer.headers["content-range"], answer.content) == ("bytes 10-39/*", origin.content(10, 40))
    last = get(client, origin.url("/x", size=100, capped=30), Range="bytes=90-")
    assert (last.headers["content-range"], last.content) == ("bytes 90-99/100", origin.content(90, 100))


def test_a_request_that_gets_no_answer(client: httpx.Client, origin: FaultServer) -> None:
    url = origin.url("/x", size=10, hang=1)
    assert get(client, url).is_success
    with pytest.raises(httpx.ReadTimeout):
        client.get(url, timeout=0.3)
    assert get(client, url).is_success


def test_told_wrongly(client: httpx.Client, origin: FaultServer) -> None:
    beside = get(client, origin.url("/x", size=100, badrange=1), Range="bytes=10-19")
    assert (beside.headers["content-range"], beside.content) == ("bytes 11-20/100", origin.content(10, 20))
    multipart = get(client, origin.url("/x", size=100, multipart=1), Range="bytes=10-19")
    assert multipart.headers["content-type"].startswith("multipart/byteranges")
    assert origin.content(10, 20) in multipart.content
    assert len(multipart.content) == int(multipart.headers["content-length"])
    unasked = get(client, origin.url("/x", size=100, partial=1))
    assert (unasked.status_code, unasked.headers["content-range"]) == (206, "bytes 0-99/100")
    named = get(client, origin.url("/x", content_type="a/b", etag='"q"'))
    assert (named.headers["content-type"], named.headers["etag"]) == ("a/b", '"q"')


@pytest.mark.parametrize(
    "value", ["filename=ü.zip", b"filename=\xfc\xff.zip", "a\r\nX-B: c", "filename*=UTF-8''%e2%82%ac"]
)
def test_a_disposition_goes_as_it_stands(origin: FaultServer, value: str | bytes) -> None:
    raw = value if isinstance(value, bytes) else value.encode()
    assert b"\r\nContent-Disposition: " + raw + b"\r\n" in exchange_raw(origin.url("/x", size=1, disposition=value))


@pytest.mark.parametrize("value", ["-5", "1" + "0" * 20, "5\r\nContent-Length: 9"])
def test_a_length_goes_as_it_stands(origin: FaultServer, value: str) -> None:
    assert f"\r\nContent-Length: {value}\r\n".encode() in exchange_raw(origin.url("/x", size=1, length=value))


def test_what_is_not_http(client: httpx.Client, origin: FaultServer) -> None:
    assert exchange_raw(origin.url("/x", size=9, headless=1)) == origin.content(0, 9)
    assert len(exchange_raw(origin.url("/x", garbage=1))) == 4096
    assert len(get(client, origin.url("/x", many_headers=5000)).headers) > 5000
    for knob in ("garbage", "endless_header"):
        with pytest.raises(httpx.RemoteProtocolError):
            get(client, origin.url("/x", **{knob: 1}))


@pytest.mark.parametrize("knob", ["nolen", "chunked", "gzip"])
def test_without_a_length_that_counts(client: httpx.Client, origin: FaultServer, knob: str) -> None:
    response = get(client, origin.url("/x", size=SIZE, rate=3_000_000, **{knob: 1}))
    assert response.content == origin.content(0, SIZE)
    assert response.headers.get("content-length") != str(SIZE)
    assert (response.headers.get("content-encoding") == "gzip") == (knob == "gzip")


def test_endless_and_a_huge_header(origin: FaultServer) -> None:
    with httpx.stream("GET", origin.url("/x", endless=1), trust_env=False) as response:
        assert "content-length" not in response.headers
        seen = 0
        for part in response.iter_raw():
            if (seen := seen + len(part)) > 5_000_000:
                break
    assert seen > 5_000_000
    target = urlsplit(origin.url("/x", huge_header=100_000))
    connection = http.client.HTTPConnection(str(target.hostname), target.port)
    connection.request("GET", f"{target.path}?{target.query}")
    with pytest.raises(http.client.LineTooLong):
        connection.getresponse()
    connection.close()


def test_it_remembers_when_bytes_left(origin: FaultServer) -> None:
    begun = time.monotonic()
    received(origin.url("/x", size=SIZE, rate=300_000))
    stats = origin.stats("/x")
    first, half, last = (stats.sent_at(count) for count in (1, SIZE // 2, SIZE))
    assert first is not None
    assert half is not None
    assert begun < first < half < last == stats.last_byte_at
    assert 0.2 < half - first < 1.5
    assert stats.sent_at(SIZE + 1) is None
    origin.reset()
    assert origin.stats("/x").requests == 0


def test_a_knob_that_does_not_exist_is_an_error_not_a_fault_that_never_happens(origin: FaultServer) -> None:
    with pytest.raises(TypeError, match="stal"):
        origin.url("/x", stal=5)


@pytest.mark.parametrize("knob", ["stall=5", "size=5"])
def test_the_end_of_the_server_ends_its_connections(knob: str) -> None:
    with FaultServer() as server:
        opened = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        opened.sendall(f"GET /x?{knob} HTTP/1.1\r\n\r\n".encode())
        while not opened.recv(65536).endswith(server.content(0, 5)):
            pass
    while opened.recv(65536):
        pass
    opened.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_gzip_of_a_real_file(origin: FaultServer) -> None:
    origin.files["/real"] = (b"abc" * 1000, "text/plain")
    raw = received(origin.url("/real", gzip=1))
    assert gzip.decompress(raw) == b"abc" * 1000
