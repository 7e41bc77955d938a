"""Which downloads start, and when a failed one is tried again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idm_app import schedule
from idm_app.model import Download, Failure, Request
from idm_app.units import utc_now

NOW = utc_now()


def queued(download_id: int, position: int | None = None) -> Download:
    return Download(download_id, Request("http://x/"), NOW, position=position or download_id)


def failure(code: str) -> Failure:
    return Failure(code, "", "", True)


def test_they_start_in_order_and_only_as_many_as_there_are_slots() -> None:
    waiting = [queued(1), queued(2), queued(3)]
    assert [d.id for d in schedule.startable(waiting, 2, NOW)] == [1, 2]
    assert schedule.startable(waiting, 0, NOW) == []
    assert schedule.startable(waiting, -1, NOW) == []


def test_a_position_moves_one_to_the_front_and_the_older_wins_a_tie() -> None:
    queue, first, moved = schedule.Queue(), queued(1), queued(9, 1)
    for download in (moved, queued(2), first):
        queue.add(download)
    assert list(queue) == [1, 9, 2]
    queue.remove(first)
    assert list(queue) == [9, 2]


def test_one_that_waits_is_passed_over_until_its_time() -> None:
    waiting = replace(queued(1), not_before=NOW + timedelta(seconds=5))
    assert [d.id for d in schedule.startable([waiting, queued(2)], 2, NOW)] == [2]
    assert [d.id for d in schedule.startable([waiting], 2, NOW + timedelta(seconds=5))] == [1]
    assert schedule.next_instant([waiting, queued(2)]) == waiting.not_before


@pytest.mark.parametrize(
    ("code", "attempts", "delay"),
    [
        ("connection-refused", 3, 8),
        ("host-not-found", 7, 60),
        ("timed-out", schedule.MAX_ATTEMPTS_AWAY - 1, 60),
        ("timed-out", schedule.MAX_ATTEMPTS_AWAY, None),
        ("connection-lost", 1, None),
        ("server-error", 1, None),
        ("not-found", 1, None),
    ],
)
def test_one_that_has_bytes_waits_for_the_network(code: str, attempts: int, delay: float | None) -> None:
    seconds = schedule.retry_delay_seconds(
        failure(code), attempts, made_headway=False, retry_after_seconds=None, is_begun=True
    )
    assert seconds == delay


def test_one_that_was_never_reached_does_not() -> None:
    for code in ("connection-refused", "host-not-found"):
        assert schedule.retry_delay_seconds(failure(code), 1, made_headway=False, retry_after_seconds=None) is None


def test_a_server_that_says_when_to_come_back_is_asked_then() -> None:
    assert schedule.retry_delay_seconds(failure("server-busy"), 1, made_headway=False, retry_after_seconds=45) == 45
    assert schedule.retry_delay_seconds(failure("server-busy"), 5, made_headway=False, retry_after_seconds=45) is None


@pytest.mark.parametrize(
    ("code", "attempts", "headway", "retry_after", "delay"),
    [
        ("connection-lost", 1, True, None, 2),
        ("connection-lost", 4, True, None, 16),
        ("connection-lost", 5, True, None, None),
        ("connection-lost", 1, False, None, None),
        ("server-busy", 1, True, 30, 30),
        ("server-busy", 1, True, 10**9, 600),
        ("not-found", 1, True, None, None),
        ("disk-full", 1, True, None, None),
        ("worker-crashed", 1, False, None, 1),
        ("worker-crashed", 3, False, None, None),
    ],
)
def test_retry_delays(code: str, attempts: int, headway: bool, retry_after: float | None, delay: float | None) -> None:
    assert (
        schedule.retry_delay_seconds(failure(code), attempts, made_headway=headway, retry_after_seconds=retry_after)
        == delay
    )


def test_one_place_up_or_down_in_the_queue_is_a_swap_and_the_ends_are_ends() -> None:
    first, second, third = queued(1), queued(2, position=5), queued(3)
    assert schedule.moved([first, second, third], 2, -1) == {2: 3, 3: 5}
    assert schedule.moved([first, second, third], 3, -1) == {3: 1, 1: 3}
    assert schedule.moved([first, second, third], 1, -1) == schedule.moved([first, second, third], 2, +1) == {}
    assert schedule.moved([first], 99, +1) == {}


def test_a_clock_that_was_put_back_does_not_hold_another_attempt_up() -> None:
    busy = failure("server-busy")
    waiting = replace(queued(1), error=busy, not_before=NOW + timedelta(days=1))
    planned = replace(queued(2), not_before=NOW + timedelta(days=1))
    soon = replace(queued(3), error=busy, not_before=NOW + timedelta(minutes=9))
    assert schedule.startable([waiting, planned, soon], 9, NOW) == [waiting]
