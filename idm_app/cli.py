"""The command line: ``idm`` starts the server; the further commands talk to a running one."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from idm_app import __version__
from idm_app.errors import StartError
from idm_app.settings import Options

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    help="A download manager that is a server of your own.",
    rich_markup_mode=None,
)

Server = Annotated[str, typer.Option("--server", envvar="IDM_URL", help="Address of the running server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the resource, one object a line.")]
_DEFAULT_SERVER = f"http://127.0.0.1:{os.environ.get('IDM_PORT') or 8000}"


@app.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(envvar="IDM_HOST", help="Address to bind.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="IDM_PORT", min=1, max=65535, help="Port to listen on.")] = 8000,
    feed_port: Annotated[
        int | None, typer.Option(envvar="IDM_FEED_PORT", min=1, max=65535, help="A second port for the same server.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(envvar="IDM_DATA_DIR", help="Where the list is kept.")] = None,
    download_dir: Annotated[
        Path | None, typer.Option(envvar="IDM_DOWNLOAD_DIR", help="Where finished files go.")
    ] = None,
    native: Annotated[bool, typer.Option("--native", envvar="IDM_NATIVE", help="Show a desktop window.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", envvar="IDM_NO_BROWSER", help="Open no browser.")] = False,
    trusted_host: Annotated[
        list[str] | None, typer.Option(help="A further name of this server (repeatable; IDM_TRUSTED_HOSTS, commas).")
    ] = None,
    root_path: Annotated[str, typer.Option(envvar="IDM_ROOT_PATH", help="Sub-path behind a reverse proxy.")] = "",
    reset_store: Annotated[
        bool, typer.Option("--reset-store", help="Set an unreadable list aside, start empty.")
    ] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Start the server, unless a command is given."""
    if version:
        typer.echo(f"idm {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is not None:
        return
    hosts = trusted_host or [name for name in os.environ.get("IDM_TRUSTED_HOSTS", "").split(",") if name]
    options = Options(
        data_dir=(data_dir or _data_dir()).expanduser().absolute(),
        download_dir=(download_dir or _download_dir()).expanduser().absolute(),
        host=host,
        port=port,
        feed_port=feed_port,
        native=native,
        open_browser=not no_browser,
        trusted_hosts=tuple(name.strip() for name in hosts),
        root_path=root_path.rstrip("/"),
        reset_store=reset_store,
    )
    from idm_app import app as server  # NiceGUI takes most of a second; the other commands do not need it

    try:
        server.run(options)
    except StartError as error:
        typer.echo(f"idm: {error}", err=True)
        raise typer.Exit(error.exit_code) from None


@app.command()
def add(
    urls: Annotated[list[str], typer.Argument(help="Addresses to download.")],
    quality: Annotated[str, typer.Option(help="best, 2160p, 1440p, 1080p, 720p, 480p or audio.")] = "best",
    server: Server = _DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Download addresses."""
    added = _ask(server, "POST", "/api/downloads", {"urls": urls, "quality": quality})["downloads"]
    for download in added:
        typer.echo(json.dumps(download) if as_json else f"Download started #{download['id']}")


@app.command("list")
def list_(server: Server = _DEFAULT_SERVER, as_json: AsJson = False) -> None:
    """List the newest downloads."""
    downloads = _ask(server, "GET", "/api/downloads?limit=1000")["downloads"]
    if as_json:
        for download in downloads:
            typer.echo(json.dumps(download))
        return
    from idm_app import terminal

    terminal.print_list(downloads)


@app.command()
def watch(
    download_id: Annotated[int | None, typer.Argument(metavar="[ID]", help="Only this one.")] = None,
    server: Server = _DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Show live bars until nothing is running (with an ID: until it has ended)."""
    from idm_app import terminal

    terminal.watch(server, download_id, as_json)


def _add_action(name: str, words: str) -> None:
    @app.command(name, help=words)
    def act(
        download_id: Annotated[int, typer.Argument(metavar="ID")],
        server: Server = _DEFAULT_SERVER,
        as_json: AsJson = False,
    ) -> None:
        if name == "remove":
            _ask(server, "DELETE", f"/api/downloads/{download_id}")
            return
        download = _ask(server, "POST", f"/api/downloads/{download_id}/{name}")
        typer.echo(json.dumps(download) if as_json else f"#{download_id} {download['status']}")


for _name, _words in {
    "pause": "Pause a download; every byte stays.",
    "resume": "Go on with a paused download.",
    "retry": "Try a failed download again.",
    "remove": "Take a download off the list; a finished file stays.",
}.items():
    _add_action(_name, _words)


def main() -> None:
    """Entry point of ``idm`` and ``python -m idm_app``."""
    app()


def _ask(server: str, method: str, path: str, body: object = None) -> Any:
    import httpx

    try:
        response = httpx.request(method, server.rstrip("/") + path, json=body, timeout=30, trust_env=False)
    except httpx.HTTPError:
        typer.echo(f"idm: no server answers at {server}. Start it with: idm", err=True)
        raise typer.Exit(1) from None
    if response.is_success:
        return response.json() if response.content else None
    try:
        message = response.json()["message"]
    except (ValueError, KeyError):
        message = f"the server at {server} answered {response.status_code}; is it really idm?"
    typer.echo(f"idm: {message}", err=True)
    raise typer.Exit(1)


def _data_dir() -> Path:
    import platformdirs

    return platformdirs.user_data_path("idm", appauthor=False)


def _download_dir() -> Path:
    import platformdirs

    return platformdirs.user_downloads_path()
