"""Download an address through idm and fetch the file: python client.py https://example.org/film.mkv

Needs two packages: pip install httpx websockets. IDM_URL names the server, IDM_TOKEN holds its token where it wants
one.
"""

import json
import os
import sys
from pathlib import Path

import httpx
from websockets.sync.client import connect

SERVER = os.environ.get("IDM_URL", "http://127.0.0.1:8000")
TOKEN = os.environ.get("IDM_TOKEN")


def main(url: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else {}
    with httpx.Client(base_url=SERVER, headers=headers, timeout=30) as server:
        answer = server.post("/api/downloads", json={"url": url})
        if answer.is_error:
            sys.exit(answer.json()["message"])
        download = follow(answer.json()["id"])
        if download["status"] == "failed":
            sys.exit(download["error"]["message"])
        with server.stream("GET", download["file_url"]) as file, Path(download["filename"]).open("wb") as target:
            for part in file.raise_for_status().iter_bytes():
                target.write(part)
        print("Saved", download["filename"])


def follow(download_id: int) -> dict:
    """Read the feed until the download has ended. A snapshot comes first, then what changes."""
    download: dict = {}
    protocols = ["idm.v1", f"bearer.{TOKEN}"] if TOKEN else None
    with connect(SERVER.replace("http", "ws", 1) + "/ws", subprotocols=protocols, max_size=None) as feed:
        for message in map(json.loads, feed):
            for changed in message.get("downloads", []):
                if changed["id"] == download_id:
                    download |= changed
                    print(download["status"], download["progress"])
                    if download["status"] in ("completed", "failed"):
                        return download
    sys.exit("The server has stopped.")


if __name__ == "__main__":
    main(sys.argv[1])
