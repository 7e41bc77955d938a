"""The container's first process: takes on the rights that it was told, then becomes the server.

By the usual convention ``PUID`` and ``PGID`` (1000) name the owner of the two volumes on the host, and ``UMASK`` (022)
the rights of new files. The container starts as root only to become that user; one started with ``--user`` is it
already.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit


def main() -> None:
    """Replace this process by the server, with the same arguments."""
    os.umask(_number("UMASK", "022", base=8))
    if os.geteuid() == 0:
        _become(_number("PUID", "1000"), _number("PGID", "1000"))
    os.execv(sys.executable, [sys.executable, "-m", "idm_app", *sys.argv[1:]])  # noqa: S606


def check_health() -> None:
    """End with an error unless the server answers within 4 s, by http or https, where its data folder says."""
    import httpx  # the first process need not wait for these

    from idm_app.store.owner import read_owner

    owner = read_owner(Path(os.environ["IDM_DATA_DIR"]))
    if owner is None:
        sys.exit("idm: no server uses this data folder yet.")
    server = urlsplit(owner.address)
    address = f"{server.scheme}://{server.netloc}/api/health"
    httpx.get(address, timeout=4, trust_env=False, verify=False).raise_for_status()  # noqa: S501 – its name is for others


def _become(user: int, group: int) -> None:
    for variable in ("IDM_DATA_DIR", "IDM_DOWNLOAD_DIR"):
        folder = Path(os.environ[variable])
        with suppress(OSError):  # a share that does not let it; whether the folder can be used, the server says
            if folder.stat().st_uid == 0:  # as Docker makes it where there was none
                os.chown(folder, user, group)
    os.setgroups([group])
    os.setgid(group)
    os.setuid(user)


def _number(variable: str, default: str, base: int = 10) -> int:
    text = os.environ.get(variable) or default
    try:
        return int(text, base)
    except ValueError:
        sys.exit(f"idm: {variable}={text} is not a number; leave it out for {default}.")


if __name__ == "__main__":
    main()
