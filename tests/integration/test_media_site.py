"""The media site is what yt-dlp takes it for, and what it gives can be played."""

import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import media_files
import pytest
import yt_dlp
from media_site import EVIL_TITLE, MediaSite


class Silent:
    def debug(self, _: str) -> None: ...

    warning = error = debug


def extract(url: str, folder: Path | None = None, **options: Any) -> Any:
    """yt-dlp's dict; downloaded into ``folder`` if there is one."""
    options = {"logger": Silent(), "noprogress": True, "skip_unavailable_fragments": False, **options}
    if folder:
        options["outtmpl"] = str(folder / "media.%(ext)s")
    with yt_dlp.YoutubeDL(options) as opened:
        return opened.extract_info(url, download=folder is not None)


def streams(path: Path) -> list[str]:
    asked = ["-v", "error", "-show_entries", "stream=codec_type:format=duration", "-of", "csv=p=0", str(path)]
    told = subprocess.run([media_files.program("ffprobe"), *asked], capture_output=True, text=True, check=True).stdout
    *kinds, duration = told.split()
    assert float(duration) == pytest.approx(media_files.SECONDS, abs=0.5)
    return kinds


@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        ("page", "http"),
        ("rich_page", "http"),
        ("evil_page", "http"),
        ("hls", "m3u8_native"),
        ("hls_split", "m3u8_native+m3u8_native"),
        ("dash", "http_dash_segments+http_dash_segments"),
        ("dash_on_demand", "http+http"),
    ],
)
def test_each_address_gives_sound_and_picture(media_site: MediaSite, tmp_path: Path, name: str, protocol: str) -> None:
    found = extract(getattr(media_site, name)(noetag=1), tmp_path)
    assert found["protocol"] == protocol
    assert streams(tmp_path / "media.mp4") == ["video", "audio"]


def test_a_big_video_has_the_size_that_was_asked_and_plays(media_site: MediaSite, tmp_path: Path) -> None:
    extract(media_site.big_page(5_000_000), tmp_path)
    assert (tmp_path / "media.mp4").stat().st_size == 5_000_000
    assert streams(tmp_path / "media.mp4") == ["video", "audio"]
    with pytest.raises(ValueError, match="too few"):
        media_site.big_page(1000)


def test_hls_is_encrypted_and_dash_on_demand_has_its_tracks_apart(media_site: MediaSite, tmp_path: Path) -> None:
    assert "METHOD=AES-128" in httpx.get(media_site.hls(), trust_env=False).text
    for name, kind in (("video.mp4", "video"), ("audio.m4a", "audio")):
        track = httpx.get(media_site.dash_on_demand().replace("manifest.mpd", name), trust_env=False)
        (tmp_path / name).write_bytes(track.content)
        assert streams(tmp_path / name) == [kind]


def test_titles_thumbnail_and_subtitles(media_site: MediaSite) -> None:
    assert extract(media_site.page(title="A & B"))["title"].startswith("A & B")
    assert extract(media_site.evil_page())["title"].startswith(EVIL_TITLE)
    rich = extract(media_site.rich_page())
    (subtitle,) = rich["subtitles"]["en"]
    assert httpx.get(subtitle["url"], trust_env=False).text.startswith("WEBVTT")
    assert httpx.get(rich["thumbnail"], trust_env=False).content.startswith(b"\xff\xd8")


def test_a_feed_is_a_playlist_of_pages(media_site: MediaSite) -> None:
    feed = extract(media_site.feed(3), extract_flat="in_playlist")
    assert (feed["_type"], feed["title"]) == ("playlist", "Show")
    assert [entry["title"] for entry in feed["entries"]] == ["Episode 1", "Episode 2", "Episode 3"]
    assert extract(feed["entries"][2]["url"])["title"].startswith("Episode 3")


def test_a_page_without_media_is_refused(media_site: MediaSite) -> None:
    with pytest.raises(yt_dlp.utils.DownloadError, match="Unsupported URL"):
        extract(media_site.empty_page())


@pytest.mark.parametrize("name", ["page", "hls", "hls_split", "dash", "dash_on_demand"])
def test_knobs_hold_for_every_media_file(media_site: MediaSite, name: str) -> None:
    url = getattr(media_site, name)(rate=5_000_000, noetag=1)
    manifests = [url, *(url.replace("master", kind) for kind in ("video", "audio") if name == "hls_split")]
    for manifest in manifests:
        text = httpx.get(manifest, trust_env=False).text
        references = re.findall(
            r'(?m)^[^#<\s].*|(?<=URI=").*?(?=")|<BaseURL>.*?<|(?:src|media|initialization)=".*?"', text
        )
        assert references
        assert all(re.search(r"\?rate=5000000&(amp;)?noetag=1\W?$", reference) for reference in references), references


def test_a_fault_of_a_media_file_is_a_failure(media_site: MediaSite, tmp_path: Path) -> None:
    for make in (media_site.hls, media_site.dash, media_site.dash_on_demand):
        with pytest.raises(yt_dlp.utils.DownloadError, match="403"):
            extract(make(status=403), tmp_path)
    assert not list(tmp_path.glob("*.mp4"))
