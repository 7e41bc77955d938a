"""The composition root: options → store → manager → API and dashboard → gate → one server on one port.

Our own uvicorn server rather than NiceGUI's ``ui.run``: the port is bound before the store is touched, so that a
second instance harms nothing; the gate stands before everything, NiceGUI's socket included; a second port serves the
same application; and a stop ends with exit code 0.
"""

import asyncio
import errno
import gc
import os
import re
import signal
import socket
import ssl
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from ipaddress import ip_network

import uvicorn
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from idm_app import __version__, logs, window
from idm_app.access import Access, Gate
from idm_app.errors import PortTaken, WrongOption
from idm_app.manager import Manager
from idm_app.patience import PatientProtocol
from idm_app.settings import Options
from idm_app.store import Store

_MAX_HEADER_BYTES = 32 * 1024
_MAX_SOCKET_MESSAGE_BYTES = 1024 * 1024
_STOP_SECONDS = 1
_HOST_NAME = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]", re.IGNORECASE)
_ROOT_PATH = re.compile(r"(/[\w.~-]+)*", re.ASCII)


def run(options: Options) -> None:
    """Serve until SIGTERM, Ctrl-C, or the window is closed. Raises :class:`StartError`."""
    _check(options)
    if options.native:
        window.check()
    logs.set_up()
    with ExitStack() as bound:
        flags = ("--port", "--feed-port")
        sockets = [bound.enter_context(_bind(options.host, *chosen)) for chosen in zip(options.ports, flags)]  # noqa: B905
        store = _open_store(options)
        access = _open_access(options, store)
        loop_factory = uvicorn.Config("", loop="auto", log_config=None).get_loop_factory()
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_serve(options, store, access, sockets))


async def _serve(options: Options, store: Store, access: Access, sockets: list[socket.socket]) -> None:
    gated = Gate(build(options, store, access), options, access)
    servers = [_Server(_config(gated, options, lifespan="on"), lambda: _announce(options, access.new_password))]
    servers += [_Server(_config(gated, options, lifespan="off"), lambda: None) for _ in sockets[1:]]

    def stop(*_: object) -> None:
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            asyncio.get_running_loop().add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, stop)
    shown = window.open_for(options.address, options.data_dir, stop) if options.native else None
    await asyncio.gather(*(server.serve([bound]) for server, bound in zip(servers, sockets, strict=True)))
    if shown is not None:
        window.check_end(shown, options.data_dir)


def build(options: Options, store: Store, access: Access) -> FastAPI:
    """The whole application but for the gate."""
    os.environ.setdefault("NICEGUI_STORAGE_PATH", str(options.data_dir / "dashboard"))  # read when NiceGUI is imported
    from nicegui import core, ui

    from idm_app.api import add_api
    from idm_app.dashboard import build_dashboard

    manager = Manager(options, store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await manager.start()
        gc.collect()
        gc.freeze()  # what is there now stays; a long list would hold the loop at each full collection
        yield
        await manager.close()

    app = FastAPIOffline(
        docs_url="/api/docs",
        redoc_url=None,
        static_url="/api/docs-static",
        openapi_url="/api/openapi.json",
        title="idm – download manager",
        version=__version__,
        lifespan=lifespan,
    )
    add_api(app, manager, access)
    build_dashboard(manager, access)
    core.sio.eio.cors_allowed_origins = []  # the gate decides; NiceGUI ships "*"
    ui.run_with(
        app,
        title="idm – download manager",
        dark=None,
        binding_refresh_interval=None,
        reconnect_timeout=20,
        tailwind=False,  # a quarter of a megabyte that our own stylesheet does without
        show_welcome_message=False,
    )
    return app


class _Server(uvicorn.Server):
    """Leaves signals to us, and says when the port answers."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await self._serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()


def _config(app: Gate, options: Options, lifespan: str) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=PatientProtocol,  # h11: httptools has no limit on headers (measured: a 300 MiB one was taken)
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        ws="websockets-sansio",
        ws_max_size=_MAX_SOCKET_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        lifespan="on" if lifespan == "on" else "off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=list(options.trusted_proxies),
        ssl_certfile=options.certificate,
        ssl_keyfile=options.certificate_key,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


def _open_store(options: Options) -> Store:
    try:
        options.download_dir.mkdir(parents=True, exist_ok=True)
        return Store.open(options.data_dir, address=options.address, reset=options.reset_store)
    except OSError as error:
        raise WrongOption(f"The folder {error.filename} cannot be used: {error.strerror}.") from error


def _bind(host: str, port: int, flag: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise WrongOption(f"{host} is not an address of this machine. Choose another one with --host.") from error
        raise PortTaken(
            f"Port {port} on {host} cannot be used ({os.strerror(error.errno)}). Choose another one with {flag}, "
            f"for example {flag} {port + 1 if port < 65535 else port - 1}."
        ) from error
    bound.setblocking(False)
    return bound


def _open_access(options: Options, store: Store) -> Access:
    try:
        return Access(options, store.server_id)
    except OSError as error:
        raise WrongOption(f"{error.filename} cannot be used: {error.strerror}.") from error


def _check(options: Options) -> None:
    if not _ROOT_PATH.fullmatch(options.root_path):
        raise WrongOption(f"{options.root_path} is not a sub-path. Write for example --root-path /idm.")
    if options.feed_port == options.port:
        raise WrongOption("--feed-port is a second port: choose another one than --port.")
    for name in options.trusted_hosts:
        if not _HOST_NAME.fullmatch(name):
            raise WrongOption(
                f"{name} is not the name of a host. Write it without scheme, port and path: --trusted-host nas.example."
            )
    if options.certificate_key and not options.certificate:
        raise WrongOption("--key without --cert: name the file with the certificate, too.")
    if options.certificate:
        try:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(options.certificate, options.certificate_key, password="")  # none is asked for
        except OSError as error:
            reason = "it is not there, or its key is not" if isinstance(error, FileNotFoundError) else error.strerror
            raise WrongOption(f"The certificate {options.certificate} cannot be used: {reason}.") from error
    for proxy in options.trusted_proxies:
        try:
            ip_network(proxy)
        except ValueError as error:
            raise WrongOption(
                f"{proxy} is not an address or network of a proxy. Write --trusted-proxy 127.0.0.1 or 172.18.0.0/16."
            ) from error


def _announce(options: Options, new_password: str | None) -> None:
    if new_password is not None:
        sys.stdout.write(f"Sign in with the password {new_password} (shown this once; --password sets another)\n")
    sys.stdout.write(
        f"idm {__version__} is ready: {options.address} (data: {options.data_dir}, downloads: {options.download_dir})\n"
    )
    sys.stdout.flush()
    has_screen = sys.platform in ("win32", "darwin") or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    if options.open_browser and not options.native and has_screen:
        threading.Thread(target=webbrowser.open, args=(options.address,), daemon=True).start()
