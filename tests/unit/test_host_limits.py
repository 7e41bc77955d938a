"""What one download has learned of a host is for the next."""

from dataclasses import replace

from idm_app.host_limits import REMEMBERED_SECONDS, HostLimits, shares_host
from idm_app.model import Download, Request
from idm_app.units import utc_now


def download(number: int, url: str, connections: int = 0) -> Download:
    return replace(Download(number, Request(url), created_at=utc_now()), connections=connections)


def test_nothing_is_limited_that_has_not_refused() -> None:
    assert HostLimits().left([]) == {}


def test_the_next_download_uses_what_the_others_leave() -> None:
    limits = HostLimits()
    limits.learn("a.example:81", 4, [])
    running = [
        download(1, "http://user@A.example:81/x", connections=3),
        download(2, "http://b.example/", connections=9),
    ]
    assert limits.left([]) == {"a.example:81": 4}
    assert limits.left(running) == {"a.example:81": 1}


def test_one_connection_is_always_left() -> None:
    limits = HostLimits()
    limits.learn("a.example", 2, [])
    assert limits.left([download(1, "http://a.example/", connections=8)]) == {"a.example": 1}


def test_what_others_had_open_when_it_refused_counts() -> None:
    limits = HostLimits()
    limits.learn("a.example", 1, [download(1, "http://a.example/", connections=3)])
    assert limits.left([]) == {"a.example": 4}


def test_a_limit_is_forgotten_in_the_end() -> None:
    now = 0.0
    limits = HostLimits(lambda: now)
    limits.learn("a.example", 1, [])
    now = REMEMBERED_SECONDS
    assert limits.left([]) == {}


def test_who_shares_a_host() -> None:
    one, same, other = (download(n, url) for n, url in enumerate(("http://a/1", "http://a/2", "http://b/1")))
    assert shares_host(one, [one, same])
    assert not shares_host(one, [one, other])
