"""The developer's command: what it counts, finds and says. That it installs and starts: ``test_dev_commands.py``."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import dev

REPORT = """<?xml version="1.0"?><testsuites><testsuite name="a">
<testcase name="one"/><testcase name="two \x1b[31m"><failure message="x">\x07</failure></testcase>
<testcase name="three"><error>x</error></testcase></testsuite>
<testsuite name="b"><testsuite name="c"><testcase name="four"><skipped/></testcase><testcase name="five"/></testsuite>
</testsuite></testsuites>"""


def program(path: Path, exit_code: int, says: str = "") -> Path:
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {exit_code}\n")
    path.chmod(0o755)
    return path


def test_a_report_is_counted(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert dev.counted(report, 1) == Counter(passed=2, failed=2, skipped=1)


@pytest.mark.parametrize("text", [None, "", "<testsuites>", "<testsuites/>"])
def test_a_runner_that_fails_without_a_failed_test_is_a_failure(tmp_path: Path, text: str | None) -> None:
    report = tmp_path / "report.xml"
    if text is not None:
        report.write_text(text)
    assert dev.counted(report, 2) == Counter(failed=1)
    assert not dev.counted(report, 0)


def test_both_runners_write_what_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_a.py").write_text(
        "import pytest\ndef test_a(): pass\ndef test_b(): assert 0, '\\x1b'\n@pytest.mark.skip\ndef test_c(): pass\n"
        "@pytest.fixture\ndef broken(): raise OSError\ndef test_d(broken): pass\n"
    )
    report = tmp_path / "pytest.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", str(folder)]
    exit_code = subprocess.run(command, capture_output=True, cwd=tmp_path, check=False).returncode
    assert dev.counted(report, exit_code) == Counter(passed=1, failed=2, skipped=1)


def test_the_extensions_tests_are_run_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tests/extension/deeper"
    folder.mkdir(parents=True)
    (folder / "a.test.js").write_text(
        "const test = require('node:test'), assert = require('node:assert');"
        "test('good', () => {}); test('bad \\u001b', () => assert.ok(0)); test('later', {skip: true}, () => {});"
        "test.describe('more', () => { test.it('good', () => {}) })"
    )
    (folder / "fake.js").write_text("throw new Error('no test file')")
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    assert dev.run_node_tests({}, tmp_path) == Counter(passed=2, failed=1, skipped=1)


def test_a_browser_counts_only_if_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.delenv("CHROMIUM", raising=False)
    stub = program(tmp_path / "chromium", 1)
    real = program(tmp_path / "chromium-browser", 0)
    named = program(tmp_path / "mine", 0)
    assert dev.find_browser() == str(real)
    monkeypatch.setenv("CHROMIUM", str(named))
    assert dev.find_browser() == str(named)
    monkeypatch.setenv("CHROMIUM", str(stub))
    real.unlink()
    assert dev.find_browser() is None


def test_a_node_that_is_too_old_gives_way_to_the_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    system = program(tmp_path / "node", 0, f"v{dev.NODE_MAJOR}.1.0")
    assert dev.node() == str(system)
    program(system, 0, f"v{dev.NODE_MAJOR - 1}.9.0")
    monkeypatch.setattr(dev, "PYTHON", sys.executable)
    told = subprocess.run([dev.node(), "--version"], capture_output=True, text=True, check=True).stdout
    assert int(told[1:].split(".")[0]) >= dev.NODE_MAJOR


def test_what_cannot_be_fetched_is_told_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    unreachable = [sys.executable, "-c", "raise SystemExit('urllib3 NewConnectionError: refused')"]
    with pytest.raises(dev.CannotGoOn, match="is there a network"):
        dev.fetch(unreachable, "X")
    assert capfd.readouterr().err == ""
    with pytest.raises(dev.CannotGoOn, match="above"):
        dev.fetch([sys.executable, "-c", "raise SystemExit('no such package')"], "X")
    assert capfd.readouterr().err == "no such package\n"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        ([], 0, "python3 dev.py run"),
        (["--help"], 0, "python3 dev.py run"),
        (["nonsense"], 2, "python3 dev.py run"),
        (["check", "--nonsense"], 1, "check takes no argument but --fix"),
        (["bench", "nonsense"], 1, "no benchmark 'nonsense', but: "),
    ],
)
def test_what_it_says(capsys: pytest.CaptureFixture[str], arguments: list[str], exit_code: int, says: str) -> None:
    assert dev.main(arguments) == exit_code
    told = capsys.readouterr()
    assert says in told.out + told.err
    assert exit_code != 1 or len(told.err.splitlines()) == 1


def test_an_old_python_is_told_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    assert dev.main(["run"]) == 1
    assert capsys.readouterr().err.startswith("dev.py: Python 3.11 or newer is needed")
