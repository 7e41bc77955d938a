"""What a row says."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from idm_app.dashboard.row_state import row_state, size_text, status_text, title
from idm_app.dashboard.words import words_in
from idm_app.model import Category, Download, Failure, Kind, Request, Status
from idm_app.units import utc_now

NBSP = "\u00a0"


ENGLISH = words_in("en")


def download(**fields: Any) -> Download:
    request = Request(fields.pop("url", "https://files.example.org/a/film.mp4"))
    return Download(id=7, request=request, created_at=utc_now(), **fields)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, ""),
        ({"total_bytes": 10_000_000}, "10.0 MB"),
        ({"received_bytes": 4_530_000}, "4.53 MB"),
        ({"received_bytes": 4_530_000, "total_bytes": 10_000_000}, "4.53 of 10.0 MB"),
        ({"received_bytes": 980_000, "total_bytes": 10_000_000}, "980 kB of 10.0 MB"),
        ({"received_bytes": 4_530_000, "total_bytes": 10_000_000, "total_is_estimate": True}, "4.53 of ~10.0 MB"),
        ({"total_bytes": 10_000_000, "total_is_estimate": True}, "~10.0 MB"),
        ({"received_bytes": 10, "total_bytes": 10, "status": Status.COMPLETED}, "10 B"),
        ({"received_bytes": 0, "total_bytes": 0, "status": Status.COMPLETED}, "0 B"),
        ({"kind": Kind.PLAYLIST, "status": Status.COMPLETED}, ""),
    ],
)
def test_size(fields: dict[str, Any], text: str) -> None:
    assert size_text(download(**fields), ENGLISH).replace(NBSP, " ") == text


def test_the_status_is_words_and_the_phase_where_that_says_more() -> None:
    assert status_text(download(status=Status.DOWNLOADING), ENGLISH) == "Downloading"
    assert status_text(download(status=Status.DOWNLOADING, phase="video"), ENGLISH) == "Downloading video"
    assert status_text(download(status=Status.PROCESSING, phase="merging"), ENGLISH) == "Merging"
    assert status_text(download(status=Status.PROCESSING, phase="a-new-one"), ENGLISH) == "Processing"
    assert status_text(download(status=Status.PAUSED, phase="video"), ENGLISH) == "Paused"
    busy = Failure("server-busy", "The server is busy.", "503", True)
    assert status_text(download(status=Status.QUEUED, error=busy), ENGLISH) == "Waiting to try again"
    full = Failure("disk-full", "The disk is full.", "ENOSPC", True)
    assert status_text(download(status=Status.PAUSED, error=full), ENGLISH) == "Waiting for room on the disk"


def test_one_that_starts_later_says_when_as_an_instant_for_the_browser() -> None:
    later = datetime(2026, 12, 24, 18, tzinfo=UTC)
    busy = Failure("server-busy", "The server is busy.", "503", True)
    assert row_state(download(not_before=later), ENGLISH)["not_before"] == "2026-12-24T18:00:00.000Z"
    assert row_state(download(not_before=later, error=busy), ENGLISH)["not_before"] is None
    assert row_state(download(not_before=later, status=Status.DOWNLOADING), ENGLISH)["not_before"] is None


def test_the_best_name_known() -> None:
    assert title(download(title="A film", filename="film.mp4")) == "A film"
    assert title(download(filename="film.mp4")) == "film.mp4"
    assert title(download(url="https://x.example/a%20b/c%C3%A4.zip?d=1")) == "cä.zip"
    assert title(download(url="https://x.example/")) == "x.example"


def test_every_status_has_its_words_and_actions() -> None:
    actions = {status: row_state(download(status=status), ENGLISH)["actions"] for status in Status}
    assert all("remove" in names for names in actions.values())
    assert [status for status, names in actions.items() if "pause" in names] == [
        Status.QUEUED, Status.PROBING, Status.DOWNLOADING, Status.PROCESSING,
    ]  # fmt: skip
    assert [status for status, names in actions.items() if "resume" in names] == [Status.PAUSED]
    assert [status for status, names in actions.items() if "retry" in names] == [Status.FAILED]


def test_only_a_finished_file_can_be_saved() -> None:
    done = download(status=Status.COMPLETED)
    assert row_state(done, ENGLISH)["file_url"] == "/api/downloads/7/file"
    assert row_state(replace(done, kind=Kind.PLAYLIST), ENGLISH)["file_url"] is None
    assert row_state(download(status=Status.DOWNLOADING), ENGLISH)["file_url"] is None


def test_numbers_are_as_everywhere_and_unknown_is_empty() -> None:
    running = download(
        status=Status.DOWNLOADING, category=Category.VIDEO, progress=45.31, bytes_per_second=1.25e6, eta_seconds=65
    )
    state = row_state(running, ENGLISH)
    assert state["progress"] == 45.3
    assert state["percent_text"] == f"45.3{NBSP}%"
    assert state["rate_text"] == f"1.25{NBSP}MB/s"
    assert state["eta_text"] == f"1{NBSP}min{NBSP}05{NBSP}s"
    unknown = row_state(download(status=Status.PROBING), ENGLISH)
    assert unknown["progress"] is None
    assert (unknown["percent_text"], unknown["rate_text"], unknown["eta_text"], unknown["size_text"]) == ("",) * 4


def test_an_unfinished_bar_is_never_full() -> None:
    assert row_state(download(status=Status.DOWNLOADING, progress=99.97), ENGLISH)["progress"] == 99.9


def test_an_error_has_its_sentence_and_the_raw_text() -> None:
    failed = download(status=Status.FAILED, error=Failure("not-found", "No such file.", "HTTP Error 404", False))
    assert row_state(failed, ENGLISH)["error"] == {"message": "No such file.", "detail": "HTTP Error 404"}
    silent = download(status=Status.FAILED, error=Failure("internal", "Something went wrong.", "", True))
    assert row_state(silent, ENGLISH)["error"]["detail"] == "internal"
