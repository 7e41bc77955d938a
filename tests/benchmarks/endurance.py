"""Whether anything grows over thousands of downloads: memory, descriptors, threads, processes. Prints a Markdown table.

Run: ``python3 dev.py bench endurance`` (5,000 downloads; another number may follow). With ``--svg FILE`` it draws the
server's memory, too. A client of the feed listens all the time; every tenth download is paused and resumed, every
twentieth is removed. Growth is told for the second half, when caches and the list's first snapshot are behind.
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import psutil
from fault_server import FaultServer
from feed_client import FeedClient
from live_server import LiveServer

BATCH = 250
SIZE = 20_000
ALLOWED_BYTES_PER_DOWNLOAD = 6_000
"""What the list itself may take: a finished download in memory and in the store's table."""


@dataclass(frozen=True)
class Sample:
    """The server, its zygote and its workers at one moment when nothing runs."""

    downloads: int
    server_bytes: int
    zygote_bytes: int
    descriptors: int
    threads: int
    processes: int
    rate: float


def sampled(server: LiveServer, downloads: int, rate: float) -> Sample:
    process = psutil.Process(server.pid)
    children = process.children(recursive=True)
    zygote_bytes = sum(child.memory_full_info().uss for child in children)
    return Sample(
        downloads,
        process.memory_info().rss,
        zygote_bytes,
        process.num_fds(),
        process.num_threads(),
        1 + len(children),
        rate,
    )


def batch(server: LiveServer, origin: FaultServer, first: int) -> None:
    urls = [origin.url(f"/{n}.bin", size=SIZE, seed=n % 50) for n in range(first, first + BATCH)]
    ids = [d["id"] for d in server.client.post("/api/downloads", json={"urls": urls}).json()["downloads"]]
    for download_id in ids[::10]:
        if server.client.post(f"/api/downloads/{download_id}/pause").is_success:
            server.client.post(f"/api/downloads/{download_id}/resume")
    for download_id in ids[::20]:
        server.client.delete(f"/api/downloads/{download_id}?file=true")
    until = time.monotonic() + 600
    while True:
        counts = server.client.get("/api/stats").json()["counts"]
        if not any(counts[status] for status in ("queued", "probing", "downloading", "processing")):
            break
        assert time.monotonic() < until, counts
        time.sleep(0.05)
    assert not counts["failed"], counts
    origin.reset()


def settled(server: LiveServer) -> None:
    """Wait until no worker is left."""
    until = time.monotonic() + 20
    while len(psutil.Process(server.pid).children(recursive=True)) > 1 and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1)


def main(total: int, svg: Path | None) -> None:
    samples = []
    with tempfile.TemporaryDirectory() as folder, FaultServer() as origin:
        server = LiveServer(Path(folder))
        server.start()
        server.client.patch("/api/settings", json={"max_active": 8}).raise_for_status()
        with FeedClient(server.url) as feed:
            for first in range(0, total, BATCH):
                begun = time.monotonic()
                batch(server, origin, first)
                rate = BATCH / (time.monotonic() - begun)
                settled(server)
                samples.append(sampled(server, first + BATCH, rate))
                feed.messages.clear()
        server.close()
    report(samples)
    if svg:
        svg.write_text(drawn(samples))


def report(samples: list[Sample]) -> None:
    print("| downloads | server | zygote | descriptors | threads | processes | downloads per second |")
    print("| --- " * 7 + "|")
    for s in samples[:: max(1, len(samples) // 10)] + samples[-1:]:
        cells = (f"{s.downloads:,}", f"{s.server_bytes / 1e6:.1f} MB", f"{s.zygote_bytes / 1e6:.1f} MB")
        print("|", " | ".join((*cells, str(s.descriptors), str(s.threads), str(s.processes), f"{s.rate:.0f}")), "|")
    middle, end = samples[len(samples) // 2], samples[-1]
    per_download = (end.server_bytes - middle.server_bytes) / max(1, end.downloads - middle.downloads)
    print(f"\nSecond half: the server grows by {per_download:,.0f} bytes for each download on its list.")
    problems = []
    if per_download > ALLOWED_BYTES_PER_DOWNLOAD:
        problems.append(f"more than {ALLOWED_BYTES_PER_DOWNLOAD} bytes a download")
    if end.zygote_bytes > middle.zygote_bytes * 1.1 + 1_000_000:
        problems.append("the zygote grows")
    counted = ("descriptors", "threads", "processes")
    problems += [f"{name} grow" for name in counted if getattr(end, name) > getattr(middle, name) + 2]
    print("Nothing else grows." if not problems else f"Grows: {', '.join(problems)}.")
    if problems:
        sys.exit(1)


def drawn(samples: list[Sample]) -> str:
    """Memory over downloads, as a small drawing that needs nothing."""
    top = max(s.server_bytes for s in samples) * 1.15
    most = samples[-1].downloads

    def line(name: str, colour: str) -> str:
        points = " ".join(
            f"{60 + 620 * s.downloads / most:.0f},{260 - 230 * getattr(s, name) / top:.0f}" for s in samples
        )
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'

    marks = "".join(
        f'<text x="52" y="{264 - 230 * share:.0f}" text-anchor="end">{top * share / 1e6:.0f} MB</text>'
        f'<line x1="60" x2="680" y1="{260 - 230 * share:.0f}" y2="{260 - 230 * share:.0f}" stroke="#8884"/>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    words = f'<text x="680" y="285" text-anchor="end">{most:,} downloads</text>'
    words += '<text x="70" y="24" fill="#2563eb">server</text><text x="130" y="24" fill="#d97706">zygote</text>'
    style = 'font-family="sans-serif" font-size="12" fill="#888"'
    body = marks + words + line("server_bytes", "#2563eb") + line("zygote_bytes", "#d97706")
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 300" {style}>{body}</svg>\n'


if __name__ == "__main__":
    arguments = sys.argv[1:]
    drawing = Path(arguments.pop(arguments.index("--svg") + 1)) if "--svg" in arguments else None
    main(next((int(a) for a in arguments if a.isdecimal()), 5_000), drawing)
