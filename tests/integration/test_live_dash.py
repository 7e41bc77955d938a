"""Live DASH, recorded by a real worker: picture and sound apart, piece by piece."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import media_files
import pytest
from engine_jobs import Jobs, Noted, Probed, Progressed, Run, phases
from live_dash import FRAMES, PICTURE, SOUND, LiveDash
from media_site import MediaSite


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    running = Jobs(tmp_path)
    yield running
    running.close()


def streams_of(path: Path) -> dict[str, dict[str, Any]]:
    """What ffprobe finds, by kind; the packets are counted."""
    shown = "stream=codec_type,start_time,duration,nb_read_packets"
    command = [media_files.program("ffprobe"), "-v", "error", "-count_packets", "-show_entries", shown, "-of", "json"]
    found = json.loads(subprocess.run([*command, str(path)], check=True, capture_output=True).stdout)["streams"]
    return {stream["codec_type"]: stream for stream in found}


def assert_holds(path: Path, pieces: int, *, seconds: float | None = None) -> None:
    """Picture and sound of so many pieces are in it, each where it belongs."""
    streams = streams_of(path)
    assert set(streams) == {"video", "audio"}
    assert int(streams["video"]["nb_read_packets"]) == pieces * FRAMES
    for stream in streams.values():
        assert float(stream["start_time"]) == pytest.approx(0, abs=0.06)
        assert float(stream["duration"]) == pytest.approx(seconds or pieces, abs=0.1)


def written(run: Run, jobs: Jobs, stream: LiveDash, until: int) -> None:
    """Wait until picture and sound are written down up to this piece."""

    def ends() -> list[float]:
        sidecars = jobs.job_folder.glob("*.recording.json")
        return [(json.loads(path.read_text())["next"] / 1000) - stream.begun_at for path in sidecars]

    run.until(lambda _: sum(end > until - 0.5 for end in ends()) == 2)


@pytest.mark.parametrize("shape", ["timeline", "periods"])
def test_it_is_recorded_until_it_ends(jobs: Jobs, media_site: MediaSite, shape: str) -> None:
    stream = media_site.live_dash(shape)
    run = jobs.start(stream.url)
    written(run, jobs, stream, 30)
    stream.send(7)
    written(run, jobs, stream, 37)
    stream.end()
    path = run.finished()
    asked = stream.asked(PICTURE)
    assert asked == stream.asked(SOUND) == list(range(27, 37))  # not from the beginning of what is on offer
    assert_holds(path, 10)
    assert phases(run)[0] == "recording"
    assert run.of(Noted) == []


def test_pieces_that_only_the_clock_tells_are_waited_for_until_they_are_there(
    jobs: Jobs, media_site: MediaSite
) -> None:
    stream = media_site.live_dash("number")
    run = jobs.start(stream.url)
    run.until(lambda _: stream.asked(PICTURE) and stream.asked(SOUND))
    late = max(stream.asked(PICTURE) + stream.asked(SOUND)) + 5
    files = stream.lose(range(late, late + 2))
    run.until(lambda _: all(stream.requests(late, kind) > 1 for kind in (PICTURE, SOUND)))
    media_site.server.files |= files
    end = late + 30  # beyond what the clock tells by the time this is heard
    stream.end(end)
    path = run.finished()
    first = min(stream.asked(PICTURE))
    assert stream.asked(PICTURE) == stream.asked(SOUND) == list(range(first, end))
    assert_holds(path, end - first)
    assert run.of(Noted) == []


def test_a_piece_that_says_that_it_is_the_last_ends_it(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live_dash()
    run = jobs.start(stream.url)
    written(run, jobs, stream, 30)
    stream.send(are_last=True)
    assert_holds(run.finished(), 4)
    assert run.of(Noted) == []


@pytest.mark.parametrize("is_asked_for", [False, True])
def test_the_servers_clock_counts(jobs: Jobs, media_site: MediaSite, is_asked_for: bool) -> None:
    stream = media_site.live_dash("number")
    stream.put_clock_forward(3600, is_asked_for=is_asked_for)
    run = jobs.start(stream.url)
    run.until(lambda _: len(stream.asked(PICTURE)) > 3 and len(stream.asked(SOUND)) > 3)
    stream.end(max(stream.asked(PICTURE) + stream.asked(SOUND)) + 30)
    path = run.finished()
    assert stream.asked(PICTURE) == stream.asked(SOUND)
    assert_holds(path, len(stream.asked(PICTURE)))


def test_a_piece_that_never_comes_is_left_out_and_told(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live_dash()
    run = jobs.start(stream.url)
    written(run, jobs, stream, 30)
    stream.send(2, streams="")
    stream.send(2)
    written(run, jobs, stream, 34)
    stream.end()
    assert_holds(run.finished(), 5, seconds=7)
    assert run.of(Noted) == [Noted("gap", (("seconds", "2"),))]


def test_what_is_concluded_becomes_a_finished_file(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live_dash()
    run = jobs.start(stream.url)
    written(run, jobs, stream, 30)
    run.conclude()
    assert_holds(run.finished(), 3)
    assert run.of(Noted) == [Noted("concluded")]


def test_what_was_killed_goes_on_and_tells_what_is_missing(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live_dash()
    first = jobs.start(stream.url)
    written(first, jobs, stream, 30)
    first.kill()
    stream.send(LiveDash.WINDOW + 2)  # two of them are no longer on offer
    second = jobs.start(stream.url)
    written(second, jobs, stream, 32 + LiveDash.WINDOW)
    stream.end()
    assert_holds(second.finished(), 3 + LiveDash.WINDOW, seconds=5 + LiveDash.WINDOW)
    assert second.of(Noted) == [Noted("gap", (("seconds", "2"),))]
    assert second.of(Probed)[0].title == first.of(Probed)[0].title


def test_what_is_stopped_goes_on_without_a_gap(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live_dash(rate=60_000)
    first = jobs.start(stream.url)
    written(first, jobs, stream, 29)
    assert first.stop() < 2
    assert first.of(Noted) == []
    second = jobs.start(stream.url)
    written(second, jobs, stream, 30)
    stream.end()
    assert_holds(second.finished(), 3)
    assert second.of(Noted) == []


def test_one_whose_stream_is_gone_after_a_restart_is_kept(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live_dash()
    first = jobs.start(stream.url)
    written(first, jobs, stream, 30)
    first.kill()
    stream.vanish()
    path = jobs.job_folder / "info.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"at": 0}))  # too long ago to be used
    second = jobs.start(stream.url, kind="media")
    assert_holds(second.finished(), 3)
    assert [note.code for note in second.of(Noted)] == ["stream-lost"]


def test_sound_that_is_cut_elsewhere_stays_with_its_picture(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live_dash(sound_later_seconds=0.4)
    run = jobs.start(stream.url)
    written(run, jobs, stream, 30)
    stream.end()
    streams = streams_of(run.finished())
    starts = {kind: float(stream["start_time"]) for kind, stream in streams.items()}
    assert starts["audio"] - starts["video"] == pytest.approx(0.4, abs=0.06)


def test_sound_only(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live_dash()
    run = jobs.start(stream.url, quality="audio")
    run.until(lambda _: 29 in stream.asked(SOUND))
    stream.end()
    path = run.finished()
    assert path.suffix == ".m4a"
    assert float(streams_of(path)["audio"]["duration"]) == pytest.approx(3, abs=0.1)
    assert stream.asked(PICTURE) == []


def test_a_rate_limit_holds(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live_dash()
    run = jobs.start(stream.url, bytes_per_second_limit=50_000)
    written(run, jobs, stream, 30)
    run.conclude()
    run.finished()
    rates = [report.bytes_per_second for report in run.of(Progressed) if report.bytes_per_second]
    assert max(rates) < 150_000


def test_pieces_out_of_reach_are_not_asked_for(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live_dash()
    manifest, media_type = media_site.server.files[stream.path]
    away = manifest.replace(b"<Period ", b"<BaseURL>http://169.254.169.254/</BaseURL><Period ", 1)
    media_site.server.files[stream.path] = (away, media_type)
    assert jobs.start(stream.url).failed().code == "blocked-address"


def test_a_stream_without_its_pieces(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live_dash()
    stream.lose(range(20, 30))
    assert jobs.start(stream.url).failed().code == "not-found"
    assert jobs.names() == []
