"""What helps to find out what is wrong, in one text that may be given away: no addresses, names or secrets."""

import asyncio
import importlib.metadata
import json
import platform
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

from idm_app import __version__, logs
from idm_app.api.problems import PROBLEMS
from idm_app.diagnosis import examine
from idm_app.manager import Manager
from idm_app.units import format_instant, utc_now

_PACKAGES = (
    "nicegui",
    "fastapi",
    "starlette",
    "uvicorn",
    "websockets",
    "pydantic",
    "orjson",
    "tinydb",
    "pycurl",
    "yt-dlp",
)


def build(manager: Manager) -> APIRouter:
    """``/api/diagnostics``."""
    router = APIRouter(tags=["server"], responses=PROBLEMS)

    @router.get("/api/diagnostics", response_class=PlainTextResponse)
    async def diagnostics() -> PlainTextResponse:
        """Versions, what is missing, settings, figures and the newest lines of the log, as a text file."""
        options = manager.options
        findings = await asyncio.to_thread(examine, options.data_dir, options.download_dir)
        sections = {
            "idm": f"{__version__}, {format_instant(utc_now())}, {platform.platform()}",
            "parts": "\n".join(
                f"{'ok     ' if f.ok else 'MISSING'} {f.name} {f.version or ''} {f.detail}" for f in findings
            ),
            "packages": "\n".join(_versions()),
            "options": json.dumps(_options(manager), indent=1),
            "settings": json.dumps(manager.settings.to_record(), indent=1),
            "figures": json.dumps({**manager.stats(), "process": _process(), "errors": _errors(manager)}, indent=1),
            "log": "\n".join(logs.newest()) or "nothing",
        }
        text = "\n\n".join(f"== {name}\n{content}" for name, content in sections.items()) + "\n"
        headers = {"Content-Disposition": f'attachment; filename="idm-diagnostics-{utc_now():%Y-%m-%d}.txt"'}
        return PlainTextResponse(_without_home(text), headers=headers)

    return router


def _versions() -> Iterator[str]:
    for name in _PACKAGES:
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} not installed"


def _options(manager: Manager) -> dict[str, Any]:
    """What was decided at the start; of what may tell who and where, only whether it is set."""
    options = manager.options
    return {
        "is_loopback": options.is_loopback,
        "needs_sign_in": options.needs_sign_in,
        "ports": options.ports,
        "native": options.native,
        "root_path": bool(options.root_path),
        "certificate": options.certificate is not None,
        "trusted_hosts": len(options.trusted_hosts),
        "trusted_proxies": len(options.trusted_proxies),
        "data_dir": str(options.data_dir),
        "download_dir": str(options.download_dir),
    }


def _errors(manager: Manager) -> dict[str, int]:
    return Counter(download.error.code for download in manager.newest_first() if download.error)


def _process() -> dict[str, Any]:
    """Memory, threads and descriptors of the server, where the system tells."""
    try:
        lines = (line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        told = {name: value.strip() for name, value in lines}
        return {
            "resident": told.get("VmRSS"),
            "threads": told.get("Threads"),
            "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        }
    except OSError:
        return {}


def _without_home(text: str) -> str:
    home = str(Path.home())
    return text if home in ("/", "") else text.replace(home, "~")
