"""No host gets more connections than are allowed there, whoever they belong to."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from idm_app.model import Download, Request
from idm_app.settings import Settings
from idm_app.shared_connections import REMEMBERED_SECONDS, SharedConnections
from idm_app.units import utc_now


def download(number: int, url: str = "http://a.example/", wanted: int | None = None, has: int = 0) -> Download:
    return replace(Download(number, Request(url, connections=wanted), created_at=utc_now()), connections=has)


class Shared:
    """What is divided among ``running``, and what they were told."""

    def __init__(self, *running: Download, **settings: int) -> None:
        self.running = list(running)
        self.now = 0.0
        self.told: list[tuple[int, int]] = []
        self.connections = SharedConnections(
            lambda: self.running,
            lambda *change: self.told.append(change),
            Settings(**{"connections": 16, "connections_per_host": 8, **settings}),
            lambda: self.now,
        )


def test_one_alone_has_what_it_wants_up_to_the_limit_of_its_host() -> None:
    assert Shared(download(1, wanted=3)).connections.share_out() == {1: 3}
    assert Shared(download(1)).connections.share_out() == {1: 8}


def test_a_host_is_shared_and_what_one_does_not_want_is_for_the_others() -> None:
    running = download(1, "http://user@A.example:81/x"), download(2, "http://a.example:81/y"), download(3)
    assert Shared(*running).connections.share_out() == {1: 4, 2: 4, 3: 8}
    modest = download(1, wanted=2), download(2)
    assert Shared(*modest).connections.share_out() == {1: 2, 2: 6}


def test_each_keeps_one() -> None:
    running = [download(number) for number in range(5)]
    assert Shared(*running, connections_per_host=2).connections.share_out() == dict.fromkeys(range(5), 1)


def test_those_that_run_are_told_what_changes_and_a_new_one_has_it_in_its_job() -> None:
    shared = Shared(download(1))
    shared.connections.share_out()
    shared.running.append(download(2))
    assert shared.connections.share_out() == {1: 4, 2: 4}
    assert shared.told == [(1, 4)]
    del shared.running[0]
    shared.connections.share_out()
    assert shared.told == [(1, 4), (2, 8)]
    shared.connections.apply(Settings(connections=16, connections_per_host=3))
    shared.connections.share_out()
    assert shared.told[-1] == (2, 3)


def test_where_a_redirect_has_led_counts() -> None:
    shared = Shared(download(1), download(2, "http://mirror.example/"))
    assert shared.connections.share_out() == {1: 8, 2: 8}
    shared.connections.reached(2, "a.example")
    assert shared.told == [(1, 4), (2, 4)]
    shared.connections.forget(2)
    shared.running[1] = download(2, "http://mirror.example/")
    assert shared.connections.share_out() == {1: 8, 2: 8}


def test_what_a_host_refused_is_known_to_the_next() -> None:
    shared = Shared(download(1, has=4))
    shared.connections.share_out()
    shared.connections.learn(1, "a.example", 4)
    assert shared.told == [(1, 4)]
    shared.running = [download(2)]
    assert shared.connections.share_out() == {2: 4}


def test_what_others_had_open_when_it_refused_counts() -> None:
    shared = Shared(download(1, has=1), download(2, has=3))
    shared.connections.learn(1, "a.example", 1)
    assert shared.connections.share_out() == {1: 2, 2: 2}


def test_a_refusal_is_forgotten_in_the_end() -> None:
    shared = Shared(download(1))
    shared.connections.learn(1, "a.example", 1)
    assert shared.connections.share_out() == {1: 1}
    shared.now = REMEMBERED_SECONDS
    assert shared.connections.share_out() == {1: 8}


def test_who_shares_a_host() -> None:
    shared = Shared(download(1), download(2), download(3, "http://b.example/"))
    assert shared.connections.shares_host(shared.running[0])
    assert not shared.connections.shares_host(shared.running[2])


@given(
    most=st.integers(1, 256),
    wanted=st.dictionaries(st.integers(1, 40), st.tuples(st.sampled_from("ab"), st.integers(1, 32)), min_size=1),
)
def test_never_more_than_the_limit_but_for_the_one_that_each_keeps(
    most: int, wanted: dict[int, tuple[str, int]]
) -> None:
    running = [download(number, f"http://{host}/", wanted=count) for number, (host, count) in wanted.items()]
    shares = Shared(*running, connections_per_host=most).connections.share_out()
    for host in "ab":
        there = {number: count for number, (its, count) in wanted.items() if its == host}
        assert all(1 <= shares[number] <= count for number, count in there.items())
        assert sum(shares[number] for number in there) <= max(most, len(there))
