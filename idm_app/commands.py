"""The commands that talk to a running server. ``cli.py`` hangs them into the command line.

Exit codes: 0 done · 1 refused, or a download has failed · 2 a wrong option · 5 no server answers · 6 not signed in.
"""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from idm_app.errors import CommandRefused
from idm_app.model import AudioFormat, Extra, Quality
from idm_app.units import format_bytes, format_duration

if TYPE_CHECKING:
    from idm_app.remote import Server

DEFAULT_SERVER = f"http://127.0.0.1:{os.environ.get('IDM_PORT') or 8000}"
_BATCH = 5000
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?(?:/s)?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}

At = Annotated[str, typer.Option("--server", envvar="IDM_URL", help="Address of the running server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print objects, one a line, for scripts.")]
Ids = Annotated[list[int], typer.Argument(metavar="ID")]
OptionalIds = Annotated[list[int] | None, typer.Argument(metavar="ID")]
All = Annotated[bool, typer.Option("--all", help="All of them, instead of IDs.")]


def add(
    urls: Annotated[
        list[str] | None, typer.Argument(metavar="URL", help="Addresses; - or none: one a line from standard input.")
    ] = None,
    quality: Annotated[Quality, typer.Option("--quality", "-q", help="For media.")] = Quality.BEST,
    audio_format: Annotated[AudioFormat | None, typer.Option(help="Only the sound, in this format.")] = None,
    embed: Annotated[
        list[Extra] | None,
        typer.Option(help="Into the file of media; repeat for more. sponsors asks SponsorBlock's service."),
    ] = None,
    directory: Annotated[str | None, typer.Option("--directory", "-d", help="Below the download folder.")] = None,
    filename: Annotated[str | None, typer.Option("--filename", "-o", help="For one address.")] = None,
    connections: Annotated[
        int | None, typer.Option("--connections", "-x", min=1, max=32, help="For one file, at most.")
    ] = None,
    limit: Annotated[str | None, typer.Option(help="Bytes a second at most, for example 500k or 2M.")] = None,
    paused: Annotated[bool, typer.Option("--paused", help="Only put it on the list.")] = False,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Show bars until all has ended.")] = False,
    at: At = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Download addresses."""
    from idm_app import terminal

    server = _server(at)
    chosen: dict[str, Any] = {
        "quality": quality,
        "audio_format": audio_format,
        "embed": embed or None,
        "directory": directory,
        "filename": filename,
        "connections": connections,
        "bytes_per_second_limit": None if limit is None else _bytes_per_second(limit),
        "start": False if paused else None,
    }
    body = {name: value for name, value in chosen.items() if value is not None}
    addresses = _addresses(urls or ["-"])
    ids = []
    for first in range(0, len(addresses), _BATCH):
        batch = {"urls": addresses[first : first + _BATCH], **body}
        for download in server.ask("POST", "/api/downloads", batch)["downloads"]:
            ids.append(download["id"])
            if as_json and not wait:
                terminal.print_json([download])
            elif not as_json:
                typer.echo(f"Download {'added' if paused else 'started'} #{download['id']}")
    if wait and not terminal.watch(server, ids, as_json):
        raise typer.Exit(1)


def list_(
    search: Annotated[str, typer.Option("--search", "-s", help="Only those whose name or address has this.")] = "",
    at: At = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """List the newest downloads."""
    from idm_app import terminal

    downloads = _server(at).ask("GET", f"/api/downloads?limit=1000&q={quote(search, errors='replace')}")["downloads"]
    (terminal.print_json if as_json else terminal.print_list)(downloads)


def watch(ids: OptionalIds = None, at: At = DEFAULT_SERVER, as_json: AsJson = False) -> None:
    """Show live bars until nothing is running (with IDs: until these have ended). Exit code 1 if one has failed."""
    from idm_app import terminal

    if not terminal.watch(_server(at), ids or [], as_json):
        raise typer.Exit(1)


def pause(ids: OptionalIds = None, every: All = False, at: At = DEFAULT_SERVER, as_json: AsJson = False) -> None:
    """Pause downloads; every byte stays."""
    _act("pause", ids, every, at, as_json)


def resume(ids: OptionalIds = None, every: All = False, at: At = DEFAULT_SERVER, as_json: AsJson = False) -> None:
    """Go on with paused downloads."""
    _act("resume", ids, every, at, as_json)


def retry(ids: OptionalIds = None, every: All = False, at: At = DEFAULT_SERVER, as_json: AsJson = False) -> None:
    """Try failed downloads again."""
    _act("retry", ids, every, at, as_json)


def remove(
    ids: Ids,
    file: Annotated[bool, typer.Option("--file", help="Delete the finished file, too.")] = False,
    at: At = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Take downloads off the list; finished files stay unless told otherwise."""
    server = _server(at)

    def remove_one(download_id: int) -> None:
        path = f"/api/downloads/{download_id}"
        last = server.ask("GET", path) if as_json else None
        server.ask("DELETE", f"{path}{'?file=true' if file else ''}")
        if last is not None:
            typer.echo(json.dumps(last))

    _each(ids, remove_one)


def open_(
    download_id: Annotated[int, typer.Argument(metavar="ID")],
    folder: Annotated[bool, typer.Option("--folder", help="Show it in its folder instead.")] = False,
    at: At = DEFAULT_SERVER,
) -> None:
    """Open a finished file in its program; one on another machine is saved by the browser."""
    server = _server(at)
    if server.is_local:
        server.ask("POST", f"/api/downloads/{download_id}/open{'?folder=true' if folder else ''}")
        return
    file_url = server.ask("GET", f"/api/downloads/{download_id}")["file_url"]
    if file_url is None:
        raise CommandRefused(f"Download #{download_id} is not finished yet.")
    typer.launch(server.address + file_url)


def probe(
    url: Annotated[str, typer.Argument(metavar="URL", help="An address.")],
    at: At = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Say what an address offers, without downloading it."""
    from idm_app import terminal

    found = _server(at).ask("POST", "/api/probe", {"url": url})
    if as_json:
        terminal.print_json([found])
        return
    facts = {
        "kind": found["kind"],
        "title": found["title"],
        "file": found["filename"],
        "size": format_bytes(found["total_bytes"]),
        "length": format_duration(found["duration_seconds"]),
    }
    typer.echo("\n".join(f"{name:8}{terminal.plain(str(value))}" for name, value in facts.items() if value))
    if found["formats"]:
        terminal.print_rows(("Format", "Quality", "Type", "Size"), map(_format_row, found["formats"]))
    for entry in found["entries"]:
        typer.echo(f"{entry['index']:4}  {terminal.plain(entry['title'] or entry['url'])}")


def export(
    file: Annotated[str, typer.Argument(help="Where to; - or none: standard output.")] = "-",
    at: At = DEFAULT_SERVER,
) -> None:
    """Write the whole list as JSON."""
    text = json.dumps(_server(at).ask("GET", "/api/export"), ensure_ascii=file == "-", indent=1)
    if file == "-":
        typer.echo(text)
        return
    try:
        Path(file).write_text(text + "\n", "utf-8")
    except OSError as error:
        raise CommandRefused(f"{file} cannot be written: {error.strerror}.") from error


def import_(
    file: Annotated[
        str,
        typer.Argument(help="An export, addresses, aria2's session or MeTube's state; - is standard input."),
    ],
    paused: Annotated[bool, typer.Option("--paused", help="Only put them on the list.")] = False,
    at: At = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Take a list: all of it, or nothing. What is there already stays as it is."""
    taken = _server(at).ask("POST", f"/api/import{'?start=false' if paused else ''}", {"text": _text(file)})
    typer.echo(json.dumps(taken) if as_json else f"{taken['added']} added, {taken['skipped']} there already")


def _server(address: str) -> "Server":
    from idm_app.remote import Server  # the server itself, which reads this file too, needs none of that

    return Server(address)


def _act(action: str, ids: list[int] | None, every: bool, at: str, as_json: bool) -> None:
    if bool(ids) == every:
        raise typer.BadParameter("Name IDs, or say --all.")
    server = _server(at)
    if every:
        changed = server.ask("POST", "/api/downloads/actions", {"action": action, "ids": "all"})["changed"]
        typer.echo(json.dumps({"changed": changed}) if as_json else f"{changed} changed")
        return

    def act_on(download_id: int) -> None:
        download = server.ask("POST", f"/api/downloads/{download_id}/{action}")
        typer.echo(json.dumps(download) if as_json else f"#{download_id} {download['status']}")

    _each(ids or [], act_on)


def _each(ids: list[int], act_on: Callable[[int], None]) -> None:
    """One that is refused is told and holds none of the others up. Exit code 1 then."""
    from idm_app.terminal import plain

    is_refused = False
    for download_id in ids:
        try:
            act_on(download_id)
        except CommandRefused as error:
            is_refused = True
            typer.echo(f"idm: {f'#{download_id}: ' if len(ids) > 1 else ''}{plain(str(error))}", err=True)
    if is_refused:
        raise typer.Exit(1)


def _addresses(arguments: list[str]) -> list[str]:
    """``-`` stands for the lines of standard input; empty ones and those that begin with ``#`` do not count."""
    found: list[str] = []
    for argument in arguments:
        if argument != "-":
            found.append(argument)
            continue
        if sys.stdin and sys.stdin.isatty() and len(arguments) == 1:
            typer.echo("One address a line, then Ctrl-D:", err=True)
        lines = (line.strip() for line in _text("-").splitlines())
        found += [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise typer.BadParameter("There is no address.")
    return found


def _text(file: str) -> str:
    """What ``file`` holds, in UTF-8 with or without a mark at its beginning; ``-`` is standard input."""
    name = "Standard input" if file == "-" else file
    try:
        if file != "-":
            return Path(file).read_text("utf-8-sig")
        return sys.stdin.buffer.read().decode("utf-8-sig") if sys.stdin else ""
    except OSError as error:
        raise CommandRefused(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandRefused(f"{name} is not text in UTF-8.") from error


def _bytes_per_second(text: str) -> int:
    match = _RATE.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"{text} is not a speed. Say for example 500k or 2M.")
    return int(float(match[1]) * _FACTORS[match[2].lower()])


def _format_row(offered: dict[str, Any]) -> tuple[str, ...]:
    sound = "" if offered["has_audio"] else " (no sound)"
    about = "~" if offered["total_is_estimate"] else ""
    size = format_bytes(offered["total_bytes"])
    return offered["format_id"], f"{offered['quality'] or ''}{sound}", offered["extension"] or "", size and about + size
