"""Finished files over HTTP: many as one archive, and one inside the page."""

import io
import zipfile
from typing import Any

import pytest
from feed_client import FeedClient

NAMES = ["Ärger & Co.pdf", "文書.txt", "twice.bin", "twice.bin", "page.html", "vector.svg"]


def download_all(server: Any, origin: Any, feed: FeedClient, names: list[str]) -> list[int]:
    urls = [origin.url(f"/file/{name}", size=50_000 + n, seed=n) for n, name in enumerate(names)]
    added = server.client.post("/api/downloads", json={"urls": urls}).json()["downloads"]
    ids = [download["id"] for download in added]
    feed.wait_until(lambda downloads: all(downloads.get(download_id, {}).get("done") for download_id in ids))
    return ids


def test_many_files_are_one_archive_with_every_name_right_and_its_length_known(
    server: Any, origin: Any, feed: FeedClient
) -> None:
    ids = download_all(server, origin, feed, NAMES)
    answer = server.client.get("/api/files.zip", params={"ids": f"{ids[0]}-{ids[-1]}"})
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "content-encoding" not in answer.headers or answer.headers["content-encoding"] == "identity"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())
        assert [member.file_size for member in archive.infolist()] == [50_000 + n for n in range(len(NAMES))]
        names = archive.namelist()
    assert {"Ärger & Co.pdf", "文書.txt"} < set(names)
    assert len({name.casefold() for name in names}) == len(NAMES)
    (server.download_dir / "文書.txt").unlink()
    gone = server.client.get("/api/files.zip", params={"ids": f"{ids[0]},{ids[1]}"})
    assert (gone.status_code, gone.json()["code"]) == (410, "file-gone")
    assert server.client.get("/api/files.zip", params={"ids": "x"}).status_code == 422
    assert server.client.get("/api/files.zip", params={"ids": "999"}).status_code == 404
    assert server.client.get("/api/files.zip").status_code == 422


def test_what_is_shown_in_a_page_can_run_nothing(server: Any, origin: Any, feed: FeedClient) -> None:
    ids = download_all(server, origin, feed, NAMES)
    shown = server.client.get(f"/api/downloads/{ids[0]}/preview", headers={"Range": "bytes=10-19"})
    assert (shown.status_code, len(shown.content)) == (206, 10)
    assert shown.headers["content-type"] == "application/pdf"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert "allow-scripts" not in shown.headers["content-security-policy"]
    for index in (1, 2, 4, 5):
        refused = server.client.get(f"/api/downloads/{ids[index]}/preview")
        assert (refused.status_code, refused.json()["code"]) == (415, "cannot-preview")


def test_a_finished_file_is_asked_for_as_any_other(server: Any, origin: Any, feed: FeedClient) -> None:
    (download_id,) = download_all(server, origin, feed, ["näme.bin"])
    path = f"/api/downloads/{download_id}/file"
    whole = server.client.get(path)
    etag, changed_at = whole.headers["etag"], whole.headers["last-modified"]
    assert whole.headers["content-disposition"] == "attachment; filename=\"n_me.bin\"; filename*=UTF-8''n%C3%A4me.bin"

    def ask(**headers: str) -> Any:
        return server.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    for unknown in ("items=0-9", "bytes=9-0", "bytes=x", "nonsense"):
        assert (ask(Range=unknown).status_code, ask(Range=unknown).content) == (200, whole.content)
    some = ask(Range="bytes=0-9,90000-")
    assert (some.status_code, some.content) == (206, whole.content[:10])
    none = ask(Range="bytes=50000-")
    assert (none.status_code, none.headers["content-range"], none.json()["code"]) == (
        416, "bytes */50000", "no-such-range",
    )  # fmt: skip
    assert ask(Range="bytes=0-9", If_Range=etag).status_code == 206
    assert ask(Range="bytes=90000-", If_Range='"other"').status_code == 200
    for known in ({"If_None_Match": f'"x", W/{etag}'}, {"If_None_Match": "*"}, {"If_Modified_Since": changed_at}):
        answer = ask(**known)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    for other in ({"If_None_Match": '"x"'}, {"If_Modified_Since": "nonsense"}):
        assert ask(**other).status_code == 200
    parts = ask(Range="bytes=0-1,-2")
    assert (parts.status_code, int(parts.headers["content-length"])) == (206, len(parts.content))
    assert parts.headers["content-type"].startswith("multipart/byteranges")


@pytest.mark.parametrize("path", ["/api/downloads/7/preview", "/api/files.zip?ids=7"])
def test_there_is_nothing_of_what_is_unknown(server: Any, path: str) -> None:
    assert server.client.get(path).status_code == 404


def test_a_film_is_sent_as_it_comes(server: Any, origin: Any, feed: FeedClient) -> None:
    size = 6_000_000
    url = origin.url("/file/film.mp4", size=size, rate=400_000, seed=5)
    download_id = server.client.post("/api/downloads", json={"url": url, "connections": 4}).json()["id"]
    feed.wait_until(lambda downloads: (downloads[download_id].get("received_bytes") or 0) > 1_000_000)
    preview = f"/api/downloads/{download_id}/preview"

    def fetch(asked: str) -> Any:
        return server.client.get(preview, headers={"Range": asked})

    beginning = fetch("bytes=0-99999")
    assert server.client.get(f"/api/downloads/{download_id}").json()["status"] == "downloading"
    assert (beginning.status_code, beginning.content) == (206, origin.content(0, 100_000, 5))
    assert beginning.headers["content-range"] == f"bytes 0-99999/{size}"
    assert beginning.headers["content-type"] == "video/mp4"
    assert "default-src 'none'" in beginning.headers["content-security-policy"]
    beyond = fetch(f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert fetch("bytes=-1000").content == origin.content(size - 1000, size, 5), "waited for"
    whole = server.client.get(preview)
    assert (whole.status_code, whole.content) == (200, origin.content(0, size, 5)), "over the end of the download"
    assert fetch("bytes=10-19").content == origin.content(10, 20, 5)


def test_what_is_no_film_is_not_shown_before_it_is_done(server: Any, origin: Any, feed: FeedClient) -> None:
    urls = [origin.url(f"/file/{name}", size=9_000_000, rate=100_000) for name in ("paper.pdf", "film.mp4")]
    added = server.client.post("/api/downloads", json={"urls": urls, "start": False}).json()["downloads"]
    for download in added:
        refused = server.client.get(f"/api/downloads/{download['id']}/preview")
        assert (refused.status_code, refused.json()["code"]) == (409, "wrong-status")
