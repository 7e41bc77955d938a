"""Downloads through a server that is killed again and again, and what must hold afterwards."""

import hashlib
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import psutil
from fault_server import FaultServer
from live_server import LiveServer

Download = dict[str, Any]


class Crashes:
    """One server and the downloads that it acknowledged."""

    def __init__(self, server: LiveServer, origin: FaultServer, seed: int = 6) -> None:
        self.server = server
        self.origin = origin
        self.acknowledged: dict[int, str] = {}
        """The address of each id that was answered."""
        self._known: dict[int, str] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._rolls = random.Random(seed)
        self._name = f"{server.port}"

    def address(self, size: int, **knobs: Any) -> str:
        """Of a new file."""
        seed = len(self._sizes) + 1
        url = self.origin.url(f"/{self._name}-{seed}.bin", size=size, seed=seed, **knobs)
        self._sizes[url] = (size, seed)
        return url

    def add(self, size: int, **knobs: Any) -> int | None:
        """Ask for a new file; its id, or ``None`` if the server died before it answered."""
        url = self.address(size, **knobs)
        with suppress(httpx.HTTPError), httpx.Client(base_url=self.server.url, trust_env=False, timeout=30) as client:
            answer = client.post("/api/downloads", json={"url": url, "connections": 2})
            assert answer.status_code == 201, answer.text
            download_id: int = answer.json()["id"]
            assert download_id not in self.acknowledged, "an id was given out twice"
            self.acknowledged[download_id] = url
            return download_id
        return None

    def round(self, longest_seconds: float = 0.8) -> None:
        """Add from two sides, kill the server at a random moment, see that nothing of it is left, start it again."""
        dead = threading.Event()

        def keep_adding() -> None:
            while not dead.is_set():
                self.add(self._rolls.choice((0, 3_000, 400_000, 1_500_000)), rate=1_000_000)
                dead.wait(self._rolls.uniform(0, 0.3))

        threads = [threading.Thread(target=keep_adding) for _ in range(2)]
        for thread in threads:
            thread.start()
        dead.wait(self._rolls.uniform(0, longest_seconds))
        children = psutil.Process(self.server.pid).children(recursive=True)
        self.server.kill()
        dead.set()
        for thread in threads:
            thread.join()
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive, "workers outlive their server"
        self.server.start()
        self.check_list()

    def listed(self) -> list[Download]:
        """Everything, page by page."""
        found: list[Download] = []
        while page := self.server.client.get(f"/api/downloads?limit=1000&offset={len(found)}").json()["downloads"]:
            found += page
        return found

    def check_list(self) -> list[Download]:
        """Each acknowledged download is there once; no id stands for another address than before."""
        downloads = self.listed()
        addresses = {download["id"]: download["url"] for download in downloads}
        assert len(addresses) == len(downloads) == len(set(addresses.values()))
        assert self.acknowledged.items() <= addresses.items()
        assert all(addresses.get(known_id, url) == url for known_id, url in self._known.items()), "an id was reused"
        self._known |= addresses
        return downloads

    def check_end(self, timeout: float = 90) -> list[Download]:
        """All complete: each file is there once and right, and nothing else is."""
        self.wait(lambda downloads: all(download["done"] for download in downloads), timeout)
        downloads = self.check_list()
        for download in downloads:
            size, seed = self._sizes[download["url"]]
            content = (self.server.download_dir / download["filename"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == self.origin.sha256(size, seed), download
        names = sorted(path.name for path in self.server.download_dir.iterdir() if path.name != ".idm")
        assert names == sorted(download["filename"] for download in downloads)
        return downloads

    def wait(self, condition: Callable[[list[Download]], object], timeout: float = 60) -> list[Download]:
        """The downloads, once ``condition`` holds for them."""
        until = time.monotonic() + timeout
        while not condition(downloads := self.listed()):
            assert time.monotonic() < until, [d for d in downloads if not d["done"]][:3]
            time.sleep(0.05)
        return downloads
