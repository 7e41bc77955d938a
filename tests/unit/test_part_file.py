"""Part file, sidecar and the way to the final name, on a real disk."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from idm_app.engine import part_file
from idm_app.engine.part_file import PartFile, Sidecar, boot_id, disk_failure, publish
from idm_app.errors import DownloadError


@pytest.fixture
def part(tmp_path: Path) -> PartFile:
    opened = PartFile(tmp_path / "job" / "content.part")
    opened.open()
    return opened


def test_bytes_go_where_they_belong_in_any_order(part: PartFile) -> None:
    part.write(6, [b"wor", b"ld"])
    part.write(0, [b"hello "])
    part.close()
    assert part.path.read_bytes() == b"hello world"


def test_more_buffers_than_one_call_takes_are_written(part: PartFile) -> None:
    part.write(0, [bytes([number % 256]) for number in range(3000)])
    part.close()
    assert part.path.read_bytes() == bytes(number % 256 for number in range(3000))


def test_without_positioned_writes_the_same_bytes_arrive(part: PartFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_file, "_HAS_POSITIONED_WRITE", False)
    part.write(4, [b"56", b"78"])
    part.write(0, [b"1234"])
    part.close()
    assert part.path.read_bytes() == b"12345678"


def test_a_sidecar_comes_back_as_it_was(part: PartFile) -> None:
    part.write(0, [bytes(100)])
    sidecar = Sidecar(200, ((0, 40), (60, 100)), ((0, 10),), '"tag"', "Mon, 1 Jan 2026 00:00:00 GMT", boot_id())
    part.write_sidecar(sidecar)
    assert part.read_sidecar() == sidecar
    assert sidecar.trusted == ((0, 40), (60, 100))


def test_after_a_restart_of_the_machine_only_what_was_on_the_disk_counts(part: PartFile) -> None:
    part.write(0, [bytes(100)])
    sidecar = Sidecar(200, ((0, 100),), ((0, 10),), boot_id="another start")
    part.write_sidecar(sidecar)
    assert sidecar.trusted == ((0, 10),)
    assert replace(sidecar, boot_id=None).trusted == ((0, 10),)


@pytest.mark.parametrize("total_bytes", ['"100"', "null", "100.0", "true", "9", "-1", "[100]"])
def test_a_sidecar_whose_size_is_none_is_no_sidecar(part: PartFile, total_bytes: str) -> None:
    part.write(0, [bytes(10)])
    part.path.with_name("content.part.json").write_text(
        f'{{"total_bytes": {total_bytes}, "received": [], "synced": [[0, 5]]}}'
    )
    assert part.read_sidecar() is None


@pytest.mark.parametrize("name", ["etag", "last_modified", "final_name", "boot_id"])
def test_a_sidecar_with_something_else_for_a_text_is_no_sidecar(part: PartFile, name: str) -> None:
    part.write(0, [bytes(10)])
    sidecar = part.path.with_name("content.part.json")
    for value, is_sound in (('"text"', True), ("7", False), ("[]", False)):
        sidecar.write_text(f'{{"total_bytes": 100, "received": [], "synced": [[0, 5]], "{name}": {value}}}')
        assert (part.read_sidecar() is not None) is is_sound


@pytest.mark.parametrize("content", ["", "{", "[]", '{"total_bytes": 5}', '{"received": [[1]]}', "null", "\x00" * 50])
def test_a_damaged_sidecar_is_no_sidecar(part: PartFile, content: str) -> None:
    part.write(0, [bytes(10)])
    part.path.with_name("content.part.json").write_text(content)
    assert part.read_sidecar() is None


def test_a_sidecar_that_claims_more_than_is_there_is_not_believed(part: PartFile) -> None:
    part.write(0, [bytes(99)])
    part.write_sidecar(Sidecar(200, ((0, 100),), boot_id=boot_id()))
    assert part.read_sidecar() is None


def test_clearing_forgets_both(part: PartFile) -> None:
    part.write(0, [bytes(99)])
    part.write_sidecar(Sidecar(99, ((0, 99),), boot_id=boot_id()))
    part.clear()
    assert part.read_sidecar() is None
    assert part.size_bytes == 0


def test_a_link_planted_at_the_part_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "content.part").symlink_to(victim)
    with pytest.raises(DownloadError) as caught:
        PartFile(tmp_path / "content.part").open()
    assert caught.value.failure_code == "folder-not-writable"
    assert victim.read_bytes() == b"precious"


def source_file(folder: Path, content: bytes = b"new") -> Path:
    path = folder / "content.part"
    path.write_bytes(content)
    return path


def test_publishing_moves_the_file(tmp_path: Path) -> None:
    source = source_file(tmp_path)
    target = publish(source, tmp_path / "made" / "here", "a.zip")
    assert target == tmp_path / "made" / "here" / "a.zip"
    assert target.read_bytes() == b"new"
    assert not source.exists()


def test_an_existing_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"old")
    (tmp_path / "a (1).tar.gz").symlink_to(tmp_path / "nowhere")
    assert publish(source_file(tmp_path), tmp_path, "a.tar.gz").name == "a (2).tar.gz"
    assert (tmp_path / "a.tar.gz").read_bytes() == b"old"
    assert not (tmp_path / "nowhere").exists()


def test_a_disk_without_hard_links_replaces_nothing_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "not supported")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a.zip").write_bytes(b"old")
    assert publish(source_file(tmp_path), tmp_path, "a.zip").read_bytes() == b"new"
    assert (tmp_path / "a.zip").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a (1).zip", "a.zip"]


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "disk-full"), (errno.EDQUOT, "disk-full"), (errno.EACCES, "folder-not-writable")],
)
def test_errors_of_the_disk_have_their_code(number: int, code: str) -> None:
    assert disk_failure(OSError(number, "text", "/x")).failure_code == code
