"""Servers and disks that misbehave: the right bytes, or a failure with its code; never a wrong file."""

import gzip
import itertools
import os
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest
from engine_jobs import Jobs, Noted, Probed, Progressed, RawOrigin, sha256
from fault_server import FaultServer

from idm_app.engine.pool import FIRST_BYTE_SECONDS
from idm_app.errors import FAILURES

SIZE = 8_000_000
TEXT = b"".join(b"line %d\n" % number for number in range(20_000))


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    running = Jobs(tmp_path)
    yield running
    running.close()


@pytest.mark.parametrize(
    "faults",
    [
        {"drop": 300_000},
        {"drop": 3_000_000, "drop_once": 1, "norange": 1},
        {"drop": 300_000, "rate": 4_000_000},
        {"drop": 300_000, "noetag": 1},
        {"badrange": 1, "rate": 4_000_000},
        {"nolen": 1},
        {"chunked": 1},
        {"chunked": 1, "rate": 4_000_000},
        {"nolen": 1, "drop": 700_000},
        {"gzip": 1},
        {"gzip": 1, "norange": 1},
        {"fail": 2, "status": 503},
        {"fail": 2, "status": 500},
        {"fail": 1, "status": 429, "retry_after": 1},
        {"max_connections": 2, "rate": 3_000_000},
        {"redirect": 10},
        {"stall": 2_000_000, "stall_once": 1, "rate": 4_000_000},
        {"drop": 300_000, "reset": 1},
        {"drop": 900_000, "weak": 1},
        {"drop": 900_000, "noetag": 1, "modified": "Mon, 01 Jun 2026 00:00:00 GMT"},
        {"slow_region": "2000000-2300000", "rate": 4_000_000},
        {"multipart": 1, "rate": 4_000_000},
        {"first_byte_delay": 1},
        {"first_byte_delay": 12},
        {"nohead": 1},
        {"capped": 1_000_000},
        {"capped": 1_000_000, "nototal": 1},
        {"nototal": 1, "rate": 4_000_000},
        {"redirect": 1, "tickets": 1, "drop": 900_000},
        {"location": "/ü b.bin?size=8000000&name=a b"},
    ],
    ids=str,
)
def test_a_bad_server_still_gives_the_right_file(jobs: Jobs, origin: FaultServer, faults: dict[str, Any]) -> None:
    path = jobs.start(origin.url("/a.bin", size=SIZE, **faults)).finished()
    assert sha256(path) == origin.sha256(SIZE)
    assert jobs.names() == [path.name]


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ({"status": 401}, "login-required"),
        ({"status": 403}, "forbidden"),
        ({"status": 404}, "not-found"),
        ({"status": 410}, "gone"),
        ({"status": 418}, "unexpected-answer"),
        ({"status": 429, "retry_after": 600}, "server-busy"),
        ({"redirect": 11}, "too-many-redirects"),
        ({"redirect": -1}, "too-many-redirects"),
        ({"location": "ftp://x/y"}, "invalid-address"),
        ({"location": "file:///etc/passwd"}, "invalid-address"),
        ({"location": "javascript:alert(1)"}, "invalid-address"),
        ({"location": "http://169.254.169.254/latest"}, "blocked-address"),
        ({"location": "http://[fd00:ec2::254]/"}, "blocked-address"),
        ({"location": "http://[::ffff:169.254.169.254]/"}, "blocked-address"),
        ({"location": "http://0.0.0.0/"}, "blocked-address"),
        ({"size": 100_000, "longer": 1000, "chunked": 1}, "too-long"),
    ],
    ids=str,
)
def test_what_cannot_work_fails_soon_and_says_why(
    jobs: Jobs, origin: FaultServer, faults: dict[str, Any], code: str
) -> None:
    began = time.monotonic()
    failure = jobs.start(origin.url("/a.bin", **faults)).failed()
    assert failure.code == code
    assert failure.message == FAILURES[code][0]
    assert time.monotonic() - began < 4
    assert jobs.names() == []


@pytest.mark.parametrize("changes", [1, 2, 4])
def test_a_file_that_changes_while_it_is_fetched_is_never_mixed(jobs: Jobs, origin: FaultServer, changes: int) -> None:
    url = origin.url("/a.bin", size=SIZE, rate=4_000_000, changes=changes, drop=1_500_000)
    assert sha256(jobs.start(url).finished()) in (origin.sha256(SIZE), origin.sha256(SIZE, 1))


def test_a_file_that_never_stays_the_same_is_given_up(jobs: Jobs, origin: FaultServer) -> None:
    url = origin.url("/a.bin", size=SIZE, drop=1_000_000)
    run = jobs.start(url, connections=1)
    for seed in range(1, 40):
        run.until(lambda r, seed=seed: origin.stats("/a.bin").requests > seed or r.is_over)
        origin.seeds["/a.bin"] = seed
    assert run.failed().code in ("content-changed", "too-short", "connection-lost")
    assert jobs.names() == []


@pytest.mark.parametrize(
    "faults",
    [{"huge_header": 8 << 20}, {"many_headers": 200_000}, {"headless": 1}, {"garbage": 1}, {"length": "-5"}],
    ids=str,
)
def test_what_is_not_http_is_a_failure(jobs: Jobs, origin: FaultServer, faults: dict[str, Any]) -> None:
    failure = jobs.start(origin.url("/a.bin", **faults)).failed()
    assert failure.code != "internal"
    assert jobs.names() == []


@pytest.mark.parametrize("faults", [{"endless": 1}, {"endless_header": 1}], ids=str)
def test_what_has_no_end_can_be_stopped(jobs: Jobs, origin: FaultServer, faults: dict[str, Any]) -> None:
    run = jobs.start(origin.url("/a.bin", rate=1_000_000, **faults))
    time.sleep(1)
    run.stop()
    assert jobs.names() == []


def test_credentials_that_a_client_gave_open_the_door(jobs: Jobs, origin: FaultServer) -> None:
    url = origin.url("/a.bin", size=1000, auth="user:password")
    assert jobs.start(url).failed().code == "login-required"
    jobs.start(url, headers=(("Authorization", "Basic dXNlcjpwYXNzd29yZA=="),)).finished()


def test_a_busy_server_says_when_to_come_back(jobs: Jobs, origin: FaultServer) -> None:
    failure = jobs.start(origin.url("/a.bin", status=503, retry_after=600)).failed()
    assert failure.retry_after_seconds == 600
    assert failure.retryable


@pytest.mark.parametrize("faults", [{"shorter": 1000}, {"shorter": 1000, "norange": 1}, {"drop": 40_000, "norange": 1}])
def test_less_than_promised_is_no_file(jobs: Jobs, origin: FaultServer, faults: dict[str, Any]) -> None:
    failure = jobs.start(origin.url("/a.bin", size=100_000, **faults)).failed()
    assert failure.code == "too-short"
    assert jobs.names() == []


def test_waiting_is_explained(jobs: Jobs, origin: FaultServer) -> None:
    run = jobs.start(origin.url("/a.bin", size=10, fail=1, status=503, retry_after=3))
    run.finished()
    assert run.of(Noted) == [Noted("waiting.server-busy", (("seconds", "3"),))]


def test_a_host_that_does_not_exist(jobs: Jobs) -> None:
    began = time.monotonic()
    assert jobs.start("http://no-such-host.invalid/a.zip").failed().code == "host-not-found"
    assert time.monotonic() - began < 10


def test_a_closed_port(jobs: Jobs, free_port: int) -> None:
    assert jobs.start(f"http://127.0.0.1:{free_port}/a.zip").failed().code == "connection-refused"


def test_a_server_that_refuses_further_connections_is_left_with_those_it_takes(jobs: Jobs, origin: FaultServer) -> None:
    run = jobs.start(origin.url("/a.bin", size=SIZE, rate=2_000_000, max_connections=3))
    assert sha256(run.finished()) == origin.sha256(SIZE)
    assert max(report.connections for report in run.of(Progressed)) == 3
    assert run.of(Noted) == []


def test_a_server_that_is_short_of_breath_once_has_all_its_connections_again(jobs: Jobs, origin: FaultServer) -> None:
    once = {"drop": 300_000, "drop_once": 1, "refuse": 2}
    run = jobs.start(origin.url("/a.bin", size=SIZE, rate=800_000, **once), connections=2)
    assert sha256(run.finished()) == origin.sha256(SIZE)
    seen = [count for count, _ in itertools.groupby(report.connections for report in run.of(Progressed))]
    after_refusal = seen[seen.index(2) :]
    assert 1 in after_refusal
    assert 2 in after_refusal[after_refusal.index(1) :]


def test_a_connection_that_is_never_answered_holds_nobody_back(jobs: Jobs, origin: FaultServer) -> None:
    """Its range goes to another long before it would be given up."""
    began = time.monotonic()
    run = jobs.start(origin.url("/a.bin", size=SIZE, rate=2_000_000, hang=2), connections=4)
    assert sha256(run.finished()) == origin.sha256(SIZE)
    assert time.monotonic() - began < FIRST_BYTE_SECONDS / 2


def test_a_server_that_says_when_to_come_back_is_left_alone_until_then(jobs: Jobs, origin: FaultServer) -> None:
    refusal = {"refuse": 1, "status": 429, "retry_after": 4, "fail": 0}
    run = jobs.start(origin.url("/a.bin", size=SIZE, rate=1_000_000, drop=1_200_000, **refusal), connections=2)
    run.until(lambda _: origin.stats("/a.bin").requests > 2)
    refused, next_one = origin.stats("/a.bin").exchanges[1:3]
    assert next_one.at - refused.at >= 3.9
    assert [note.code for note in run.of(Noted)] == ["waiting.too-short"]


def test_where_a_redirect_leads_to_one_time_addresses_each_connection_gets_its_own(
    jobs: Jobs, origin: FaultServer
) -> None:
    run = jobs.start(origin.url("/a.bin", size=SIZE, rate=800_000, redirect=1, tickets=1), connections=4)
    assert sha256(run.finished()) == origin.sha256(SIZE)
    assert max(report.connections for report in run.of(Progressed)) == 4
    assert run.of(Noted) == []


def test_an_address_that_expired_keeps_its_bytes_for_a_new_one(jobs: Jobs, origin: FaultServer) -> None:
    first = jobs.start(origin.url("/a.bin", size=SIZE, rate=2_000_000, stall=2_000_000), connections=2)
    first.until_received(3_000_000)
    first.stop()
    assert jobs.start(origin.url("/a.bin", status=403)).failed().code == "address-expired"
    origin.reset()
    assert sha256(jobs.start(origin.url("/a.bin", size=SIZE)).finished()) == origin.sha256(SIZE)
    assert origin.stats("/a.bin").bytes_sent < SIZE - 2_000_000


@pytest.mark.parametrize("answer", ["nothing", "part"])
def test_a_stalled_server_is_left_at_once_when_told_to_stop(jobs: Jobs, origin: FaultServer, answer: str) -> None:
    faults = {"delay": 60} if answer == "nothing" else {"stall": 500_000}
    run = jobs.start(origin.url("/a.bin", size=SIZE, **faults), connections=1)
    if answer == "part":
        run.until_received(400_000)
    else:
        run.until(lambda _: origin.stats("/a.bin").requests)
    assert run.stop() < 2


def test_a_name_that_takes_for_ever_to_resolve_does_not_hold_a_stop(jobs: Jobs) -> None:
    run = jobs.start("http://slow.invalid/a.zip", environment={"RES_OPTIONS": "timeout:30"})
    time.sleep(0.3)
    assert run.stop() < 2


def test_the_servers_own_port_is_never_reached(jobs: Jobs, origin: FaultServer) -> None:
    for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]", socket.gethostname()):
        url = f"http://{host}:{origin.port}/a.bin"
        failure = jobs.start(url, blocked_ports=(origin.port,)).failed()
        assert failure.code in {"blocked-address", "host-not-found", "connection-refused"}, (host, failure)
    assert origin.stats("/a.bin").requests == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "[::1]", "10.0.0.1", "100.64.0.1", "[fd12::1]"])
def test_private_addresses_only_where_they_are_allowed(jobs: Jobs, origin: FaultServer, host: str) -> None:
    url = f"http://{host}:{origin.port}/a.bin"
    assert jobs.start(url, allow_private_addresses=False).failed().code == "blocked-address"
    assert origin.stats("/a.bin").requests == 0


def test_a_folder_that_cannot_be_written(jobs: Jobs, origin: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    folder = str(tmp_path / "file" / "below")
    assert jobs.start(origin.url("/a.bin"), job_folder=folder).failed().code == "folder-not-writable"
    assert jobs.start(origin.url("/a.bin"), folder=folder).failed().code == "folder-not-writable"


def test_a_file_larger_than_the_disk_is_not_begun(jobs: Jobs, origin: FaultServer) -> None:
    with RawOrigin(b"HTTP/1.1 200 OK\r\nContent-Length: 1125899906842624\r\n\r\nabc") as port:
        run = jobs.start(f"http://127.0.0.1:{port}/a.bin")
        assert run.failed().code == "disk-full"
    assert [(probed.filename, probed.total_bytes) for probed in run.of(Probed)] == [("a.bin", 1 << 50)]
    assert not list(jobs.job_folder.glob("*.part")) or (jobs.job_folder / "content.part").stat().st_size < 1000


@pytest.mark.skipif(not hasattr(os, "posix_spawn"), reason="needs ulimit")
def test_a_full_disk_keeps_what_is_there_and_goes_on_when_there_is_room(
    jobs: Jobs, origin: FaultServer, tmp_path: Path
) -> None:
    url = origin.url("/a.bin", size=SIZE)
    limited = tmp_path / "sitecustomize.py"
    limited.write_text("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))")
    environment = {"PYTHONPATH": str(tmp_path)}
    assert jobs.start(url, environment=environment, connections=1).failed().code == "disk-full"
    assert jobs.names() == []
    origin.reset()
    assert sha256(jobs.start(url).finished()) == origin.sha256(SIZE)
    assert origin.stats("/a.bin").bytes_sent < SIZE - 1_000_000


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=x\r\n\r\n--x\r\n\r\nabc",
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-7/8\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\n" + b"X-Filler: y\r\n" * 200_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nHTTP/x: y\r\nContent-Length: -1\r\n\r\nabc",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
    ids=lambda answer: repr(answer[:60]),
)
def test_nonsense_is_a_failure_and_never_a_file(jobs: Jobs, answer: bytes) -> None:
    with RawOrigin(answer) as port:
        failure = jobs.start(f"http://127.0.0.1:{port}/a.bin").failed()
    assert failure.code != "internal"
    assert jobs.names() == []


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT[:9000]) + gzip.compress(TEXT[9000:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)[2:-4]),
        ("br", brotli.compress(TEXT)),
    ],
    ids=["gzip-in-two-members", "deflate", "deflate-without-header", "br"],
)
def test_what_comes_compressed_unasked_is_unpacked(jobs: Jobs, encoding: str, body: bytes) -> None:
    with RawOrigin(compressed(encoding, body)) as port:
        assert jobs.start(f"http://127.0.0.1:{port}/a.txt").finished().read_bytes() == TEXT


def test_half_of_what_comes_compressed_is_no_file(jobs: Jobs) -> None:
    with RawOrigin(compressed("br", brotli.compress(TEXT)[:-9])) as port:
        assert jobs.start(f"http://127.0.0.1:{port}/a.txt").failed().code == "too-short"
    assert jobs.names() == []


def compressed(encoding: str, body: bytes) -> bytes:
    """An answer that only its end ends."""
    return f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nConnection: close\r\n\r\n".encode() + body


def test_what_cannot_be_unpacked_is_no_file(jobs: Jobs) -> None:
    with RawOrigin(b"HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 3\r\n\r\nabc") as port:
        failure = jobs.start(f"http://127.0.0.1:{port}/a.txt").failed()
    assert (failure.code, failure.detail) == ("unexpected-answer", "Content-Encoding: zstd")
    assert jobs.names() == []


def test_a_compressed_bomb_does_not_fill_the_disk(jobs: Jobs) -> None:
    bomb = gzip.compress(bytes(300 << 20), 9)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with RawOrigin(head + bomb) as port:
        assert jobs.start(f"http://127.0.0.1:{port}/a.txt").failed().code == "unexpected-answer"
    assert sum(path.stat().st_size for path in jobs.folder.rglob("*") if path.is_file()) < 64 << 20
