"""``owner.json``: who uses a data folder, for whoever finds it in use and for a container's health check."""

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from idm_app.store import files

log = logging.getLogger(__name__)

_NAME = "owner.json"


@dataclass(frozen=True, slots=True)
class Owner:
    """The server of a data folder. It may have ended since."""

    pid: int
    address: str


def write_owner(folder: Path, address: str) -> None:
    """This process, reached at ``address``, uses ``folder``."""
    try:
        files.write_whole(folder / _NAME, [json.dumps(asdict(Owner(os.getpid(), address))).encode()])
    except OSError as error:  # a full disk: the list can still be read
        log.warning("%s cannot be written: %s", folder / _NAME, error)


def read_owner(folder: Path) -> Owner | None:
    """Who used ``folder`` last, ``None`` if that cannot be read."""
    try:
        return Owner(**json.loads((folder / _NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
