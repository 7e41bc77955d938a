"""Downloads in a terminal: a table, and live bars fed by the server's feed."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import typer
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from idm_app.units import format_bytes, format_duration, format_percent, format_rate

_AT_REST = ("completed", "failed", "paused")
Resource = dict[str, Any]


def print_list(downloads: list[Resource]) -> None:
    """All as a table."""
    Console().print(_table(downloads))


def watch(server: str, download_id: int | None, as_json: bool) -> None:
    """Live bars (or one object a line) until what is watched has ended: one download, or all that are not at rest."""
    console = Console()
    watched = set() if download_id is None else {download_id}
    try:
        with Live(console=console, refresh_per_second=10) if not as_json else nullcontext() as live:
            for downloads, changed in _states(server):
                if download_id is None:
                    watched |= {d["id"] for d in downloads.values() if d["status"] not in _AT_REST}
                shown = [download for download in downloads.values() if download["id"] in watched]
                if live is not None:
                    live.update(_table(shown[: max(1, console.height - 4)]))
                else:
                    for download in changed:
                        if download["id"] in watched:
                            typer.echo(json.dumps(downloads[download["id"]]))
                if all(download["status"] in _AT_REST for download in shown):
                    return
    except (OSError, WebSocketException):
        typer.echo(f"idm: no server answers at {server}. Start it with: idm", err=True)
        raise typer.Exit(1) from None


def _states(server: str) -> Iterator[tuple[dict[int, Resource], list[Resource]]]:
    downloads: dict[int, Resource] = {}
    address = server.rstrip("/").replace("http", "ws", 1) + "/ws"
    with connect(address, max_size=None, proxy=None) as socket:
        for message in map(json.loads, socket):
            if message["type"] not in ("snapshot", "update"):
                continue
            for download in message["downloads"]:
                downloads.setdefault(download["id"], {}).update(download)
            for download_id in message.get("removed", ()):
                downloads.pop(download_id, None)
            yield downloads, message["downloads"]


def _table(downloads: list[Resource]) -> Table:
    table = Table(box=None, pad_edge=False, expand=True)
    for heading, justify in (("#", "right"), ("Name", "left"), ("Status", "left"), ("", "left")):
        table.add_column(heading, justify=justify, no_wrap=True, ratio=3 if heading == "Name" else None)  # type: ignore[arg-type]
    for heading in ("", "Size", "Speed", "Time left"):
        table.add_column(heading, justify="right", no_wrap=True)
    for download in downloads:
        bar = ProgressBar(total=100, completed=download["progress"] or 0, width=20)
        table.add_row(
            str(download["id"]),
            Text(download["title"] or download["filename"] or download["url"], overflow="ellipsis"),
            download["status"],
            bar if download["progress"] is not None else "",
            format_percent(download["progress"]),
            format_bytes(download["total_bytes"]),
            format_rate(download["bytes_per_second"]),
            format_duration(download["eta_seconds"]),
        )
    return table
