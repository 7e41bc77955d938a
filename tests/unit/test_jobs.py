"""A download as a job, and a worker's reports as the download's new state."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from idm_app import jobs
from idm_app.engine.messages import Expanded, Finished, Noted, Probed, Processing, Progressed
from idm_app.model import Category, Cookie, Download, Kind, Request, Status
from idm_app.settings import Options, Settings
from idm_app.units import utc_now

NOW = utc_now()
OPTIONS = Options(data_dir=Path("/data"), download_dir=Path("/downloads"), port=8123, feed_port=8765)


def running(**changes: object) -> Download:
    return Download(7, Request("http://x/a.zip"), NOW, status=Status.PROBING, **changes)  # type: ignore[arg-type]


def progressed(received: int, total: int | None) -> Progressed:
    return Progressed(
        received, total, False, 10.0, 1.0, "file", 2, segments=((0, 5, 3),), streams=(("file", 3, 5, False),)
    )


def test_a_job_holds_all_that_a_worker_needs() -> None:
    request = Request("http://x/a", directory="sub", cookies=(Cookie("a", "b", "x"),), quality="720p")  # type: ignore[arg-type]
    job = jobs.job_for(Download(7, request, NOW, kind=Kind.MEDIA), "server", Settings(), OPTIONS, connections=3)
    assert (job.folder, job.job_folder) == (str(Path("/downloads/sub")), str(Path("/downloads/.idm/server/7")))
    assert (job.kind, job.connections, job.quality) == ("media", 3, "720p")
    assert job.cookies[0]["domain"] == "x"
    assert job.blocked_ports == (8123, 8765)
    assert job.allow_private_addresses


@pytest.mark.parametrize(
    ("others_can_reach_it", "is_set", "allowed"),
    [({}, False, True), ({"host": "0.0.0.0"}, False, False), ({"host": "0.0.0.0"}, True, True),
     ({"trusted_proxies": ("127.0.0.1",)}, False, False)],
)  # fmt: skip
def test_private_addresses_are_for_a_server_that_only_this_machine_reaches(
    others_can_reach_it: dict[str, Any], is_set: bool, allowed: bool
) -> None:
    options, settings = replace(OPTIONS, **others_can_reach_it), Settings(allow_private_addresses=is_set)
    assert jobs.job_for(running(), "server", settings, options).allow_private_addresses == allowed


def test_a_playlist_is_probed_anew() -> None:
    assert jobs.job_for(running(kind=Kind.PLAYLIST), "server", Settings(), OPTIONS).kind is None


def test_probed_names_and_sorts_it_and_keeps_a_title_that_was_given() -> None:
    probed = jobs.applied(running(), Probed("file", filename="a.zip", total_bytes=9), NOW)
    assert (probed.status, probed.kind, probed.title, probed.category) == ("downloading", "file", "a.zip", "compressed")
    assert jobs.applied(running(title="Mine"), Probed("media", title="Theirs"), NOW).title == "Mine"
    chosen = Download(1, Request("http://x/", category=Category.MUSIC), NOW, status=Status.PROBING)
    assert jobs.applied(chosen, Probed("file", filename="a.zip"), NOW).category == "music"


def test_progress_never_goes_back_and_is_100_only_when_finished() -> None:
    half = jobs.applied(running(), progressed(5, 10), NOW)
    assert half.progress == 50
    grown_estimate = jobs.applied(half, progressed(6, 100), NOW)
    assert grown_estimate.progress == 50
    assert jobs.applied(half, progressed(10, 10), NOW).progress == 99.9
    assert jobs.applied(running(), progressed(5, None), NOW).progress is None


def test_details_stay_when_a_report_leaves_them_out() -> None:
    first = jobs.applied(running(), progressed(5, 10), NOW)
    second = jobs.applied(first, Progressed(6, 10, False, None, None, "file", 1), NOW)
    assert second.segments == first.segments != ()
    assert second.streams == first.streams != ()


def test_a_restart_begins_the_bar_anew_and_is_told() -> None:
    half = jobs.applied(running(), progressed(5, 10), NOW)
    anew = jobs.applied(half, Noted("restarted.content-changed"), NOW)
    assert (anew.progress, anew.received_bytes) == (None, 0)
    assert anew.events[-1].code == "restarted.content-changed"


def test_only_the_newest_events_are_kept() -> None:
    download = running()
    for number in range(jobs.MAX_EVENTS + 5):
        download = jobs.applied(download, Noted("waiting.server-busy", (("seconds", str(number)),)), NOW)
    assert len(download.events) == jobs.MAX_EVENTS
    assert download.events[-1].message == f"The server is busy; again in {jobs.MAX_EVENTS + 4} s."


def test_processing_and_finished() -> None:
    secret = Download(1, Request("http://x/", headers=(("X-Key", "1"),), cookies=(Cookie("a", "b", "x"),)), NOW)
    assert jobs.applied(secret, Finished("/downloads/x", 1), NOW).request == Request("http://x/")
    merging = jobs.applied(jobs.applied(running(), progressed(5, 10), NOW), Processing("merging"), NOW)
    assert (merging.status, merging.phase, merging.bytes_per_second) == ("processing", "merging", None)
    done = jobs.applied(merging, Finished("/downloads/film.mkv", 12), NOW)
    assert (done.status, done.progress, done.received_bytes, done.total_bytes) == ("completed", 100, 12, 12)
    assert (done.filename, done.category, done.finished_at, done.phase) == ("film.mkv", "video", NOW, None)


def test_an_expanded_address_is_a_playlist() -> None:
    playlist = jobs.applied(running(), Expanded("Mix", ({"url": "http://x/1"},)), NOW)
    assert (playlist.kind, playlist.title, playlist.status) == ("playlist", "Mix", "downloading")


def test_what_has_ended_says_of_each_stream_that_all_of_it_came() -> None:
    streams = (("video", 3, 5, False), ("audio", 4, 9, True), ("file", 2, None, False))
    almost = jobs.applied(running(), replace(progressed(9, 12), streams=streams), NOW)
    done = jobs.applied(almost, Finished("/downloads/film.mkv", 12), NOW)
    assert [(s.received_bytes, s.total_bytes) for s in done.streams] == [(5, 5), (4, 4), (2, 2)]
