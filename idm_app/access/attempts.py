"""How often may be guessed: five wrong tries a minute from one address, a hundred from all."""

import time
from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from idm_app.errors import TooManyTries

PER_ADDRESS, FROM_ALL = 5, 100
WINDOW_SECONDS = 60.0


class Attempts:
    """The tries of the last minute. A try counts from its beginning, so that many at once are no way around."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: dict[str, deque[float]] = {}

    def begin(self, address: str) -> Callable[[], None]:
        """Count a try from ``address``. Call what is returned if it was right after all.

        Raises :class:`TooManyTries`.
        """
        now, whence = self._clock(), _network(address)
        self._forget(now - WINDOW_SECONDS)
        for tries, limit in ((self._tries.get(whence, ()), PER_ADDRESS), (self._everyone(), FROM_ALL)):
            if len(tries) >= limit:
                raise TooManyTries(sorted(tries)[-limit] + WINDOW_SECONDS - now)
        tries = self._tries.setdefault(whence, deque())
        tries.append(now)

        def was_right() -> None:
            if now in tries:
                tries.remove(now)

        return was_right

    def _everyone(self) -> list[float]:
        return [instant for tries in self._tries.values() for instant in tries]

    def _forget(self, before: float) -> None:
        for whence, tries in list(self._tries.items()):
            while tries and tries[0] <= before:
                tries.popleft()
            if not tries:
                del self._tries[whence]


def _network(address: str) -> str:
    """Whose tries count together: an IPv6 customer has a /64 to choose from."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)
