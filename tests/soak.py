"""Random downloads from servers that misbehave, paused, resumed and their workers killed: every file must be right."""

import hashlib
import random
import time
from typing import Any

import psutil
from fault_server import FaultServer
from live_server import LiveServer

SIZES = (0, 1, 70_000, 900_000, 2_500_000)
SEEDS = 10
_BROKEN_OFF: tuple[dict[str, Any], ...] = (
    {},
    {"drop": 300_000},
    {"drop": 300_000, "reset": 1},
    {"drop": 400_000, "weak": 1},
    {"drop": 400_000, "noetag": 1, "modified": "Mon, 01 Jun 2026 00:00:00 GMT"},
    {"drop": 1_000_000, "drop_once": 1, "norange": 1},
    {"stall": 500_000, "stall_once": 1},
)
_TOLD_WRONGLY: tuple[dict[str, Any], ...] = (
    {},
    {"badrange": 1},
    {"multipart": 1},
    {"norange": 1},
    {"chunked": 1},
    {"nolen": 1},
    {"gzip": 1},
    {"nohead": 1},
    {"partial": 1},
)
_REFUSED: tuple[dict[str, Any], ...] = (
    {},
    {"fail": 2, "status": 503},
    {"fail": 1, "status": 500},
    {"fail": 1, "status": 429, "retry_after": 1},
    {"max_connections": 2},
    {"redirect": 3},
    {"first_byte_delay": 0.5},
    {"delay": 0.3},
)
_PACE: tuple[dict[str, Any], ...] = (
    {},
    {"rate": 400_000},
    {"rate": 1_500_000},
    {"rate": 1_500_000, "slow": 1},
    {"rate": 1_500_000, "slow_region": "100000-200000"},
)


class Soak:
    """One server that gets random downloads; the same ``seed`` asks for the same ones."""

    def __init__(self, server: LiveServer, origin: FaultServer, seed: int) -> None:
        self._server = server
        self._origin = origin
        self._rolls = random.Random(seed)
        self._expected: dict[int, tuple[str, str]] = {}
        """Address and SHA-256 of each id."""
        self.pauses = self.kills = 0

    def run(self, count: int, seconds: float) -> None:
        """Add ``count`` downloads and disturb them until all have ended, each with the right bytes."""
        for number in range(count):
            self._add(number)
        until = time.monotonic() + seconds
        while running := [one for one in self._downloads() if one["status"] not in ("completed", "failed")]:
            assert time.monotonic() < until, f"not within {seconds:.0f} s: {self._told(running)}"
            self._disturb(self._rolls.choice(running), most_pauses=count, most_kills=count // 8)
            time.sleep(self._rolls.uniform(0.05, 0.3))
        ended = self._downloads()
        failed = [one for one in ended if one["status"] == "failed"]
        assert not failed, self._told(failed)
        assert len(ended) == count
        for download in ended:
            self._check(download)

    def _add(self, number: int) -> None:
        wrongly = self._rolls.choice(_TOLD_WRONGLY)
        # Without ranges nothing ever gets beyond a break at the same place.
        broken = self._rolls.choice(_BROKEN_OFF) if not wrongly or "nohead" in wrongly else {}
        knobs = broken | wrongly | self._rolls.choice(_REFUSED) | self._rolls.choice(_PACE)
        size = self._rolls.choice(SIZES)
        url = self._origin.url(f"/soak-{self._server.port}-{number}.bin", size=size, seed=number % SEEDS, **knobs)
        body = {"url": url, "connections": self._rolls.choice((1, 4, 8))}
        answer = self._server.client.post("/api/downloads", json=body).raise_for_status()
        self._expected[answer.json()["id"]] = (url, self._origin.sha256(size, number % SEEDS))

    def _disturb(self, download: dict[str, Any], most_pauses: int, most_kills: int) -> None:
        match self._rolls.choice(("pause", "pause", "kill")):
            case "pause" if self.pauses < most_pauses:
                path = f"/api/downloads/{download['id']}"
                answer = self._server.client.post(f"{path}/pause")
                if answer.status_code == 200 and answer.json()["status"] == "paused":  # else it has just ended
                    self.pauses += 1
                    self._server.client.post(f"{path}/resume").raise_for_status()
            case "kill" if self.kills < most_kills and (workers := self._workers()):
                self._rolls.choice(workers).kill()
                self.kills += 1

    def _workers(self) -> list[psutil.Process]:
        server = psutil.Process(self._server.pid)
        return [one for child in server.children() for one in child.children()]

    def _downloads(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._server.client.get("/list").json()
        return found

    def _told(self, downloads: list[dict[str, Any]]) -> list[tuple[str, str, Any]]:
        return [(self._expected[one["id"]][0], one["status"], one["error"]) for one in downloads]

    def _check(self, download: dict[str, Any]) -> None:
        url, expected = self._expected[download["id"]]
        content = (self._server.download_dir / download["filename"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == expected, f"wrong bytes from {url}"
