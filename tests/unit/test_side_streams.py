"""Streams that come while the main one does."""

import threading
from typing import Any

import pytest

from idm_app.engine.messages import Progressed
from idm_app.engine.progress import Progress
from idm_app.engine.side_streams import SideStreams
from idm_app.engine.surroundings import Stopped, Surroundings
from idm_app.engine.throttle import TokenBucket
from idm_app.errors import DownloadError


@pytest.fixture
def around() -> Surroundings:
    return Surroundings(TokenBucket(None), Progress(lambda _: None), lambda: False)


def test_a_result_is_waited_for_and_its_connections_are_counted_until_then(around: Surroundings) -> None:
    told: list[Any] = []
    around.progress.send = told.append
    around.progress.is_begun = True
    may_end = threading.Event()

    def bring(beside: Surroundings) -> str:
        beside.progress.connections = 3
        may_end.wait()
        return "here"

    sides = SideStreams(around)
    sides.start("a", bring)
    around.progress.connections = 2
    while not told or told[-1].connections != 5:
        around.progress.tick(force=True)
    may_end.set()
    assert sides.result("a") == "here"
    around.progress.tick(force=True)
    assert isinstance(told[-1], Progressed)
    assert told[-1].connections == 2


def test_what_was_not_begun_has_no_result(around: Surroundings) -> None:
    assert SideStreams(around).result("a") is None


@pytest.mark.parametrize(("code", "is_raised"), [("server-busy", False), ("forbidden", True), ("disk-full", True)])
def test_a_failure_that_trying_again_may_mend_is_no_result(around: Surroundings, code: str, is_raised: bool) -> None:
    def bring(_: Surroundings) -> None:
        raise DownloadError(code)

    sides = SideStreams(around)
    sides.start("a", bring)
    if is_raised:
        with pytest.raises(DownloadError):
            sides.result("a")
    else:
        assert sides.result("a") is None


def test_abandoned_ones_are_told_to_stop_and_waited_for(around: Surroundings) -> None:
    ended = threading.Event()

    def bring(beside: Surroundings) -> None:
        while not beside.stopping():
            pass
        ended.set()
        raise Stopped

    sides = SideStreams(around)
    sides.start("a", bring)
    sides.abandon()
    assert ended.is_set()
    assert sides.result("a") is None


def test_together_they_have_no_more_connections_than_are_allowed(around: Surroundings) -> None:
    around.connections.most = 8
    sides = SideStreams(around)
    assert sides.main_connections() == 8
    may_end = threading.Event()
    sides.start("a", lambda _: may_end.wait())
    assert (sides.main_connections(), sides.connections()) == (6, 2)
    around.connections.most = 2
    assert (sides.main_connections(), sides.connections()) == (1, 1)
    may_end.set()
    sides.result("a")
    assert sides.main_connections() == 2
