"""What is written down of a live stream, whatever the server says."""

import threading
from pathlib import Path

import pytest

from idm_app.engine import recording
from idm_app.engine.live_playlist import Header, LivePlaylist, Piece
from idm_app.engine.messages import Noted
from idm_app.engine.recording import Recording
from idm_app.errors import DownloadError


class Scripted:
    """A stream that offers these numbers, one list after the other; the last ends it. A piece is its own number."""

    def __init__(self, *offers: range | str, missing: tuple[int, ...] = ()) -> None:
        self._offers = list(offers)
        self._missing = missing

    def offer(self, since: int | None) -> LivePlaylist:
        numbers = self._offers.pop(0)
        if isinstance(numbers, str):
            raise DownloadError(numbers)
        pieces = tuple(Piece(number, number + 1, str(number), header=("head", None)) for number in numbers)
        return LivePlaylist(pieces, 0.02, is_ended=not self._offers, unit_seconds=2.0)

    def bring(self, piece: Piece) -> bytes:
        if piece.number in self._missing:
            raise DownloadError("not-found")
        return f" {piece.number}".encode()

    def head(self, header: Header) -> bytes:
        return header[0].encode()


def recorded(folder: Path, stream: Scripted) -> tuple[str, list[Noted]]:
    notes: list[Noted] = []
    taken = Recording(folder / "live.recording", stream, threading.Event(), lambda: False, notes.append)
    taken.run()
    taken.finish_as(folder / "live")
    assert [path.name for path in folder.iterdir()] == ["live"]
    return (folder / "live").read_text(), notes


def gap(seconds: int) -> Noted:
    return Noted("gap", (("seconds", str(seconds)),))


@pytest.mark.parametrize(
    ("offers", "written", "notes"),
    [
        ([range(3, 6), range(4, 8)], "head 3 4 5 6 7", []),
        ([range(3, 6), range(3, 6), range(6, 6)], "head 3 4 5", []),
        ([range(3, 6), range(8, 10)], "head 3 4 5 8 9", [gap(4)]),
        ([range(3, 6), range(1, 4), range(4, 7)], "head 3 4 5 6", []),
        ([range(30, 33), range(2), range(3), range(0)], "head 30 31 32 0 1 2", []),
        ([range(3, 6), "server-error", "connection-lost", range(4, 7)], "head 3 4 5 6", []),
    ],
    ids=["what is new", "nothing new", "a gap", "an old answer", "counted anew", "a failure that passes"],
)
def test_each_piece_is_written_once(
    tmp_path: Path, offers: list[range | str], written: str, notes: list[Noted]
) -> None:
    assert recorded(tmp_path, Scripted(*offers)) == (written, notes)


def test_what_is_never_there_is_left_out_even_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "LATE_SECONDS", 0.0)
    assert recorded(tmp_path, Scripted(range(3, 6), range(4, 9), missing=(6, 7))) == ("head 3 4 5 8", [gap(4)])


def test_a_last_piece_that_never_comes_does_not_keep_it_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "LATE_SECONDS", 0.0)
    assert recorded(tmp_path, Scripted(range(3, 6), range(4, 8), missing=(7,))) == ("head 3 4 5 6", [])


def test_a_failure_that_stays_ends_it_and_keeps_what_is_there(tmp_path: Path) -> None:
    text, notes = recorded(tmp_path, Scripted(range(3), "forbidden"))
    assert text == "head 0 1 2"
    assert [note.code for note in notes] == ["stream-lost"]


@pytest.mark.parametrize(("offers", "code"), [([range(0)], "live-not-started"), (["forbidden"], "forbidden")])
def test_nothing_is_no_recording(tmp_path: Path, offers: list[range | str], code: str) -> None:
    with pytest.raises(DownloadError) as failure:
        recorded(tmp_path, Scripted(*offers))
    assert failure.value.failure_code == code


def test_one_that_was_broken_off_goes_on_behind_whole_pieces(tmp_path: Path) -> None:
    taken = Recording(
        tmp_path / "live.recording", Scripted(range(3), "forbidden"), threading.Event(), lambda: False, lambda _: None
    )
    taken.run()
    with (tmp_path / "live.recording").open("ab") as file:
        file.write(b" half a pie")
    assert recorded(tmp_path, Scripted(range(5))) == ("head 0 1 2 3 4", [])
