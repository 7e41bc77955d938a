"""The command line: ``idm`` starts the server; the further commands talk to a running one."""

import io
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from idm_app import __version__, commands
from idm_app.errors import CommandError, StartError
from idm_app.settings import Options

app = typer.Typer(
    no_args_is_help=False,
    help="A download manager that is a server of your own.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

DataDir = Annotated[Path | None, typer.Option(envvar="IDM_DATA_DIR", help="Where the list is kept.")]
DownloadDir = Annotated[Path | None, typer.Option(envvar="IDM_DOWNLOAD_DIR", help="Where finished files go.")]


@app.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(envvar="IDM_HOST", help="Address to bind.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="IDM_PORT", min=1, max=65535, help="Port to listen on.")] = 8000,
    feed_port: Annotated[
        int | None, typer.Option(envvar="IDM_FEED_PORT", min=1, max=65535, help="A second port for the same server.")
    ] = None,
    data_dir: DataDir = None,
    download_dir: DownloadDir = None,
    native: Annotated[bool, typer.Option("--native", envvar="IDM_NATIVE", help="Show a desktop window.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", envvar="IDM_NO_BROWSER", help="Open no browser.")] = False,
    trusted_host: Annotated[
        list[str] | None, typer.Option(help="A further name of this server (repeatable; IDM_TRUSTED_HOSTS, commas).")
    ] = None,
    root_path: Annotated[str, typer.Option(envvar="IDM_ROOT_PATH", help="Sub-path behind a reverse proxy.")] = "",
    password: Annotated[
        str | None, typer.Option(envvar="IDM_PASSWORD", help="To sign in with; others can see a command line.")
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(help="A reverse proxy's address or network (repeatable; IDM_TRUSTED_PROXIES, commas)."),
    ] = None,
    cert: Annotated[
        Path | None, typer.Option(envvar="IDM_CERT", help="Serve HTTPS with this certificate (PEM).")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(envvar="IDM_KEY", help="The certificate's key, if it is not in it.")
    ] = None,
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
    os.environ.pop("IDM_PASSWORD", None)  # no process that the server starts needs it
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))  # until the server itself can be stopped
    options = Options(
        data_dir=_data_dir(data_dir),
        download_dir=_download_dir(download_dir),
        host=host or "127.0.0.1",
        port=port,
        feed_port=feed_port,
        native=native,
        open_browser=not no_browser,
        trusted_hosts=_listed(trusted_host, "IDM_TRUSTED_HOSTS"),
        root_path=f"/{root_path.strip('/')}" if root_path.strip("/") else "",
        reset_store=reset_store,
        password=password or None,
        trusted_proxies=_listed(trusted_proxy, "IDM_TRUSTED_PROXIES"),
        certificate=cert,
        certificate_key=key,
    )
    from idm_app import app as server  # NiceGUI takes most of a second; the other commands do not need it

    server.run(options)


for _name in ("add", "list", "watch", "pause", "resume", "retry", "remove", "open", "probe", "export", "import"):
    app.command(_name)(getattr(commands, f"{_name}_" if _name in ("list", "open", "import") else _name))


@app.command()
def doctor(
    data_dir: DataDir = None,
    download_dir: DownloadDir = None,
    as_json: commands.AsJson = False,
) -> None:
    """Say what this installation consists of, what is missing, what that costs and how to get it.

    Exit code 1 if something is missing.
    """
    from idm_app.diagnosis import examine
    from idm_app.terminal import plain

    findings = examine(_data_dir(data_dir), _download_dir(download_dir))
    for finding in findings:
        if as_json:
            typer.echo(json.dumps(asdict(finding)))
            continue
        mark = "✓" if finding.ok else "✗"
        typer.echo(f"{mark} {finding.name:20}{plain(' '.join(filter(None, (finding.version, finding.detail))))}")
        if not finding.ok:
            typer.echo(f"    {finding.cost}\n    → {plain(finding.remedy)}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of ``idm`` and ``python -m idm_app``."""
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="replace")  # a name that the terminal cannot show is no reason to fail
    try:
        app()
    except (StartError, CommandError) as error:
        from idm_app.terminal import plain

        typer.echo(f"idm: {plain(str(error))}", err=True)
        sys.exit(error.exit_code)


def _listed(values: list[str] | None, variable: str) -> tuple[str, ...]:
    """What was given on the command line, else in the environment."""
    return tuple(name.strip() for name in values or os.environ.get(variable, "").split(",") if name.strip())


def _data_dir(chosen: Path | None) -> Path:
    import platformdirs

    return (chosen or platformdirs.user_data_path("idm", appauthor=False)).expanduser().absolute()


def _download_dir(chosen: Path | None) -> Path:
    import platformdirs

    return (chosen or platformdirs.user_downloads_path()).expanduser().resolve()
