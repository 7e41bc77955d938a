"""After a full disk: who goes on, and when."""

import asyncio
from dataclasses import replace

import pytest

from idm_app import room
from idm_app.model import Download, Failure, Request, Status, Stream
from idm_app.units import utc_now

FULL = Failure("disk-full", "full", "", True)
WAITING = Download(
    1,
    Request("http://x/"),
    utc_now(),
    status=Status.PAUSED,
    error=FULL,
    total_bytes=10_000_000,
    received_bytes=4_000_000,
)


def test_only_what_a_full_disk_has_paused_waits_for_room() -> None:
    assert room.waits_for_room(WAITING)
    assert not room.waits_for_room(replace(WAITING, error=None))
    assert not room.waits_for_room(replace(WAITING, status=Status.FAILED))
    assert not room.waits_for_room(replace(WAITING, error=replace(FULL, code="server-busy")))


def test_room_is_needed_for_what_is_still_to_come() -> None:
    assert 6_000_000 < room.needed_bytes(WAITING) < 7_000_000
    assert room.needed_bytes(replace(WAITING, total_bytes=None)) > 10_000_000


def test_streams_that_will_be_joined_need_room_for_the_whole_too() -> None:
    streams = (Stream("video", 4_000_000, 9_000_000), Stream("audio", 0, 1_000_000))
    assert 16_000_000 < room.needed_bytes(replace(WAITING, streams=streams)) < 17_000_000


async def test_one_at_a_time_the_first_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LOOK_SECONDS", 0.01)
    waiting = {1: WAITING, 2: replace(WAITING, id=2, received_bytes=9_000_000), 3: replace(WAITING, id=3, error=None)}
    went_on: list[int] = []

    def go_on(download: Download) -> None:
        went_on.append(download.id)
        waiting[download.id] = replace(download, status=Status.QUEUED, error=None)

    free = 0
    watch = room.RoomWatch(waiting.values, lambda: free, go_on)
    watch.begin()
    await asyncio.sleep(0.05)
    assert went_on == []
    free = 2_000_000
    await asyncio.sleep(0.2)
    assert went_on == [2]
    free = 20_000_000
    await asyncio.sleep(0.2)
    assert went_on == [2, 1]
    watch.stop()
