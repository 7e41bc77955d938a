"""Where requests for a stream go: the address, and what it is redirected to."""

from idm_app.engine.connection import Connection
from idm_app.engine.source import MAX_REDIRECTS, Source, checked_target, host_of, redirected
from idm_app.errors import DownloadError

_EXPIRED = frozenset({401, 403, 404, 410})


class Route:
    """A redirect is followed once, and not for each connection, unless what it leads to is good for one request."""

    def __init__(self, source: Source) -> None:
        """Raises :class:`DownloadError` for an address that may not be requested."""
        self._source = source
        self._follows_anew = False
        self.url = checked_target(source.url, source.reach)
        """Where a request begins."""

    @property
    def host(self) -> str:
        """Of :attr:`url`, with the port if there is one."""
        return host_of(self.url)

    def follow(self, connection: Connection, location: str) -> str:
        """Where ``connection`` is redirected to. Raises :class:`DownloadError`, also for one redirect too many."""
        if connection.redirects >= MAX_REDIRECTS:
            raise DownloadError("too-many-redirects", f"more than {MAX_REDIRECTS}")
        target = redirected(connection.url, location, self._source.reach)
        if not self._follows_anew:
            self.url = target
        return target

    def begins_anew(self, failed: Connection) -> bool:
        """Whether ``failed`` was refused only because what a redirect led to before has expired."""
        is_refused = failed.answer is not None and failed.answer.status in _EXPIRED
        if not is_refused or failed.redirects or failed.url == self._source.url:
            return False
        self.url, self._follows_anew = self._source.url, True
        return True
