"""One-time codes: shown in the dashboard, typed into the extension, traded for a token."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from idm_app.errors import UnknownPairing
from idm_app.units import utc_now

LIFETIME_SECONDS = 60.0
_MOST_OPEN = 10
_LETTERS, _DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"


@dataclass(frozen=True, slots=True)
class Pairing:
    """An open code."""

    code: str
    expires_at: datetime


class Pairings:
    """The codes that are open now. In memory only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends: dict[str, float] = {}

    def open(self) -> Pairing:
        """A new code, valid once and for a minute."""
        code = "-".join("".join(secrets.choice(signs) for _ in range(4)) for signs in (_LETTERS, _DIGITS))
        self._drop_old()
        while len(self._ends) >= _MOST_OPEN:
            del self._ends[next(iter(self._ends))]
        self._ends[_plain(code)] = self._clock() + LIFETIME_SECONDS
        return Pairing(code, utc_now() + timedelta(seconds=LIFETIME_SECONDS))

    def is_open(self, code: str) -> bool:
        """Whether it can still be traded."""
        self._drop_old()
        return _plain(code) in self._ends

    def take(self, code: str) -> None:
        """Use a code up. Raises :class:`UnknownPairing`."""
        self._drop_old()
        if self._ends.pop(_plain(code), None) is None:
            raise UnknownPairing

    def _drop_old(self) -> None:
        now = self._clock()
        self._ends = {code: end for code, end in self._ends.items() if end > now}


def _plain(code: str) -> str:
    """As people type it: small letters, without the hyphen."""
    return code.replace("-", "").replace(" ", "").upper()
