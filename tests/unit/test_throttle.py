"""The rate limit, on a clock of its own."""

import pytest

from idm_app.engine.throttle import TokenBucket


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def taken_in(bucket: TokenBucket, clock: Clock, seconds: float, size: int) -> int:
    """How much comes through in ``seconds`` by reads of ``size``."""
    end, taken = clock.now + seconds, 0
    while clock.now < end:
        wait = bucket.wait_seconds()
        if wait:
            clock.now += max(wait, 1e-6)
        else:
            bucket.take(size)
            taken += size
    return taken


@pytest.mark.parametrize(("limit", "size"), [(10_000, 1), (10_000, 16_384), (1_000_000, 1000), (50_000_000, 16_384)])
def test_the_limit_is_kept_whatever_the_reads(limit: int, size: int) -> None:
    clock = Clock()
    seconds = max(5.0, 40 * size / limit)
    assert taken_in(TokenBucket(limit, clock), clock, seconds, size) == pytest.approx(limit * seconds, rel=0.05)


def test_without_a_limit_nobody_waits() -> None:
    bucket = TokenBucket(None, Clock())
    bucket.take(1 << 40)
    assert bucket.wait_seconds() == 0


def test_an_idle_time_is_not_saved_up() -> None:
    clock = Clock()
    bucket = TokenBucket(1000, clock)
    clock.now += 3600
    assert taken_in(bucket, clock, 1.0, 10) <= 1000 + 100 + 10


def test_a_new_limit_holds_at_once_and_debts_are_forgiven() -> None:
    clock = Clock()
    bucket = TokenBucket(10, clock)
    bucket.take(1_000_000)
    assert bucket.wait_seconds() > 3600
    bucket.set_limit(1_000_000)
    assert bucket.wait_seconds() == 0
    assert taken_in(bucket, clock, 5.0, 1000) == pytest.approx(5_000_000, rel=0.05)
    bucket.set_limit(None)
    bucket.take(1 << 40)
    assert bucket.wait_seconds() == 0
