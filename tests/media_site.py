"""A site with media: pages with a video, HLS, DASH, a feed of pages. By hand: ``python tests/media_site.py``.

It is served by a :class:`FaultServer`; the knobs given to a method hold for every media file behind that address
(``faults.py``), and ``site.server.stats(path)`` tells what was asked of each.
"""

import contextlib
import html
import itertools
import json
import re
import threading
from pathlib import PurePosixPath
from typing import Any, Self
from urllib.parse import urlsplit

import media_files
from fault_server import FaultServer
from live_dash import LiveDash

EVIL_TITLE = "../../etc/passwd <img src=x onerror=alert(1)> %(id)s $HOME `id` | CON: \N{RIGHT-TO-LEFT OVERRIDE}gpj.exe."
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
_PAGE = "<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>"
_REFERENCES = {
    ".m3u8": re.compile(r'(?<=URI=")[^"]+|^[^#\s].*', re.MULTILINE),
    ".mpd": re.compile(r'(?<=<BaseURL>)[^<]+|(?<=\bmedia=")[^"]+|(?<=initialization=")[^"]+'),
}


class MediaSite:
    """Use it as a context manager; its methods make addresses."""

    def __init__(self) -> None:
        self.server = FaultServer()
        self._numbers = itertools.count(1)
        self._files: dict[str, bytes] = {}

    def __enter__(self) -> Self:
        self._files = media_files.make()
        self.server.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self.server.__exit__(*details)

    def page(self, *, title: str = "Big Buck Test", **knobs: Any) -> str:
        """A page with a ``<video>``."""
        return self._video_page(title, self._put(".mp4", self._files["clip.mp4"]), **knobs)

    def film(self, size: int, **knobs: Any) -> str:
        """The video itself, ``size`` bytes long, as a file."""
        return self.server.url(self._put(".mp4", media_files.padded(self._files["clip.mp4"], size)), **knobs)

    def big_page(self, size: int, *, title: str = "Big Test", **knobs: Any) -> str:
        """The same with a video of ``size`` bytes."""
        return self._video_page(title, self._put(".mp4", media_files.padded(self._files["clip.mp4"], size)), **knobs)

    def evil_page(self, **knobs: Any) -> str:
        """The same under a title that wants out: :data:`EVIL_TITLE`."""
        return self.page(title=EVIL_TITLE, **knobs)

    def rich_page(self, **knobs: Any) -> str:
        """A page with a video, its thumbnail and its English subtitles."""
        poster, subtitles = (
            self._put(".jpg", self._files["poster.jpg"]),
            self._put(".vtt", self._files["subtitles.vtt"]),
        )
        track = f'<track kind="subtitles" srclang="en" label="English" src="{subtitles}">'
        video = self._put(".mp4", self._files["clip.mp4"])
        return self._video_page("Rich Test", video, attributes=f'poster="{poster}"', inside=track, **knobs)

    def talk_page(self, **knobs: Any) -> str:
        """A page that describes its video as search engines like it: with chapters, a thumbnail, a description."""
        video, poster = self._put(".mp4", self._files["clip.mp4"]), self._put(".jpg", self._files["poster.jpg"])
        clips = (("Opening", 0, 2), ("The end", 2, 6))
        described = {
            "@context": "https://schema.org",
            "@type": "VideoObject",
            "name": "A Talk",
            "description": "Of many things.",
            "contentUrl": self.server.url(video, **knobs),
            "thumbnailUrl": self.server.url(poster),
            "duration": "PT6S",
            "hasPart": [{"@type": "Clip", "name": n, "startOffset": s, "endOffset": e} for n, s, e in clips],
        }
        return self._page("A Talk", f'<script type="application/ld+json">{json.dumps(described)}</script>')

    def long_sound(self, **knobs: Any) -> str:
        """Five minutes of sound, which take a while to convert."""
        return self.server.url(self._put(".m4a", media_files.long_sound()), **knobs)

    def ladder(self, heights: tuple[int, ...] = (480, 720, 1080), **knobs: Any) -> str:
        """HLS that claims to come in these heights; ``<height>.m3u8`` beside it is what was taken."""
        url = self._copy("split", "video.m3u8", knobs)
        folder = urlsplit(url).path.rpartition("/")[0]
        lines = ["#EXTM3U"]
        for height in heights:
            self.server.files[f"{folder}/{height}.m3u8"] = self.server.files[f"{folder}/video.m3u8"]
            size = f"RESOLUTION={height * 16 // 9}x{height}"
            lines += [f'#EXT-X-STREAM-INF:BANDWIDTH={height}000,{size},CODECS="avc1.42c00c"', f"{height}.m3u8"]
        self.server.files[f"{folder}/ladder.m3u8"] = ("\n".join(lines).encode(), _TYPES[".m3u8"])
        return self.server.url(f"{folder}/ladder.m3u8")

    def live(self, **knobs: Any) -> "LiveStream":
        """HLS that is being sent, encrypted with AES-128; nothing is there until it is sent."""
        url = self._copy("hls", "index.m3u8", knobs)
        return LiveStream(self.server, urlsplit(url).path)

    def live_split(self, **knobs: Any) -> "tuple[str, LiveStream, LiveStream]":
        """HLS that is being sent, the sound apart: the master's address, picture and sound."""
        url = self._copy("split", "master.m3u8", knobs)
        folder = urlsplit(url).path.rpartition("/")[0]
        picture, sound = (LiveStream(self.server, f"{folder}/{kind}.m3u8") for kind in ("video", "audio"))
        return url, picture, sound

    def live_dash(self, shape: str = "timeline", *, sound_later_seconds: float = 0.0, **knobs: Any) -> LiveDash:
        """DASH that is being sent, picture and sound apart; ``shape`` is one of :class:`LiveDash`'s."""
        url = self._copy("dash", "manifest.mpd", {})
        return LiveDash(self.server, urlsplit(url).path, shape, knobs, sound_later_seconds)

    def empty_page(self) -> str:
        """A page without media."""
        return self._page("Nothing", "<p>Only words.</p>")

    def feed(self, entries: int = 5, **knobs: Any) -> str:
        """RSS whose entries are pages: a playlist."""
        titles = [f"Episode {number}" for number in range(1, entries + 1)]
        items = "".join(f"<item><title>{t}</title><link>{self.page(title=t, **knobs)}</link></item>" for t in titles)
        rss = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Show</title>{items}</channel></rss>'
        return self.server.url(self._put(".xml", rss.encode()))

    def hls(self, **knobs: Any) -> str:
        """Segments, encrypted with AES-128."""
        return self._copy("hls", "index.m3u8", knobs)

    def hls_split(self, **knobs: Any) -> str:
        """A master playlist with the audio apart: merged."""
        return self._copy("split", "master.m3u8", knobs)

    def dash(self, **knobs: Any) -> str:
        """Segments, the audio apart: merged."""
        return self._copy("dash", "manifest.mpd", knobs)

    def dash_on_demand(self, **knobs: Any) -> str:
        """One file for the video, one for the audio, both plain HTTP: merged."""
        return self._copy("ondemand", "manifest.mpd", knobs)

    def _video_page(self, title: str, video: str, *, attributes: str = "", inside: str = "", **knobs: Any) -> str:
        source = html.escape(self.server.url(video, **knobs))
        return self._page(title, f'<video {attributes}><source src="{source}" type="video/mp4">{inside}</video>')

    def _page(self, title: str, body: str) -> str:
        return self.server.url(self._put(".html", _PAGE.format(title=html.escape(title), body=body).encode()))

    def _copy(self, kind: str, manifest: str, knobs: dict[str, Any]) -> str:
        """Files of ``kind`` under a path of their own, every reference in the manifests carrying the ``knobs``."""
        query = urlsplit(self.server.url("/", **knobs)).query
        folder = f"/{kind}-{next(self._numbers)}"
        for path, body in self._files.items():
            name = PurePosixPath(path)
            if name.parent.name == kind:
                self.server.files[f"{folder}/{name.name}"] = (
                    _with_query(body, name.suffix, query),
                    _TYPES.get(name.suffix, "application/octet-stream"),
                )
        return self.server.url(f"{folder}/{manifest}")

    def _put(self, suffix: str, body: bytes) -> str:
        path = f"/{next(self._numbers)}{suffix}"
        self.server.files[path] = (body, _TYPES[suffix])
        return path


class LiveStream:
    """One stream, sent piece by piece, over and over; the newest three pieces are on offer."""

    WINDOW = 3

    def __init__(self, server: FaultServer, path: str) -> None:
        self.url = server.url(path)
        self.path = path
        self._server = server
        self._sent = 0
        head, *pieces = re.split(r"(?=#EXTINF)", server.files[path][0].decode().replace("#EXT-X-ENDLIST", ""))
        self._head = "\n".join(
            line for line in head.splitlines() if "PLAYLIST-TYPE" not in line and "SEQUENCE" not in line
        )
        self._pieces = pieces
        self._put("")

    def send(self, pieces: int = 1) -> None:
        """Of a second each."""
        self._sent += pieces
        self._put("")

    def change(self, piece: int, old: str, new: str) -> None:
        """What is said of one of its pieces."""
        self._pieces[piece] = self._pieces[piece].replace(old, new)

    def end(self) -> None:
        """It is over, and says so."""
        self._put("#EXT-X-ENDLIST\n")

    def vanish(self) -> None:
        """It is over; a page is in its place."""
        self._server.files[self.path] = (b"<html><body>Thank you for watching.</body></html>", _TYPES[".html"])

    def _put(self, end: str) -> None:
        first = max(0, self._sent - self.WINDOW)
        pieces = "".join(self._pieces[n % len(self._pieces)] for n in range(first, self._sent))
        text = f"{self._head}\n#EXT-X-MEDIA-SEQUENCE:{first}\n{pieces}{end}"
        self._server.files[self.path] = (text.encode(), _TYPES[".m3u8"])


def _with_query(body: bytes, suffix: str, query: str) -> bytes:
    if not query or suffix not in _REFERENCES:
        return body
    told = html.escape(query) if suffix == ".mpd" else query
    return _REFERENCES[suffix].sub(lambda reference: f"{reference[0]}?{told}", body.decode()).encode()


def main() -> None:
    """Print the addresses and serve until Ctrl-C."""
    with MediaSite() as site, contextlib.suppress(KeyboardInterrupt):
        for make in (
            site.page,
            site.rich_page,
            site.evil_page,
            site.hls,
            site.hls_split,
            site.dash,
            site.dash_on_demand,
        ):
            print(f"{make.__name__:15} {make()}")
        print(f"{'feed':15} {site.feed()}\n{'empty_page':15} {site.empty_page()}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
