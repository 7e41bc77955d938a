"""Media, by a real worker with yt-dlp and ffmpeg from a site that ffmpeg made."""

import io
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import media_files
import pytest
from engine_jobs import Finished, Jobs, Noted, Probed, Processing, Progressed, RawOrigin, phases, sha256
from media_files import SECONDS
from media_site import LiveStream, MediaSite
from PIL import Image

from idm_app.engine.binaries import ffmpeg_folder
from idm_app.engine.messages import Expanded


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    running = Jobs(tmp_path)
    yield running
    running.close()


def streams_of(path: Path) -> dict[str, dict[str, Any]]:
    """What ffprobe finds, by kind."""
    folder = ffmpeg_folder()
    assert folder is not None
    probe = shutil.which("ffprobe", path=str(folder)) or "ffprobe"
    command = [probe, "-v", "error", "-show_entries", "stream=codec_type,codec_name,duration", "-of", "json", str(path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["streams"]
    return {stream["codec_type"]: stream for stream in found}


def probed(path: Path, *sections: str) -> dict[str, Any]:
    """Those sections of what ffprobe finds."""
    command = [media_files.program("ffprobe"), "-v", "error", *sections, "-of", "json", str(path)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def _any_video(site: MediaSite) -> str:
    site.page()
    return next(path for path in site.server.files if path.endswith(".mp4"))


def assert_plays(path: Path, *kinds: str) -> None:
    """It has just these streams, each of the whole length."""
    streams = streams_of(path)
    assert set(streams) == set(kinds)
    for kind in set(kinds) & {"video", "audio"}:
        assert float(streams[kind]["duration"]) == pytest.approx(SECONDS, abs=0.3)


def test_a_pages_video_arrives_under_the_pages_title(jobs: Jobs, media_site: MediaSite) -> None:
    run = jobs.start(media_site.page(title="Größe & <b>Ärger</b>: 1/2"))
    path = run.finished()
    assert path.parent == jobs.folder
    assert "Größe" in path.name
    assert path.suffix == ".mp4"
    assert_plays(path, "video", "audio")
    assert run.of(Probed)[0].kind == "media"
    assert jobs.names() == [path.name]
    assert [path.name for path in jobs.job_folder.iterdir()] == ["published.json"]


def test_the_name_that_was_asked_for_wins(jobs: Jobs, media_site: MediaSite) -> None:
    assert jobs.start(media_site.page(), filename="mine").finished().name == "mine.mp4"


@pytest.mark.parametrize("kind", ["hls", "hls_split", "dash", "dash_on_demand"])
def test_streams_in_pieces_are_put_together(jobs: Jobs, media_site: MediaSite, kind: str) -> None:
    run = jobs.start(getattr(media_site, kind)())
    assert_plays(run.finished(), "video", "audio")
    told = [report.received_bytes for report in run.of(Progressed)]
    assert told == sorted(told)
    assert run.of(Processing)


def test_picture_and_sound_apart_make_one_honest_bar(jobs: Jobs, media_site: MediaSite) -> None:
    run = jobs.start(media_site.dash_on_demand(rate=150_000), connections=1)
    run.finished()
    told = run.of(Progressed)
    assert phases(run)[:3] == ["video", "audio", "merging"]
    shares = [report.received_bytes / report.total_bytes for report in told if report.total_bytes]
    assert shares[-1] == pytest.approx(1, abs=0.01)
    assert len(shares) > 40
    assert all(later >= earlier - 0.08 for earlier, later in itertools.pairwise(shares))
    names = [stream[0] for stream in next(report.streams for report in told if report.streams)]
    assert sorted(names) == ["audio", "video"]


def test_picture_and_sound_come_at_the_same_time(jobs: Jobs, media_site: MediaSite) -> None:
    url = media_site.dash_on_demand(rate=50_000)
    run = jobs.start(url, connections=4)
    assert_plays(run.finished(), "video", "audio")
    both = [
        r.streams for r in run.of(Progressed) if r.streams and all(0 < s[1] < (s[2] or s[1] + 1) for s in r.streams)
    ]
    assert both
    told = [report.received_bytes for report in run.of(Progressed)]
    assert told == sorted(told)
    assert phases(run)[-2:] == ["merging", "finishing"] or phases(run)[-1] == "merging"


@pytest.mark.parametrize("kind", ["dash", "hls_split", "dash_on_demand"])
def test_a_stop_while_both_come_keeps_both(jobs: Jobs, media_site: MediaSite, kind: str) -> None:
    url = getattr(media_site, kind)(rate=30_000)
    first = jobs.start(url, connections=8)
    first.until(lambda run: any(r.streams and all(s[1] > 20_000 for s in r.streams) for r in run.of(Progressed)))
    assert first.stop() < 2
    second = jobs.start(url, connections=8)
    assert_plays(second.finished(), "video", "audio")
    assert second.of(Progressed)[0].received_bytes > 0


def test_bytes_are_told_as_they_come_not_once_a_second(jobs: Jobs, media_site: MediaSite) -> None:
    run = jobs.start(media_site.big_page(3_000_000, rate=1_000_000), connections=1)
    run.finished()
    told = [report.received_bytes for report in run.of(Progressed)]
    assert len(told) > 20
    assert max(later - earlier for earlier, later in itertools.pairwise(told)) < 1_000_000


def test_a_video_comes_over_several_connections(jobs: Jobs, media_site: MediaSite) -> None:
    run = jobs.start(media_site.big_page(12_000_000, rate=1_000_000), connections=8)
    assert run.finished().stat().st_size == 12_000_000
    assert max(report.connections for report in run.of(Progressed)) > 3


def test_a_feed_is_a_playlist_of_its_entries(jobs: Jobs, media_site: MediaSite) -> None:
    last = jobs.start(media_site.feed(3)).end()
    assert isinstance(last, Expanded)
    assert last.title == "Show"
    assert [entry["title"] for entry in last.entries] == ["Episode 1", "Episode 2", "Episode 3"]
    assert_plays(jobs.start(last.entries[1]["url"], id=2).finished(), "video", "audio")


def test_chosen_entries_only(jobs: Jobs, media_site: MediaSite) -> None:
    last = jobs.start(media_site.feed(5), playlist_items="2,4-5").end()
    assert [entry["title"] for entry in last.entries] == ["Episode 2", "Episode 4", "Episode 5"]


def test_one_chosen_entry_is_the_download_itself(jobs: Jobs, media_site: MediaSite) -> None:
    assert_plays(jobs.start(media_site.feed(3), playlist_items="2").finished(), "video", "audio")


def test_a_page_with_several_videos_is_a_playlist_whose_entries_can_be_had(jobs: Jobs, media_site: MediaSite) -> None:
    videos = "".join(f'<video src="/video-{n}.mp4"></video>' for n in range(3))
    video, media_type = media_site.server.files[_any_video(media_site)]
    media_site.server.files |= {f"/video-{n}.mp4": (video, media_type) for n in range(3)}
    media_site.server.files["/three.html"] = (
        f"<html><head><title>Three</title></head><body>{videos}</body></html>".encode(),
        "text/html",
    )
    last = jobs.start(media_site.server.url("/three.html")).end()
    assert isinstance(last, Expanded)
    assert [entry["playlist_items"] for entry in last.entries] == ["1", "2", "3"]
    entry = last.entries[2]
    path = jobs.start(entry["url"], playlist_items=entry["playlist_items"]).finished()
    assert path.name == "Three (3).mp4"


def test_sound_only(jobs: Jobs, media_site: MediaSite) -> None:
    path = jobs.start(media_site.dash(), quality="audio").finished()
    assert_plays(path, "audio")


@pytest.mark.parametrize(("audio_format", "codec"), [("mp3", "mp3"), ("m4a", "aac"), ("opus", "opus")])
def test_sound_is_converted(jobs: Jobs, media_site: MediaSite, audio_format: str, codec: str) -> None:
    run = jobs.start(media_site.page(), audio_format=audio_format)
    path = run.finished()
    assert path.suffix == f".{audio_format}"
    assert {stream["codec_name"] for stream in streams_of(path).values()} == {codec}
    assert "converting" in phases(run)


def test_a_chosen_format_gets_its_sound(jobs: Jobs, media_site: MediaSite) -> None:
    assert_plays(jobs.start(media_site.dash_on_demand(), format_id="v1").finished(), "video", "audio")


@pytest.mark.parametrize("format_id", ["no-such-format", "bv*[height>1]; rm -rf /", "--exec"])
def test_a_format_that_is_not_there(jobs: Jobs, media_site: MediaSite, format_id: str) -> None:
    assert jobs.start(media_site.dash_on_demand(), format_id=format_id).failed().code == "format-not-available"


def test_a_page_without_media(jobs: Jobs, media_site: MediaSite) -> None:
    failure = jobs.start(media_site.empty_page()).failed()
    assert (failure.code, failure.retryable) == ("no-media", False)


def test_a_video_that_is_gone(jobs: Jobs, media_site: MediaSite) -> None:
    assert jobs.start(media_site.page(status=404)).failed().code == "not-found"
    assert jobs.names() == []


def test_a_missing_fragment_is_never_a_silent_hole(jobs: Jobs, media_site: MediaSite) -> None:
    failure = jobs.start(media_site.hls(status=404)).failed()
    assert failure.code == "not-found"
    assert jobs.names() == []


def test_a_stopped_video_goes_on_where_it_was(jobs: Jobs, media_site: MediaSite) -> None:
    url = media_site.big_page(6_000_000, rate=1_000_000)
    first = jobs.start(url, connections=2)
    first.until_received(2_000_000)
    assert first.stop() < 2
    second = jobs.start(url, connections=8, kind="media")
    path = second.finished()
    assert path.stat().st_size == 6_000_000
    assert second.of(Progressed)[0].received_bytes >= 2_000_000
    assert second.of(Noted) == []
    fresh = jobs.start(url, id=2, connections=8)
    assert sha256(fresh.finished()) == sha256(path)


@pytest.mark.parametrize("kind", ["hls", "dash"])
def test_a_killed_stream_in_pieces_comes_out_right(jobs: Jobs, media_site: MediaSite, kind: str) -> None:
    url = getattr(media_site, kind)(rate=60_000)
    first = jobs.start(url, connections=2)
    first.until_received(150_000)
    first.kill()
    assert_plays(jobs.start(url, connections=8).finished(), "video", "audio")


def test_a_download_stays_with_its_format_when_the_site_offers_better_later(jobs: Jobs, media_site: MediaSite) -> None:
    url = media_site.dash_on_demand(rate=100_000)
    first = jobs.start(url, connections=2)
    first.until_received(100_000)
    first.stop()
    path = urlsplit(url).path
    manifest, media_type = media_site.server.files[path]
    start, end = manifest.index(b"<Representation"), manifest.index(b"</Representation>") + len(b"</Representation>")
    better = manifest[start:end].replace(b'"v1"', b'"v9"').replace(b'height="180"', b'height="1080"')
    media_site.server.files[path] = (manifest[:end] + better + manifest[end:], media_type)
    saved = jobs.job_folder / "info.json"
    saved.write_text(json.dumps(json.loads(saved.read_bytes()) | {"at": 0}))  # too long ago to be used
    second = jobs.start(url, connections=2)
    assert_plays(second.finished(), "video", "audio")
    assert second.of(Progressed)[0].received_bytes >= 50_000  # of the picture
    assert media_site.server.stats(path).requests > 1


def test_addresses_that_have_expired_are_extracted_again(jobs: Jobs, media_site: MediaSite) -> None:
    url = media_site.dash_on_demand(rate=100_000, expire=6)
    run = jobs.start(url, connections=2)
    run.until_received(100_000)
    path = urlsplit(url).path
    manifest, media_type = media_site.server.files[path]
    media_site.server.files[path] = (manifest.replace(b"expire=6", b"expire=999"), media_type)
    run.stop()
    for _ in range(6):  # so that all of the old address are used up
        httpx.get(f"{url.rpartition('/')[0]}/video.mp4")
    second = jobs.start(url, connections=2)
    assert_plays(second.finished(), "video", "audio")
    assert second.of(Progressed)[0].received_bytes >= 50_000  # of the picture


def test_a_stop_while_converting_leaves_nothing_behind_and_goes_on(jobs: Jobs, media_site: MediaSite) -> None:
    url = media_site.long_sound()
    first = jobs.start(url, audio_format="mp3")
    first.until(lambda run: any(report.progress for report in run.of(Processing)))
    assert first.stop() < 2
    first.until_nothing_runs()
    assert jobs.names() == []
    path = jobs.start(url, audio_format="mp3").finished()
    assert float(probed(path, "-show_format")["format"]["duration"]) == pytest.approx(300, abs=1)


def test_a_stop_while_extracting(jobs: Jobs, media_site: MediaSite) -> None:
    run = jobs.start(media_site.server.url("/page.html", delay=30), kind="media")
    run.until(lambda _: media_site.server.stats("/page.html").requests)
    assert run.stop() < 2


def test_a_rate_limit_holds_for_fragments_too(jobs: Jobs, media_site: MediaSite) -> None:
    run = jobs.start(media_site.hls(), bytes_per_second_limit=100_000)
    began = time.monotonic()
    run.until_received(400_000)
    assert time.monotonic() - began > 2


def test_an_address_inside_a_manifest_is_checked_too(jobs: Jobs, media_site: MediaSite) -> None:
    media_site.server.files["/bad.m3u8"] = (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://169.254.169.254/x.ts\n#EXT-X-ENDLIST\n",
        "application/vnd.apple.mpegurl",
    )
    assert jobs.start(media_site.server.url("/bad.m3u8")).failed().code == "blocked-address"


def test_files_of_this_machine_are_not_media(jobs: Jobs, media_site: MediaSite, tmp_path: Path) -> None:
    secret = tmp_path / "secret.ts"
    secret.write_bytes(b"secret" * 1000)
    media_site.server.files["/file.m3u8"] = (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{secret}\n#EXT-X-ENDLIST\n".encode(),
        "application/vnd.apple.mpegurl",
    )
    jobs.start(media_site.server.url("/file.m3u8")).failed()
    assert jobs.names() == []


def test_subtitles_are_embedded(jobs: Jobs, media_site: MediaSite) -> None:
    run = jobs.start(media_site.rich_page(), subtitles=("en",))
    assert "subtitle" in streams_of(run.finished())


@pytest.mark.parametrize("beside", [False, True])
def test_subtitles_that_are_not_there_cost_no_video(jobs: Jobs, media_site: MediaSite, beside: bool) -> None:
    url = media_site.rich_page()
    page, media_type = media_site.server.files[urlsplit(url).path]
    media_site.server.files[urlsplit(url).path] = (page.replace(b".vtt", b".vtt?status=404"), media_type)
    run = jobs.start(url, subtitles=("en",), subtitles_beside=beside)
    assert_plays(run.finished(), "video", "audio")
    [note] = run.of(Noted)
    assert (note.code, dict(note.values)["languages"]) == ("subtitles-lost", "en")
    assert jobs.names() == ["Rich Test.mp4"]


def test_subtitles_have_the_whole_name_of_their_video_and_the_language(jobs: Jobs, media_site: MediaSite) -> None:
    url = media_site.rich_page()
    page, media_type = media_site.server.files[urlsplit(url).path]
    long = page.replace(b"<title>Rich Test", b"<title>" + "長い題名".encode() * 40)
    media_site.server.files[urlsplit(url).path] = (long, media_type)
    path = jobs.start(url, subtitles=("en",), subtitles_beside=True).finished()
    assert jobs.names() == sorted([path.name, f"{path.stem}.en.vtt"])


def test_media_without_sound_cannot_become_sound(jobs: Jobs, media_site: MediaSite) -> None:
    failure = jobs.start(media_site.ladder(), audio_format="mp3").failed()
    assert (failure.code, failure.retryable) == ("format-not-available", False)


def test_subtitles_beside_the_video(jobs: Jobs, media_site: MediaSite) -> None:
    run = jobs.start(media_site.rich_page(), subtitles=("en", "de"), subtitles_beside=True)
    path = run.finished()
    assert jobs.names() == ["Rich Test.en.vtt", "Rich Test.mp4"]
    assert run.of(Finished)[0].beside == (str(path.with_name("Rich Test.en.vtt")),)
    assert "subtitle" not in streams_of(path)
    assert run.of(Noted) == [Noted("no-subtitles", (("languages", "de"),))]


def test_a_thumbnail_the_metadata_and_chapters_are_embedded(jobs: Jobs, media_site: MediaSite) -> None:
    path = jobs.start(media_site.talk_page(), embed=("thumbnail", "metadata", "chapters")).finished()
    found = probed(path, "-show_chapters", "-show_format", "-show_streams")
    assert [chapter["tags"]["title"] for chapter in found["chapters"]] == ["Opening", "The end"]
    assert found["format"]["tags"]["title"] == "A Talk"
    assert [s["codec_type"] for s in found["streams"] if s["disposition"]["attached_pic"]] == ["video"]
    assert jobs.names() == ["A Talk.mp4"]


def test_a_thumbnail_that_no_container_holds_is_embedded_as_one_that_it_does(jobs: Jobs, media_site: MediaSite) -> None:
    video, _ = media_site.server.files[_any_video(media_site)]
    poster = io.BytesIO()
    Image.new("RGB", (320, 180), "teal").save(poster, "webp")
    media_site.server.files |= {"/modern.mp4": (video, "video/mp4"), "/poster.webp": (poster.getvalue(), "image/webp")}
    body = b'<title>Modern</title><video poster="/poster.webp"><source src="/modern.mp4" type="video/mp4"></video>'
    media_site.server.files["/modern.html"] = (b"<html>" + body + b"</html>", "text/html")
    run = jobs.start(media_site.server.url("/modern.html"), embed=("thumbnail",))
    found = probed(run.finished(), "-show_streams")
    assert [s["codec_name"] for s in found["streams"] if s["disposition"]["attached_pic"]] == ["mjpeg"]
    assert run.of(Noted) == []


def test_nothing_is_embedded_unless_asked_for(jobs: Jobs, media_site: MediaSite) -> None:
    found = probed(jobs.start(media_site.talk_page()).finished(), "-show_chapters", "-show_format", "-show_streams")
    assert found["chapters"] == []
    assert "title" not in found["format"]["tags"]
    assert len(found["streams"]) == 2


def test_a_thumbnail_that_the_container_cannot_hold_costs_no_video(jobs: Jobs, media_site: MediaSite) -> None:
    video, _ = media_site.server.files[_any_video(media_site)]
    media_site.server.files["/wide.webm"] = (video, "video/webm")
    body = b'<title>Wide</title><video poster="/poster.jpg"><source src="/wide.webm" type="video/webm"></video>'
    media_site.server.files["/wide.html"] = (b"<html>" + body + b"</html>", "text/html")
    media_site.server.files["/poster.jpg"] = next(f for p, f in media_site.server.files.items() if p.endswith(".jpg"))
    run = jobs.start(media_site.server.url("/wide.html"), embed=("thumbnail",))
    assert run.finished().name == "Wide.webm"
    assert [note.code for note in run.of(Noted)] == ["no-thumbnail"]


@pytest.mark.parametrize(("quality", "taken"), [("best", 1080), ("2160p", 1080), ("720p", 720), ("480p", 480)])
def test_a_quality_is_the_best_that_is_not_higher(jobs: Jobs, media_site: MediaSite, quality: str, taken: int) -> None:
    url = media_site.ladder()
    assert_plays(jobs.start(url, quality=quality).finished(), "video")
    folder = urlsplit(url).path.rpartition("/")[0]
    asked = [height for height in (480, 720, 1080) if media_site.server.stats(f"{folder}/{height}.m3u8").requests]
    assert max(asked) == taken  # the first is looked at for the length


def test_a_conversion_tells_how_far_it_is_and_the_bar_never_goes_back(jobs: Jobs, media_site: MediaSite) -> None:
    run = jobs.start(media_site.long_sound(), audio_format="mp3")
    assert run.finished().suffix == ".mp3"
    shares = [100 * r.bytes_share * r.received_bytes / r.total_bytes for r in run.of(Progressed) if r.total_bytes]
    converting = [report.progress for report in run.of(Processing) if report.progress is not None]
    assert max(shares) == pytest.approx(90)
    assert len(converting) > 1
    assert [*shares, *converting] == sorted([*shares, *converting])
    assert max(converting) <= 100


def pieces_of(path: Path) -> int:
    """How many of a live stream's pieces, of a second each, are in the file: the key frame that begins each."""
    packets = probed(path, "-select_streams", "v", "-show_entries", "packet=flags")["packets"]
    return sum("K" in packet["flags"] for packet in packets)


def recorded(run: Any, fetched: int, stream: LiveStream, site: MediaSite) -> None:
    """Wait until so many pieces have been asked for, and the playlist after them again."""
    folder = stream.path.rpartition("/")[0]

    def asked() -> int:
        return sum(site.server.stats(f"{folder}/index{n}.ts").requests for n in range(6))

    run.until(lambda _: asked() >= fetched)
    looked = site.server.stats(stream.path).requests
    run.until(lambda _: site.server.stats(stream.path).requests > looked)


def test_a_live_stream_is_recorded_until_it_ends(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live()
    stream.send(2)
    run = jobs.start(stream.url)
    recorded(run, 2, stream, media_site)
    stream.send(3)
    recorded(run, 5, stream, media_site)
    stream.end()
    path = run.finished()
    assert set(streams_of(path)) == {"video", "audio"}
    assert pieces_of(path) == 5
    assert phases(run)[0] == "recording"
    assert run.of(Noted) == []


def test_a_recording_that_is_concluded_becomes_a_finished_file(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live()
    stream.send(3)
    run = jobs.start(stream.url)
    recorded(run, 3, stream, media_site)
    run.conclude()
    path = run.finished()
    assert set(streams_of(path)) == {"video", "audio"}
    assert pieces_of(path) == 3
    assert [note.code for note in run.of(Noted)] == ["concluded"]


def test_a_recording_is_concluded_while_the_server_is_waited_for(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live(refuse=1, retry_after="30")
    run = jobs.start(stream.url)
    for fetched in (3, 6):
        stream.send(3)
        recorded(run, fetched, stream, media_site)
    stream.send(1)  # the first again
    run.until(lambda _: media_site.server.stats(f"{stream.path.rpartition('/')[0]}/index0.ts").requests > 1)
    began = time.monotonic()
    run.conclude()
    run.finished()
    assert time.monotonic() - began < 20


def test_a_piece_that_is_missing_is_a_gap_and_the_recording_goes_on(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live()
    folder = stream.path.rpartition("/")[0]
    stream.change(1, "index1.ts", "index1.ts?status=404")
    stream.send(3)
    run = jobs.start(stream.url)
    run.until(lambda _: media_site.server.stats(f"{folder}/index2.ts").requests)
    stream.end()
    assert pieces_of(run.finished()) == 2
    assert run.of(Noted) == [Noted("gap", (("seconds", "1"),))]


def test_recorded_sound_stays_with_its_picture_wherever_it_begins(jobs: Jobs, media_site: MediaSite) -> None:
    url, picture, sound = media_site.live_split()
    sound.send(4)
    picture.send(5)  # its first piece on offer is one later than that of the sound
    run = jobs.start(url)
    folder = urlsplit(url).path.rpartition("/")[0]
    run.until(
        lambda _: all(media_site.server.stats(f"{folder}/{name}").requests for name in ("video4.ts", "audio3.ts"))
    )
    picture.end()
    sound.end()
    found = probed(run.finished(), "-show_streams")["streams"]
    starts = {stream["codec_type"]: float(stream["start_time"]) for stream in found}
    assert starts["video"] - starts["audio"] == pytest.approx(1, abs=0.06)


def test_what_only_ffmpeg_can_record_is_concluded_too(jobs: Jobs, media_site: MediaSite) -> None:
    url = media_site.film(1_000_000, rate=40_000)
    extraction = {"id": "1", "title": "On air", "ext": "mp4", "protocol": "http", "is_live": True, "url": url}
    run = jobs.start(url, kind="media", extraction=json.dumps({**extraction, "section_end": 3600}))
    run.until_received(50_000)
    run.conclude()
    path = run.finished()
    assert set(streams_of(path)) == {"video", "audio"}
    assert path.stat().st_size >= 50_000
    assert run.of(Noted) == [Noted("concluded")]


def test_a_recording_that_was_killed_goes_on_and_tells_what_is_missing(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live()
    stream.send(3)
    first = jobs.start(stream.url)
    recorded(first, 3, stream, media_site)
    first.kill()
    stream.send(5)  # two of them are no longer on offer
    second = jobs.start(stream.url)
    recorded(second, 6, stream, media_site)
    stream.end()
    assert pieces_of(second.finished()) == 6
    assert second.of(Noted) == [Noted("gap", (("seconds", "2"),))]


def test_a_recording_whose_stream_is_gone_after_a_restart_is_kept(jobs: Jobs, media_site: MediaSite) -> None:
    stream = media_site.live()
    stream.send(3)
    first = jobs.start(stream.url)
    recorded(first, 3, stream, media_site)
    first.kill()
    stream.vanish()
    path = jobs.job_folder / "info.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"at": 0}))  # too long ago to be used
    second = jobs.start(stream.url, kind="media")
    assert pieces_of(second.finished()) == 3
    assert [note.code for note in second.of(Noted)] == ["stream-lost"]


def test_a_video_larger_than_the_disk_is_not_begun(jobs: Jobs, media_site: MediaSite) -> None:
    with RawOrigin(b"HTTP/1.1 200 OK\r\nContent-Length: 1125899906842624\r\n\r\nabc") as port:
        page = f'<html><title>Huge</title><video src="http://127.0.0.1:{port}/huge.mp4"></video></html>'
        media_site.server.files["/huge.html"] = (page.encode(), "text/html")
        run = jobs.start(media_site.server.url("/huge.html"), connections=1)
        assert run.failed().code == "disk-full"
    assert run.of(Progressed)[-1].total_bytes == 1125899906842624  # how much room it waits for


def test_streams_that_fit_only_apart_are_not_begun(jobs: Jobs, media_site: MediaSite, tmp_path: Path) -> None:
    url = media_site.dash_on_demand()
    info = json.loads(jobs.start(url, only_probe=True, job_folder=str(tmp_path / "probe")).end().extraction)
    free = shutil.disk_usage(tmp_path).free
    for media_format in info["formats"]:
        media_format["filesize"] = int(free * 0.4)
    media_site.server.reset()
    run = jobs.start(url, kind="media", extraction=json.dumps(info))
    assert run.failed().code == "disk-full"
    assert len(run.of(Progressed)[-1].streams) == 2
    assert media_site.server.stats(f"{urlsplit(url).path.rpartition('/')[0]}/video.mp4").requests == 0


@pytest.mark.parametrize(("title", "name"), [("...", "download.mp4"), ("The end.", "The end.mp4"), ("a.mp4", "a.mp4")])
def test_a_title_of_dots_costs_no_extension(jobs: Jobs, media_site: MediaSite, title: str, name: str) -> None:
    assert jobs.start(media_site.page(title=title)).finished().name == name


def test_a_file_that_is_called_a_page_is_a_file(jobs: Jobs, media_site: MediaSite) -> None:
    media_site.server.files["/things.zip"] = (b"PK\x03\x04" + bytes(5000), "text/html")
    url = media_site.server.url("/things.zip")
    assert jobs.start(url, only_probe=True, job_folder=str(jobs.folder / "probe")).end().kind == "file"
    path = jobs.start(url).finished()
    assert (path.name, path.stat().st_size) == ("things.zip", 5004)


def test_a_page_without_end_is_given_up(jobs: Jobs, media_site: MediaSite) -> None:
    page = b"<html><title>Endless</title>" + b"<p>and so on</p>" * (65 << 16)
    media_site.server.files["/endless.html"] = (page, "text/html")
    failure = jobs.start(media_site.server.url("/endless.html")).failed()
    assert (failure.code, failure.detail) == ("no-media", "the page is larger than 64 MiB")


def test_a_hostile_title_stays_in_the_folder(jobs: Jobs, media_site: MediaSite) -> None:
    path = jobs.start(media_site.evil_page()).finished()
    assert path.parent == jobs.folder
    assert len(path.name.encode()) <= 210
