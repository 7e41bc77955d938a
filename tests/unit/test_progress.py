"""Byte counts become at most 40 honest reports a second."""

import pytest

from idm_app.engine.messages import Finished, Probed, Progressed, Ready, Report
from idm_app.engine.progress import ANNOUNCE_SECONDS, REPORT_SECONDS, Progress, StreamCount


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Told:
    """A progress on a clock of its own, and what it has told."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.reports: list[Progressed] = []
        self.progress = Progress(self._take, self.clock)
        self.progress.is_begun = True
        self.clock.now += REPORT_SECONDS

    def _take(self, report: Report) -> None:
        assert isinstance(report, Progressed)
        self.reports.append(report)


@pytest.fixture
def told() -> Told:
    return Told()


def test_the_first_bytes_are_told_at_once(told: Told) -> None:
    count = told.progress.add(StreamCount("file", total_bytes=10))
    told.progress.tick()
    assert told.reports == []
    count.received_bytes = 1
    told.progress.tick()
    assert (told.reports[0].received_bytes, told.reports[0].total_bytes) == (1, 10)


def test_what_is_over_at_once_is_not_told(told: Told) -> None:
    told.clock.now -= REPORT_SECONDS / 2
    told.progress.add(StreamCount("file", 10, 10))
    assert told.progress.tick() == pytest.approx(REPORT_SECONDS / 2)
    assert told.reports == []


def test_nothing_is_told_before_it_has_begun(told: Told) -> None:
    told.progress.is_begun = False
    told.progress.add(StreamCount("file", 5, 10))
    told.progress.tick(force=True)
    assert told.reports == []


def test_at_most_forty_a_second_and_the_last_is_never_lost(told: Told) -> None:
    count = told.progress.add(StreamCount("file", 1, 1_000_000))
    for _ in range(1000):
        count.received_bytes += 100
        told.progress.tick()
        told.clock.now += 0.001
    assert 38 <= len(told.reports) <= 41
    told.clock.now += told.progress.tick()
    told.progress.tick()
    assert told.reports[-1].received_bytes == count.received_bytes


def test_what_does_not_change_is_told_once_a_second_only(told: Told) -> None:
    told.progress.add(StreamCount("file", 1, 10))
    for _ in range(200):
        told.progress.tick()
        told.clock.now += 0.025
    assert len(told.reports) == 5


def test_the_whole_is_the_sum_of_its_streams(told: Told) -> None:
    told.progress.add(StreamCount("video", 10, 100))
    told.progress.add(StreamCount("audio", 5, 20, total_is_estimate=True))
    told.progress.tick()
    report = told.reports[0]
    assert (report.received_bytes, report.total_bytes, report.total_is_estimate) == (15, 120, True)
    assert report.streams == (("video", 10, 100, False), ("audio", 5, 20, True))


def test_an_unknown_size_is_guessed_from_the_bit_rates(told: Told) -> None:
    told.progress.add(StreamCount("video", 10, 1000, weight=900))
    told.progress.add(StreamCount("audio", 0, None, weight=90))
    told.progress.tick()
    assert (told.reports[0].total_bytes, told.reports[0].total_is_estimate) == (1100, True)


def test_a_size_that_nothing_is_known_of_is_unknown(told: Told) -> None:
    told.progress.add(StreamCount("video", 10, 1000))
    told.progress.add(StreamCount("audio", 0, None))
    told.progress.tick()
    assert (told.reports[0].total_bytes, told.reports[0].total_is_estimate) == (None, False)


def test_details_go_out_a_few_times_a_second_only(told: Told) -> None:
    count = told.progress.add(StreamCount("file", 1, 1000))
    told.progress.segments = lambda: ((0, 1000, count.received_bytes),)
    for _ in range(40):
        count.received_bytes += 1
        told.progress.tick()
        told.clock.now += 0.025
    assert 3 <= sum(report.segments is not None for report in told.reports) <= 5
    assert told.reports[0].segments == ((0, 1000, 2),)


def test_what_is_announced_goes_out_in_one_write_with_what_comes_next() -> None:
    writes: list[tuple[Report | Ready, ...]] = []
    progress = Progress(lambda *reports: writes.append(reports), Clock())
    probed, finished = Probed("file", filename="a.bin", total_bytes=5), Finished("/a.bin", 5)
    progress.announce(probed)
    progress.tick()
    assert writes == []
    progress.send(finished, Ready())
    assert writes == [(probed, finished, Ready())]


def test_what_is_announced_does_not_wait_long() -> None:
    writes: list[tuple[Report | Ready, ...]] = []
    clock = Clock()
    progress = Progress(lambda *reports: writes.append(reports), clock)
    progress.announce(Probed("file"))
    clock.now += ANNOUNCE_SECONDS + 0.001
    progress.tick()
    progress.tick()
    assert writes == [(Probed("file"),)]
