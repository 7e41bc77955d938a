"""Downloads in a terminal: a table, live bars, and foreign text that cannot drive it."""

import json
from collections.abc import Callable, Collection, Iterable
from contextlib import nullcontext

import typer
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from idm_app.remote import Resource, Server
from idm_app.units import format_bytes, format_duration, format_percent, format_rate

_AT_REST = ("completed", "failed", "paused")
_WIDE_COLUMNS, _MIDDLE_COLUMNS, _NARROW_COLUMNS = 100, 70, 40
_KEPT = "\u00a0\u200d"
"""Not printable by Python's word, but harmless: the no-break space, and what joins the parts of an emoji."""


def plain(text: str) -> str:
    """``text`` without what a terminal obeys: escapes, control bytes, changes of direction."""
    return "".join(c if c.isprintable() or c in _KEPT else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_json(downloads: Iterable[Resource]) -> None:
    """One object a line."""
    for download in downloads:
        typer.echo(json.dumps(download))


def print_list(downloads: list[Resource]) -> None:
    """All as a table, and why some of them failed."""
    console = Console()
    console.print(_table(downloads, console.width) if downloads else "Nothing is on the list. Add with: idm add URL")
    for line in _failures(downloads):
        typer.echo(line)


def print_rows(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """A table of any texts; the last column takes what room is left."""
    table = Table(box=None, pad_edge=False)
    for name in heading:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(text)) for text in row))
    Console().print(table)


def watch(server: Server, ids: Collection[int], as_json: bool) -> bool:
    """Live bars (or one object a line) until all of ``ids`` – without any: all that is not at rest – have ended.

    Whether none of them failed. One of ``ids`` that is removed counts as ended.
    """
    watched = dict.fromkeys(ids)
    last: list[Resource] = []
    with _shown(as_json) as show:
        for number, (downloads, changed) in enumerate(server.states()):
            if not ids:
                watched |= {d["id"]: None for d in downloads.values() if d["status"] not in _AT_REST}
            elif number == 0:  # a snapshot tells only of the newest that are finished
                missing = [i for i in ids if i not in downloads]
                downloads |= {i: server.ask("GET", f"/api/downloads/{i}") for i in missing}
                changed += [downloads[i] for i in missing]
            last = [downloads[i] for i in watched if i in downloads]
            show(last, [downloads[d["id"]] for d in changed if d["id"] in watched])
            if all(download["status"] in _AT_REST for download in last):
                break
    failures = _failures(last)
    for line in failures:
        typer.echo(f"idm: {line}", err=True)
    return not failures


def _failures(downloads: list[Resource]) -> list[str]:
    failed = [download for download in downloads if download["status"] == "failed"]
    return [f"#{download['id']} failed: {plain(download['error']['message'])}" for download in failed]


class _shown:  # noqa: N801
    """A context whose value shows the watched downloads: ``(all, those that have just changed)``."""

    def __init__(self, as_json: bool) -> None:
        self._console = Console()
        self._live = None if as_json else Live(console=self._console, refresh_per_second=10)

    def __enter__(self) -> Callable[[list[Resource], list[Resource]], None]:
        (self._live or nullcontext()).__enter__()
        return self._show

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()
            if not self._console.is_terminal:
                self._console.line()  # what rich ends the last state with in a terminal only

    def _show(self, downloads: list[Resource], changed: list[Resource]) -> None:
        if self._live is None:
            print_json(changed)
            return
        by_need = sorted(downloads, key=lambda d: (d["status"] in _AT_REST, d["status"] == "queued", d["id"]))
        fitting = by_need[: max(1, self._console.height - 4)]
        table = _table(fitting, self._console.width)
        if len(fitting) < len(downloads):
            table.caption = f"and {len(downloads) - len(fitting)} more"
        self._live.update(table)


def _table(downloads: list[Resource], width: int) -> Table:
    table = Table(box=None, pad_edge=False, expand=True, caption_justify="left")
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("Name", no_wrap=True, ratio=1, min_width=8)
    table.add_column("Status", no_wrap=True)
    if width >= _WIDE_COLUMNS:
        table.add_column("", no_wrap=True, width=20)
    numbers = ("", "Size", "Speed", "Time left")[: 4 if width >= _MIDDLE_COLUMNS else width >= _NARROW_COLUMNS]
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    for download in downloads:
        progress = download["progress"]
        name = download["title"] or download["filename"] or download["url"]
        cells: list[Text | str | ProgressBar] = [
            str(download["id"]),
            Text(plain(name), overflow="ellipsis"),
            Text(download["status"], style=_STYLES.get(download["status"], "")),
        ]
        if width >= _WIDE_COLUMNS:
            cells.append("" if progress is None else ProgressBar(total=100, completed=progress, width=20))
        figures = (
            format_percent(progress),
            format_bytes(download["total_bytes"]),
            format_rate(download["bytes_per_second"]),
            format_duration(download["eta_seconds"]),
        )
        table.add_row(*cells, *figures[: len(numbers)])
    return table


_STYLES = {"completed": "green", "failed": "red", "downloading": "cyan"}
