"""Sponsor marks: a real worker, a stand-in for SponsorBlock's service, and the chapters that ffprobe finds."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from engine_jobs import Jobs, Noted, Run
from media_files import SECONDS
from media_site import MediaSite
from sponsor_service import SponsorService, prefix_of
from test_engine_media import probed, streams_of

VIDEO_ID = "dQw4w9WgXcQ"


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    running = Jobs(tmp_path)
    yield running
    running.close()


@pytest.fixture
def service() -> Iterator[SponsorService]:
    with SponsorService() as running:
        yield running


@pytest.fixture(scope="module")
def video(media_site: MediaSite, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a probe of a page hands on, as if it had been a video of YouTube: of six seconds, with two chapters."""
    probes = Jobs(tmp_path_factory.mktemp("probe"))
    found: dict[str, Any] = json.loads(probes.start(media_site.talk_page(), only_probe=True).end().extraction)
    return found | {"extractor_key": "Youtube", "extractor": "youtube", "id": VIDEO_ID}


def start(jobs: Jobs, service: SponsorService, video: dict[str, Any], **fields: Any) -> Run:
    fields = {"embed": ("sponsors",), "extraction": json.dumps(video)} | fields
    return jobs.start(video["webpage_url"], kind="media", sponsors_service=service.url, **fields)


def chapters(path: Path) -> list[tuple[str, float, float]]:
    found = probed(path, "-show_chapters")["chapters"]
    return [(c["tags"]["title"], float(c["start_time"]), float(c["end_time"])) for c in found]


def assert_whole(path: Path) -> None:
    streams = streams_of(path)
    assert [float(streams[kind]["duration"]) for kind in ("video", "audio")] == pytest.approx([SECONDS] * 2, abs=0.3)


def test_sponsors_are_chapters_between_those_of_the_video(
    jobs: Jobs, video: dict[str, Any], service: SponsorService
) -> None:
    service.knows(VIDEO_ID, ("sponsor", 1.5, 3), ("selfpromo", 5, 6))
    run = start(jobs, service, video)
    path = run.finished()
    assert chapters(path) == [
        ("Opening", 0, 1.5),
        ("Sponsor", 1.5, 3),
        ("The end", 3, 5),
        ("Unpaid/Self Promotion", 5, 6),
    ]
    assert_whole(path)  # nothing is cut
    assert run.of(Noted) == []
    assert jobs.names() == ["A Talk.mp4"]


def test_the_service_hears_four_digits_and_nothing_of_who_asks(
    jobs: Jobs, video: dict[str, Any], service: SponsorService
) -> None:
    cookie = {"name": "pass", "value": "7", "domain": "127.0.0.1"}
    headers = (("User-Agent", "A browser"), ("Accept-Language", "ar"))
    run = start(jobs, service, video, cookies=(cookie,), headers=headers, referrer="http://from.example/")
    run.finished()
    [(target, heard)] = service.asked
    assert urlsplit(target).path == f"/api/skipSegments/{prefix_of(VIDEO_ID)}"
    assert set(parse_qs(urlsplit(target).query)) == {"service", "categories", "actionTypes"}
    assert VIDEO_ID not in target
    assert {name.lower() for name in heard} == {"host", "user-agent", "accept", "accept-encoding"}
    assert "browser" not in heard["User-Agent"]


@pytest.mark.parametrize("audio_format", ["mp3", "m4a", "opus"])
def test_they_are_in_sound_alone_too(
    jobs: Jobs, video: dict[str, Any], service: SponsorService, audio_format: str
) -> None:
    service.knows(VIDEO_ID, ("sponsor", 2, 4))
    path = start(jobs, service, video, audio_format=audio_format).finished()
    assert [(title, round(begin), round(end)) for title, begin, end in chapters(path)] == [
        ("Opening", 0, 2),
        ("Sponsor", 2, 4),
        ("The end", 4, 6),
    ]


def test_nobody_is_asked_unless_it_was_chosen(jobs: Jobs, video: dict[str, Any], service: SponsorService) -> None:
    run = start(jobs, service, video, embed=("thumbnail", "metadata", "chapters"))
    assert len(chapters(run.finished())) == 2
    assert service.asked == []


def test_nobody_is_asked_about_the_videos_of_other_sites(
    jobs: Jobs, media_site: MediaSite, service: SponsorService
) -> None:
    run = jobs.start(media_site.talk_page(), embed=("sponsors",), sponsors_service=service.url)
    assert len(chapters(run.finished())) == 2
    assert [note.code for note in run.of(Noted)] == ["no-sponsors.other-site"]
    assert service.asked == []


@pytest.mark.parametrize(("status", "body"), [(404, b"Not Found"), (200, b"[]"), (200, b"null")])
def test_a_video_that_the_service_does_not_know(
    jobs: Jobs, video: dict[str, Any], service: SponsorService, status: int, body: bytes
) -> None:
    service.status, service.body = status, body
    run = start(jobs, service, video)
    assert len(chapters(run.finished())) == 2
    assert [note.code for note in run.of(Noted)] == ["no-sponsors.none-known"]


def _of_the_video(segments: Any) -> bytes:
    return json.dumps([{"videoID": VIDEO_ID, "segments": segments}]).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Bad gateway</html>",
        b"\xff\xfe",
        b'{"videoID": 1}',
        b"[1, 2]",
        _of_the_video(None),
        _of_the_video([{}]),
        _of_the_video([{"segment": ["a", None], "category": "sponsor", "actionType": "skip", "videoDuration": 0}]),
        _of_the_video([{"segment": [1, 2], "category": "no-such", "actionType": "skip", "videoDuration": 0}]),
        b"[" * 100_000,
        b" " * (5 << 20) + b"[]",
    ],
    ids=range(10),
)
def test_an_answer_without_sense_costs_no_video(
    jobs: Jobs, video: dict[str, Any], service: SponsorService, body: bytes
) -> None:
    service.body = body
    run = start(jobs, service, video)
    path = run.finished()
    assert_whole(path)
    assert len(chapters(path)) == 2
    assert [note.code for note in run.of(Noted)] == ["no-sponsors"]


def test_marks_that_cannot_be_are_left_out(jobs: Jobs, video: dict[str, Any], service: SponsorService) -> None:
    nowhere = float("nan")
    service.knows(
        VIDEO_ID,
        ("sponsor", 2, 4),
        ("outro", 5, 3),
        ("hook", nowhere, nowhere),
        ("preview", 100, 200),
    )
    path = start(jobs, service, video).finished()
    assert [title for title, *_ in chapters(path)] == ["Opening", "Sponsor", "The end"]


def test_a_video_without_chapters_gets_some(jobs: Jobs, video: dict[str, Any], service: SponsorService) -> None:
    service.knows(VIDEO_ID, ("sponsor", 2, 4))
    run = start(jobs, service, {key: value for key, value in video.items() if key not in ("chapters", "duration")})
    assert [title for title, *_ in chapters(run.finished())] == ["A Talk", "Sponsor", "A Talk"]


def test_marks_of_a_longer_version_of_the_video_are_left_out(
    jobs: Jobs, video: dict[str, Any], service: SponsorService
) -> None:
    service.knows(VIDEO_ID, ("sponsor", 2, 4), seconds=60)
    run = start(jobs, service, video)
    assert len(chapters(run.finished())) == 2
    assert [note.code for note in run.of(Noted)] == ["no-sponsors.none-known"]


def test_chapters_that_overlap_cost_no_video(jobs: Jobs, video: dict[str, Any], service: SponsorService) -> None:
    service.knows(VIDEO_ID, ("sponsor", 2, 4))
    overlapping = [{"title": "One", "start_time": 0, "end_time": 5}, {"title": "Two", "start_time": 1, "end_time": 6}]
    run = start(jobs, service, video | {"chapters": overlapping})
    assert_whole(run.finished())
    assert [note.code for note in run.of(Noted)] == ["no-sponsors"]


def test_a_service_that_is_down_is_not_waited_for_long(
    jobs: Jobs, video: dict[str, Any], service: SponsorService
) -> None:
    service.status, service.retry_after = 503, "3600"
    run = start(jobs, service, video)
    began = time.monotonic()
    run.finished()
    assert time.monotonic() - began < 25
    assert run.of(Noted) == [Noted("no-sponsors", (("error", "HTTP 503"),))]


def test_a_service_that_is_out_of_reach_is_not_asked(
    jobs: Jobs, video: dict[str, Any], service: SponsorService
) -> None:
    port = urlsplit(service.url).port
    run = start(jobs, service, video, blocked_ports=(port,))
    assert_whole(run.finished())
    assert [note.code for note in run.of(Noted)] == ["no-sponsors"]
    assert service.asked == []


def test_a_stop_while_the_service_thinks_it_over(jobs: Jobs, video: dict[str, Any], service: SponsorService) -> None:
    service.wait.clear()
    service.knows(VIDEO_ID, ("sponsor", 2, 4))
    first = start(jobs, service, video)
    first.until(lambda _: service.asked)
    assert first.stop() < 2
    assert jobs.names() == []
    service.wait.set()
    second = start(jobs, service, video, extraction=None)  # from what was saved
    assert [title for title, *_ in chapters(second.finished())] == ["Opening", "Sponsor", "The end"]


def test_a_service_that_never_answers_costs_no_video(
    jobs: Jobs, video: dict[str, Any], service: SponsorService
) -> None:
    service.wait.clear()
    run = start(jobs, service, video)
    assert_whole(run.finished())
    assert run.of(Noted) == [Noted("no-sponsors", (("error", "no answer in 10 s"),))]
