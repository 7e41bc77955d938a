"""How fast media comes beside plain yt-dlp: interleaved runs, medians, ratios. Prints a Markdown table.

Run: ``python3 dev.py bench media``. The origin, a process of its own on loopback, gives each connection so many bytes a
second, as video sites do. Ours is measured as a resident server has it: from the job to the end of its worker, forked
from a warm process; yt-dlp as the command that it is, with its start. Compare only figures of one run.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from idm_app.engine.messages import Finished, Job
from idm_app.engine.supervisor import Supervisor, default_launcher

MIB = 1 << 20
CONNECTIONS = 8


@dataclass(frozen=True)
class Case:
    """One race: ``make`` is a method of the media site, ``rate`` what a connection gets in bytes a second."""

    title: str
    make: str
    rate: int
    goal: str


CASES = (
    Case("video 24 MiB and audio 3 MiB over HTTP, 2 MiB/s a connection", "dash_on_demand", 2 * MIB, "≥ 4"),
    Case("HLS, picture and sound apart, 30 KiB/s a connection", "hls_split", 30 << 10, "–"),
    Case("DASH in segments, 30 KiB/s a connection", "dash", 30 << 10, "–"),
)


def serve() -> None:
    """The origin: prints the cases' addresses."""
    import media_files
    from media_site import MediaSite

    with MediaSite() as site:
        for name, size in (("video.mp4", 24 * MIB), ("audio.m4a", 3 * MIB)):
            site._files[f"ondemand/{name}"] = media_files.padded(site._files[f"ondemand/{name}"], size)
        for case in CASES:
            print(getattr(site, case.make)(rate=case.rate), flush=True)
        threading.Event().wait()


async def ours(supervisor: Supervisor, url: str, folder: Path) -> float:
    """Seconds."""
    job = Job(1, url, str(folder), str(folder / ".idm"), connections=CONNECTIONS)
    began = time.perf_counter()
    report = await supervisor.ask(job)
    seconds = time.perf_counter() - began
    if not isinstance(report, Finished):
        raise SystemExit(f"ours did not finish: {report}")
    return seconds


async def plain(url: str, folder: Path) -> float:
    """Seconds."""
    command = [sys.executable, "-m", "yt_dlp", "--ignore-config", "-q", "--no-warnings", "-P", str(folder), url]
    began = time.perf_counter()
    await asyncio.to_thread(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


async def race(urls: list[str], runs: int) -> None:
    print("| case | ours s | plain yt-dlp s | ratio | goal |\n|---|---|---|---|---|")
    supervisor = Supervisor(lambda *_: None, lambda *_: None, default_launcher())
    await supervisor.start()
    await asyncio.sleep(4)
    for case, url in zip(CASES, urls, strict=False):
        times: dict[str, list[float]] = {"ours": [], "plain": []}
        for _ in range(runs):
            for tool, found in times.items():
                with tempfile.TemporaryDirectory() as name:
                    found.append(
                        await (ours(supervisor, url, Path(name)) if tool == "ours" else plain(url, Path(name)))
                    )
        median = {tool: statistics.median(found) for tool, found in times.items()}
        figures = f"{median['ours']:.2f} | {median['plain']:.2f} | **{median['plain'] / median['ours']:.1f}**"
        print(f"| {case.title} | {figures} | {case.goal} |", flush=True)
    await supervisor.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cases", type=int, default=len(CASES), help="only the first so many")
    parser.add_argument("--serve", action="store_true", help="be the origin")
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as origin:
        assert origin.stdout is not None
        urls = [origin.stdout.readline().strip() for _ in CASES]
        try:
            asyncio.run(race(urls[: options.cases], options.runs))
        finally:
            origin.kill()


if __name__ == "__main__":
    main()
