"""How fast the engine is beside aria2c and curl: interleaved runs, medians, ratios. Prints a Markdown table.

Run: ``python3 dev.py bench engine [CASE …]``. Everything is on loopback, or at the end of a line that is made up
(``origins/wide_area.py``), and in memory where there is ``/dev/shm``. Ours is measured in a resident server's way: from
the job to the end of its worker, forked from a warm process. The others run at the low priority that our workers have.
Compare only figures of one run: the machine may be busy with other things.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import psutil
import trustme
from origins import wide_area

sys.path.insert(0, str(Path(__file__).parent.parent))
from feed_client import FeedClient
from live_server import LiveServer

from idm_app.engine.messages import Finished, Job, Report
from idm_app.engine.supervisor import Supervisor, default_launcher
from idm_app.engine.worker import be_nice

MIB = 1 << 20
AUTHORITY, KEY = "authority.pem", "key.pem"
ORIGIN = Path(__file__).parent / "origins" / "fast_origin.py"


@dataclass(frozen=True)
class Case:
    """One race."""

    title: str
    size: int
    query: str = ""
    files: int = 1
    connections: int = 16
    with_curl: bool = False
    with_tls: bool = False
    line: wide_area.Line | None = None
    with_server: bool = False
    """Ours is measured at the server: from the call that adds the files to the last one's end on the feed."""
    goal: str = ""


CASES = {
    "throttled": Case("256 MiB, 4 MiB/s a connection", 256 * MIB, "rate=4194304", goal="≥ 0.97"),
    "region": Case(
        "the same, 16 MiB of it 20 × slower", 256 * MIB, "rate=4194304&region=104857600-121634816", goal="≥ 1.0"
    ),
    "connection": Case("the same, one connection 20 × slower", 256 * MIB, "rate=4194304&slow=6", goal="≥ 1.05"),
    "crawl": Case("the same, one connection 100 × slower", 256 * MIB, "rate=4194304&slow=6&slower=100", goal="≥ 1.3"),
    "open": Case("1 GiB, as fast as it goes", 1024 * MIB, with_curl=True, goal="≥ 1.2"),
    "tls": Case("1 GiB over TLS", 1024 * MIB, with_curl=True, with_tls=True, goal="≥ 1.0"),
    "distant": Case(
        "128 MiB, 100 ms away, 200 Mbit/s", 128 * MIB, with_curl=True, line=wide_area.Line(), goal="≥ 0.95"
    ),
    "lossy": Case("the same, 0.1 % of the packets lost", 128 * MIB, line=wide_area.Line(loss=0.001), goal="≥ 0.95"),
    "small": Case("200 files of 256 KiB, 16 at once", 256 << 10, files=200, with_server=True, goal="≥ 0.5"),
}


class Ours:
    """Our engine, resident and warm."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended: dict[int, asyncio.Event] = {}
        self._last: dict[int, Report] = {}
        self._supervisor = Supervisor(self._on_report, lambda number, _: self._ended[number].set(), default_launcher())
        self._numbers = iter(range(1, 1 << 30))

    async def __aenter__(self) -> "Ours":
        await self._supervisor.start()
        await asyncio.sleep(4)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._supervisor.close()

    def _on_report(self, number: int, report: Report) -> None:
        self._last[number] = report

    async def race(self, urls: list[str], case: Case) -> tuple[float, float]:
        """Seconds, and CPU seconds of the workers."""
        slots = asyncio.Semaphore(16)
        zygote = next(child for child in psutil.Process().children() if "zygote" in child.cmdline()[-1])
        cpu = _tree_cpu(zygote)
        began = time.perf_counter()
        await asyncio.gather(*(self._one(url, case, slots) for url in urls))
        seconds = time.perf_counter() - began
        await asyncio.sleep(0.1)
        return seconds, _tree_cpu(zygote) - cpu

    async def _one(self, url: str, case: Case, slots: asyncio.Semaphore) -> None:
        async with slots:
            number = next(self._numbers)
            self._ended[number] = asyncio.Event()
            job_folder = self._folder / ".idm" / str(number)
            self._supervisor.run(Job(number, url, str(self._folder), str(job_folder), connections=case.connections))
            await self._ended[number].wait()
            if not isinstance(self._last[number], Finished):
                raise SystemExit(f"ours did not finish {url}: {self._last[number]}")


class Served:
    """Our server, started for one case; the CPU seconds are those of the server and all its workers."""

    def __init__(self, folder: Path) -> None:
        self._server = LiveServer(folder)
        self._server.start()
        self._server.client.patch("/api/settings", json={"max_active": 16}).raise_for_status()
        process, before = psutil.Process(self._server.pid), -1.0
        while (now := _tree_cpu(process)) - before > 0.02:  # until it has loaded what it loads while nothing is asked
            before = now
            time.sleep(0.5)

    async def race(self, urls: list[str], case: Case) -> tuple[float, float]:
        """Seconds, and CPU seconds."""
        process = psutil.Process(self._server.pid)
        with FeedClient(self._server.url) as feed:
            cpu = _tree_cpu(process)
            began = time.perf_counter()
            added = await asyncio.to_thread(self._server.client.post, "/api/downloads", json={"urls": urls})
            ids = [download["id"] for download in added.raise_for_status().json()["downloads"]]
            await asyncio.to_thread(feed.wait_until, lambda found: all(found.get(i, {}).get("done") for i in ids), 120)
            seconds = time.perf_counter() - began
            assert all(feed.downloads[i]["status"] == "completed" for i in ids)
        await asyncio.sleep(0.5)
        return seconds, _tree_cpu(process) - cpu

    def close(self) -> None:
        self._server.close()


def _tree_cpu(process: psutil.Process) -> float:
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return float(sum(t.user + t.system + t.children_user + t.children_system for t in times))


async def aria2c(urls: list[str], case: Case, folder: Path) -> tuple[float, float]:
    """Seconds, and CPU seconds."""
    command = ["aria2c", "-q", "-x16", "-s16", "-k1M", "-j16", "--file-allocation=none", "-d", str(folder), "-Z"]
    trust = [f"--ca-certificate={folder / AUTHORITY}"] if case.with_tls else []
    return await _timed([*command, *trust, *urls])


async def curl(urls: list[str], case: Case, folder: Path) -> tuple[float, float]:
    """Seconds, and CPU seconds."""
    trust = ["--cacert", str(folder / AUTHORITY)] if case.with_tls else []
    return await _timed(["curl", "-s", *trust, "-o", str(folder / "curl.bin"), *urls])


async def _timed(command: list[str]) -> tuple[float, float]:
    before = os.times()
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*command, start_new_session=True, preexec_fn=be_nice)
    if await process.wait():
        raise SystemExit(f"{command[0]} failed")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, cpu


@contextmanager
def origin(case: Case, folder: Path) -> Iterator[str]:
    """Its address, while it runs."""
    command = [sys.executable, str(ORIGIN), *([str(folder / KEY)] if case.with_tls else [])]
    if case.line:
        with wide_area.distant(command, case.line) as port:
            yield f"http://{wide_area.FAR}:{port}"
        return
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http{'s' * case.with_tls}://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


async def race(names: list[str], runs: int) -> None:
    print(
        "| case | ours s (CPU s) | aria2c s (CPU s) | curl s | ours : aria2c (rate) | goal |\n|---|---|---|---|---|---|"
    )
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        folder = Path(name)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / AUTHORITY)
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / KEY)
        os.environ["SSL_CERT_FILE"] = str(folder / AUTHORITY)
        async with Ours(folder) as ours:
            for case_name in names:
                case = CASES[case_name]
                with (
                    origin(case, folder) as url,
                    closing(Served(folder)) if case.with_server else nullcontext(ours) as one,
                ):
                    print(await _race_one(case, case_name, runs, one, url, folder), flush=True)


async def _race_one(case: Case, name: str, runs: int, ours: Ours | Served, url: str, folder: Path) -> str:
    times: dict[str, list[tuple[float, float]]] = {"ours": [], "aria2c": [], "curl": []}
    for run in range(runs):
        for tool in ("ours", "aria2c", "curl"):
            if tool == "curl" and not case.with_curl:
                continue
            urls = [f"{url}/{name}-{tool}-{run}-{n}.bin?size={case.size}&{case.query}" for n in range(case.files)]
            if tool == "ours":
                times[tool].append(await ours.race(urls, case))
            else:
                times[tool].append(await {"aria2c": aria2c, "curl": curl}[tool](urls, case, folder))
            for path in folder.glob("*.bin*"):
                path.unlink()
    median = {tool: statistics.median(seconds for seconds, _ in found) for tool, found in times.items() if found}
    cpu = {tool: statistics.median(seconds for _, seconds in found) for tool, found in times.items() if found}
    ours, theirs = (f"{median[tool]:.2f} ({cpu[tool]:.2f})" for tool in ("ours", "aria2c"))
    single = f"{median['curl']:.2f}" if "curl" in median else "–"
    ratio = median["aria2c"] / median["ours"]
    return f"| {case.title} | {ours} | {theirs} | {single} | **{ratio:.2f}** | {case.goal} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("case", nargs="*", choices=[[], *CASES], help="all unless named")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("aria2c") or not shutil.which("curl"):
        sys.exit("aria2c and curl are needed")
    if any(CASES[name].line for name in options.case or CASES):
        wide_area.enter()
    asyncio.run(race(options.case or list(CASES), options.runs))


if __name__ == "__main__":
    main()
