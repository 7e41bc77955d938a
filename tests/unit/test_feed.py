"""The feed: one beat, the newest value wins, no status is lost, snapshot plus updates is what ``GET`` says."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idm_app.feed import FRAMES_PER_SECOND, MAX_PENDING_UPDATES, Feed, Frame, Subscription, resource, snapshot
from idm_app.model import Download, Request, Status
from idm_app.units import utc_now


def download(download_id: int = 1, revision: int = 1, **changes: Any) -> Download:
    return Download(download_id, Request(f"http://x/{download_id}"), utc_now(), revision=revision, **changes)


def applied(client: dict[int, dict[str, Any]], frame: Frame) -> None:
    message = json.loads(frame.text)
    for update in message["downloads"]:
        client.setdefault(update["id"], {}).update(update)
    for download_id in message["removed"]:
        client.pop(download_id, None)


async def all_of(subscription: Subscription, seconds: float = 0.3) -> list[Frame]:
    frames = []
    while True:
        try:
            async with asyncio.timeout(seconds):
                frame = await subscription.next()
        except TimeoutError:
            return frames
        assert frame is not None
        frames.append(frame)


async def test_a_change_holds_only_what_changed_and_what_every_change_has() -> None:
    feed, before = Feed(), download()
    subscription = feed.subscribe(1)
    feed.publish(before, replace(before, progress=5.0, revision=2))
    (frame,) = await all_of(subscription)
    assert json.loads(frame.text)["downloads"] == [
        {"id": 1, "status": "queued", "done": False, "progress": 5.0, "revision": 2}
    ]


async def test_a_new_download_comes_whole() -> None:
    feed = Feed()
    subscription = feed.subscribe(0)
    new = download()
    feed.publish(None, new)
    (frame,) = await all_of(subscription)
    assert json.loads(frame.text)["downloads"] == [json.loads(json.dumps(resource(new)))]


async def test_a_finished_download_that_changes_comes_whole_as_a_snapshot_may_not_have_held_it() -> None:
    feed, before = Feed(), download(status=Status.FAILED)
    subscription = feed.subscribe(1)
    again = replace(before, status=Status.QUEUED, revision=2)
    feed.publish(before, again)
    feed.publish(again, replace(again, position=7, revision=3))
    (frame,) = await all_of(subscription)
    assert json.loads(frame.text)["downloads"] == [
        json.loads(json.dumps(resource(again))) | {"position": 7, "revision": 3}
    ]


async def test_fast_changes_are_folded_and_the_newest_wins() -> None:
    feed, now = Feed(), download()
    subscription = feed.subscribe(1)
    started = asyncio.get_running_loop().time()
    for number in range(100):
        after = replace(now, received_bytes=number + 1, revision=number + 2)
        feed.publish(now, after)
        now = after
        await asyncio.sleep(0.005)
    lasted = asyncio.get_running_loop().time() - started
    frames = await all_of(subscription)
    assert len(frames) <= lasted * FRAMES_PER_SECOND + 2
    assert frames[-1].updates[-1]["received_bytes"] == 100


async def test_every_status_is_sent_in_order_even_within_one_beat() -> None:
    feed, now = Feed(), download()
    subscription = feed.subscribe(1)
    passed = [Status.PROBING, Status.DOWNLOADING, Status.PROCESSING, Status.COMPLETED]
    for number, status in enumerate(passed):
        after = replace(now, status=status, revision=number + 2)
        feed.publish(now, after)
        now = after
    frames = await all_of(subscription)
    assert [update["status"] for frame in frames for update in frame.updates] == passed


async def test_a_reader_never_sees_what_its_snapshot_already_had() -> None:
    feed, now = Feed(), download()
    early = feed.subscribe(1)
    after = replace(now, status=Status.PROBING, revision=2)
    feed.publish(now, after)
    late = feed.subscribe(2)
    feed.publish(after, replace(after, status=Status.DOWNLOADING, revision=3))
    seen = [[u["status"] for frame in await all_of(reader) for u in frame.updates] for reader in (early, late)]
    assert seen == [["probing", "downloading"], ["downloading"]]


async def test_readers_that_are_equally_far_share_one_encoding() -> None:
    feed, now = Feed(), download()
    readers = [feed.subscribe(1) for _ in range(5)]
    await asyncio.gather(*(asyncio.wait_for(_first_beat(feed, now, r, n), 2) for n, r in enumerate(readers)))
    feed.publish(now, replace(now, received_bytes=9, revision=9))
    frames = [await reader.next() for reader in readers]
    assert len({id(frame) for frame in frames}) == 1


async def _first_beat(feed: Feed, now: Download, reader: Subscription, number: int) -> None:
    if number == 0:
        feed.publish(now, replace(now, received_bytes=1, revision=2))
    await reader.next()


async def test_a_reader_that_falls_behind_holds_a_bounded_amount_and_is_told_to_start_anew() -> None:
    feed = Feed()
    slow = feed.subscribe(0)
    for number in range(MAX_PENDING_UPDATES + 10):
        feed.publish(None, download(number + 1, number + 1))
    await asyncio.sleep(0.1)
    assert await slow.next() is None
    assert feed.subscribers == 0


async def test_removed_downloads_are_told_and_their_updates_dropped() -> None:
    feed = Feed()
    subscription = feed.subscribe(0)
    feed.publish(None, download(1, 1))
    feed.publish(None, download(2, 2))
    feed.remove(1, 3)
    (frame,) = await all_of(subscription)
    assert [update["id"] for update in frame.updates] == [2]
    assert frame.removed == [1]


def test_a_snapshot_holds_all_unfinished_and_the_newest_100_finished() -> None:
    downloads = [download(n, n, status=Status.COMPLETED if n % 2 else Status.QUEUED) for n in range(400, 0, -1)]
    message = snapshot(downloads, 400, {})
    statuses = [d["status"] for d in message["downloads"]]
    assert statuses.count("queued") == 200
    assert statuses.count("completed") == 100
    assert message["downloads"][0]["id"] == 400
    assert [d["id"] for d in message["downloads"]] == sorted((d["id"] for d in message["downloads"]), reverse=True)


steps = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from([*Status, "gone"]),
        st.integers(0, 1000),
        st.sampled_from(["", "beat", "join", "beat join", "join beat"]),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=100)
@given(steps)
def test_snapshot_plus_updates_is_the_truth_for_quick_slow_and_late_readers(
    plan: list[tuple[int, Any, int, str]],
) -> None:
    asyncio.run(_follow(plan))


async def _follow(plan: list[tuple[int, Any, int, str]]) -> None:
    feed, truth, revision, taken = Feed(), {}, 0, []
    clients: list[tuple[Subscription, dict[int, dict[str, Any]]]] = [(feed.subscribe(0), {}) for _ in range(2)]
    gone: set[int] = set()

    def take() -> dict[str, Any]:
        taken.append(revision)
        return snapshot(sorted(truth.values(), key=lambda d: -d.id), revision, {})

    for download_id, status, received, events in plan:
        revision += 1
        before = truth.get(download_id)
        if status == "gone":
            if truth.pop(download_id, None):
                feed.remove(download_id, revision)
                gone.add(download_id)
        elif download_id not in gone:  # ids are never used again
            now = replace(before or download(download_id), status=status, received_bytes=received, revision=revision)
            truth[download_id] = now
            feed.publish(before, now)
        for event in events.split():
            if event == "join":
                text, late = feed.follow(take)
                clients.append((late, {d["id"]: d for d in json.loads(text)["downloads"]}))
            else:
                feed._flush()
                await _read_all(*clients[0])
    feed._flush()
    assert len(taken) <= 1, "those who come at about the same time share a snapshot"
    for reader, client in clients:
        await _read_all(reader, client)
        assert client == {i: json.loads(json.dumps(resource(d))) for i, d in truth.items()}


async def _read_all(reader: Subscription, client: dict[int, dict[str, Any]]) -> None:
    for frame in await all_of(reader, 0.0):
        applied(client, frame)


async def test_a_snapshot_is_not_shared_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idm_app.feed.SNAPSHOT_SECONDS", 0.0)
    feed, taken = Feed(), []

    def take() -> dict[str, Any]:
        taken.append(1)
        return snapshot((), 0, {})

    for _ in range(3):
        feed.follow(take)
        await asyncio.sleep(0.001)
    assert len(taken) == 3


def test_only_a_download_that_has_a_file_says_where_it_is() -> None:
    finished = download(7, status=Status.COMPLETED)
    assert resource(finished)["file_url"] is None
    assert resource(replace(finished, path="/x"))["file_url"] == "/api/downloads/7/file"
