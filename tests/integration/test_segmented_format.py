"""yt-dlp's own tests of its downloader for HTTP, told again with ours in its place.

They are ``test/test_downloader_http.py`` of its repository: a server with and without ranges, with and without a
length, asked for the whole and for pieces of a largest size.
"""

import threading
from pathlib import Path
from typing import Any

import pytest
from fault_server import FaultServer

from idm_app.engine.media_streams import SegmentedFD
from idm_app.engine.messages import Job, Report
from idm_app.engine.plain_file import source_of
from idm_app.engine.progress import Progress, StreamCount
from idm_app.engine.surroundings import Connections, Surroundings
from idm_app.engine.throttle import TokenBucket
from idm_app.engine.ytdlp import MediaDownloader

SIZE = 10 * 1024
LARGER_SIZE = 3_000_000


def surroundings(connections: int) -> Surroundings:
    reports: list[Report] = []
    stopping = threading.Event()
    return Surroundings(
        TokenBucket(None), Progress(reports.append), stopping.is_set, connections=Connections(connections)
    )


def fetched(folder: Path, url: str, connections: int, options: dict[str, Any]) -> tuple[bytes, StreamCount]:
    around, count = surroundings(connections), StreamCount("video")
    job = Job(1, url, str(folder), str(folder / "job"))
    path = folder / "testfile.mp4"
    with MediaDownloader(job, source_of(job), around, None) as media:
        downloader = SegmentedFD(media, media.params, count, around, lambda: around.connections.most)
        assert downloader.real_download(str(path), {"url": url, "downloader_options": options})
    assert [found.name for found in folder.iterdir() if found.is_file()] == ["testfile.mp4"], "no part is left"
    return path.read_bytes(), count


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("largest", [None, 1, 1000, 10_000, SIZE - 1, SIZE, SIZE + 1])
@pytest.mark.parametrize(
    "faults", [{}, {"nolen": 1}, {"norange": 1}, {"norange": 1, "nolen": 1}, {"chunked": 1}], ids=str
)
def test_the_whole_file_comes(
    tmp_path: Path, origin: FaultServer, faults: dict[str, Any], largest: int | None, connections: int
) -> None:
    if largest == 1:  # a request for each byte
        faults, size = {**faults, "size": 50}, 50
    else:
        faults, size = {**faults, "size": SIZE}, SIZE
    url = origin.url("/file.mp4", **faults)
    content, count = fetched(tmp_path, url, connections, {} if largest is None else {"http_chunk_size": largest})
    assert content == origin.content(0, size)
    assert (count.received_bytes, count.total_bytes) == (size, size)


def test_no_request_is_larger_than_the_site_likes_over_several_connections(tmp_path: Path, origin: FaultServer) -> None:
    url = origin.url("/large.mp4", size=LARGER_SIZE, rate=1_000_000)
    content, _ = fetched(tmp_path, url, 4, {"http_chunk_size": 100_000})
    assert content == origin.content(0, LARGER_SIZE)
    asked = [asked.removeprefix("bytes=").split("-") for asked in origin.stats("/large.mp4").ranges]
    assert max(int(end) - int(start) + 1 for start, end in asked) == 100_000
    assert origin.stats("/large.mp4").most_connections == 4
