"""Rate and time left, on a clock of its own."""

import pytest

from idm_app.engine.meter import Meter


def fed(meter: Meter, rate: float, seconds: float, now: float = 0.0, received: float = 0.0) -> tuple[float, float]:
    """Feed ``meter`` 40 times a second; returns the new time and byte count."""
    for _ in range(round(seconds * 40)):
        now += 0.025
        received += rate / 40
        meter.update(int(received), now)
    return now, received


def test_a_steady_rate_is_told_as_it_is() -> None:
    meter = Meter()
    fed(meter, 1_000_000, 5)
    assert meter.bytes_per_second == pytest.approx(1_000_000, rel=0.02)


def test_nothing_is_told_before_there_is_something_to_measure() -> None:
    meter = Meter()
    assert meter.bytes_per_second is None
    meter.update(500, 1.0)
    meter.update(900, 1.05)
    assert meter.bytes_per_second is None
    assert meter.eta_seconds(10_000) is None


def test_bytes_of_an_earlier_run_are_no_rate() -> None:
    meter = Meter()
    fed(meter, 1000, 4, received=1 << 40)
    assert meter.bytes_per_second == pytest.approx(1000, rel=0.05)


def test_a_change_is_seen_within_the_window() -> None:
    meter = Meter(window_seconds=3)
    now, received = fed(meter, 1_000_000, 5)
    now, received = fed(meter, 4_000_000, 3.2, now, received)
    assert meter.bytes_per_second == pytest.approx(4_000_000, rel=0.05)


def test_a_stall_brings_the_rate_down_to_nothing() -> None:
    meter = Meter(window_seconds=3)
    now, received = fed(meter, 1_000_000, 5)
    fed(meter, 0, 4, now, received)
    assert meter.bytes_per_second == 0
    assert meter.eta_seconds(10_000_000) is None


def test_time_left() -> None:
    meter = Meter()
    _, received = fed(meter, 1_000_000, 5)
    assert meter.eta_seconds(int(received) + 2_000_000) == pytest.approx(2, rel=0.05)
    assert meter.eta_seconds(1) == 0
    assert meter.eta_seconds(None) is None


def test_a_restart_is_not_a_negative_rate() -> None:
    meter = Meter()
    now, _ = fed(meter, 1_000_000, 5)
    meter.update(0, now + 0.025)
    assert meter.bytes_per_second is None
    fed(meter, 2_000_000, 5, now + 0.025)
    assert meter.bytes_per_second == pytest.approx(2_000_000, rel=0.05)
