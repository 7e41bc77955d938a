"""Every expected failure, with a stable kebab-case code and words that say what to do.

::

    IdmError
    ├── Refused                  a request we do not carry out; nothing has changed (``http_status``)
    │   ├── WrongPassword        401
    │   ├── TooManyTries         429  (``retry_after_seconds``)
    │   ├── UnknownToken         404
    │   ├── UnknownPairing       404
    │   ├── InvalidField         422  names the field
    │   │   ├── InvalidAddress   422
    │   │   └── ProbeFailed      422
    │   ├── UnknownDownload      404
    │   ├── WrongStatus          409
    │   │   └── Duplicate
    │   ├── CannotOpen           409
    │   ├── CannotPreview        415
    │   ├── FileGone             410
    │   ├── TooMany              413
    │   ├── TooManyProbes        429
    │   └── StoreFull            507
    ├── DownloadError            a download that cannot go on; the codes are in ``FAILURES``
    ├── StartError               the server cannot start (``exit_code``)
    │   ├── PortTaken            2
    │   ├── WrongOption          2
    │   ├── FolderInUse          3
    │   └── StoreUnreadable      4
    └── CommandError             a command to a running server fails (``exit_code``)
        ├── CommandRefused       1
        ├── NoServer             5
        └── NotSignedIn          6

Translated once at each border: a worker turns any exception into ``Failed``, the API a ``Refused`` into
problem+json (RFC 9457), the command line a ``StartError`` or ``CommandError`` into one line and its exit code.
"""

import math
from typing import Any, ClassVar


class IdmError(Exception):
    """Root of the tree. ``str(error)`` is a sentence for a person."""

    code: ClassVar[str] = "internal"


class Refused(IdmError):
    """A request that is not carried out. Nothing has changed."""

    code = "refused"
    http_status: ClassVar[int] = 400

    @property
    def extra(self) -> dict[str, Any]:
        """Further members of the problem+json answer."""
        return {}


class InvalidField(Refused):
    """A value that cannot be used."""

    code = "invalid-field"
    http_status = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field

    @property
    def extra(self) -> dict[str, Any]:
        return {"field": self.field}


class InvalidAddress(InvalidField):
    """Not an address that can be downloaded."""

    code = "invalid-address"

    def __init__(self, message: str, field: str = "url") -> None:
        super().__init__(field, message)


class ProbeFailed(InvalidField):
    """What an address offers could not be found out. ``code`` is a key of :data:`FAILURES`."""

    def __init__(self, code: str, message: str, detail: str, *, retryable: bool) -> None:
        super().__init__("url", message)
        self.code = code  # type: ignore[misc]
        self.detail = detail
        self.retryable = retryable

    @property
    def extra(self) -> dict[str, Any]:
        return {**super().extra, "detail": self.detail, "retryable": self.retryable}


class UnknownDownload(Refused):
    """No download has this id."""

    code = "not-found"
    http_status = 404

    def __init__(self, download_id: int) -> None:
        super().__init__(f"There is no download #{download_id}. It may have been removed.")


class WrongStatus(Refused):
    """The download's status does not allow this."""

    code = "wrong-status"
    http_status = 409


class Duplicate(WrongStatus):
    """The same address is on the list already, and the client wants to be asked."""

    code = "duplicate"


class WrongPassword(Refused):
    """Not the password."""

    code = "wrong-password"
    http_status = 401

    def __init__(self) -> None:
        super().__init__("That is not the password.")


class TooManyTries(Refused):
    """Too many wrong passwords or codes."""

    code = "too-many-tries"
    http_status = 429

    def __init__(self, retry_after_seconds: float) -> None:
        self.retry_after_seconds = max(1, math.ceil(retry_after_seconds))
        super().__init__(f"Too many wrong tries. Wait {self.retry_after_seconds} s, then try again.")


class UnknownToken(Refused):
    """No token has this id."""

    code = "not-found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("There is no such token. It may have been revoked already.")


class UnknownPairing(Refused):
    """No such code is open."""

    code = "not-found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("This code is wrong or has expired. Open a new one in the dashboard, under Devices.")


class CannotOpen(Refused):
    """The file cannot be shown on the server's own desktop."""

    code = "cannot-open"
    http_status = 409


class CannotPreview(Refused):
    """A finished file that is not shown inside a page, as it could run something or no browser knows its type."""

    code = "cannot-preview"
    http_status = 415


class FileGone(Refused):
    """The finished file is no longer where it was put."""

    code = "file-gone"
    http_status = 410


class TooMany(Refused):
    """More at once than the server takes."""

    code = "too-many"
    http_status = 413


class TooManyProbes(Refused):
    """More addresses are being looked at than the server does at a time."""

    code = "too-many-probes"
    http_status = 429


class StoreFull(Refused):
    """The list cannot be written; the disk that holds it is full or read-only."""

    code = "disk-full"
    http_status = 507


class DownloadError(IdmError):
    """A download that cannot go on. ``code`` is a key of :data:`FAILURES`.

    ``retry_after_seconds``: the server's own word on when to come back, if it gave one.
    """

    def __init__(
        self, code: str, detail: str = "", *, message: str | None = None, retry_after_seconds: float | None = None
    ) -> None:
        sentence, self.retryable = FAILURES[code]
        super().__init__(message or sentence)
        self.failure_code = code
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds


class StartError(IdmError):
    """The server cannot start."""

    code = "cannot-start"
    exit_code: ClassVar[int] = 1


class PortTaken(StartError):
    """Something else listens on the port."""

    code = "port-taken"
    exit_code = 2


class WrongOption(StartError):
    """A command-line option or environment variable that cannot be used."""

    code = "wrong-option"
    exit_code = 2


class FolderInUse(StartError):
    """Another server uses the same data folder."""

    code = "folder-in-use"
    exit_code = 3


class StoreUnreadable(StartError):
    """No generation of the store can be read."""

    code = "store-unreadable"
    exit_code = 4


class CommandError(IdmError):
    """A command to a running server that was not carried out."""

    code = "command-failed"
    exit_code: ClassVar[int] = 1


class CommandRefused(CommandError):
    """The server refused it, or it cannot be done here."""


class NoServer(CommandError):
    """Nothing answers at the server's address, or not any more."""

    code = "no-server"
    exit_code = 5


class NotSignedIn(CommandError):
    """The server wants a token, or another one."""

    code = "not-signed-in"
    exit_code = 6


FAILURES: dict[str, tuple[str, bool]] = {
    # code: (what happened and what to do, whether trying again may help)
    "address-expired": (
        "The address has expired. Get a fresh one from the page; the bytes received so far are kept.",
        False,
    ),
    "blocked-address": ("This address leads into a network that downloads may not reach.", False),
    "checksum-mismatch": ("The file does not match its checksum and was not kept. Retry, or ask the source.", True),
    "connection-lost": ("The connection was lost. What has arrived is kept; press Retry to go on.", True),
    "connection-refused": ("The server does not accept connections. It may be down; try again later.", True),
    "content-changed": (
        "The file on the server changed while it was being downloaded. Press Retry to start anew.",
        True,
    ),
    "disk-full": ("The disk is full. Make room and it goes on by itself; what has arrived is kept.", True),
    "drm-protected": (
        "This media is copy-protected (DRM) and cannot be downloaded. It can only be watched on its own site.",
        False,
    ),
    "entries-failed": ("Some entries of the playlist have failed. Press Retry to try those again.", True),
    "extraction-failed": (
        "The page could not be read for media. Retry later, or update yt-dlp if it keeps failing.",
        True,
    ),
    "folder-not-writable": (
        "The download folder cannot be written. Check that it exists and that you may write there.",
        True,
    ),
    "forbidden": ("The server refuses this address (403). It may need a sign-in, or the link has expired.", False),
    "format-not-available": (
        "The chosen quality is not available here. Add the address again and choose another one.",
        False,
    ),
    "gone": ("The server says that this file has been removed (410).", False),
    "host-not-found": ("No server has this name. Check the address and your network.", True),
    "internal": ("Something unexpected went wrong in this program. The raw text says what; Retry may help.", True),
    "invalid-address": ("This is not an address that can be downloaded.", False),
    "live-not-started": ("This live stream has not begun yet. Retry when it is on air.", True),
    "login-required": (
        "This needs a sign-in. Sign in to the site in your browser, then start the download with the browser "
        "extension: it hands the sign-in over.",
        False,
    ),
    "merge-failed": ("The parts arrived but could not be joined into one file. Press Retry.", True),
    "no-media": (
        "No video or audio was found on this page. Give the address of the page on which it plays, or of the file.",
        False,
    ),
    "not-available": ("The site says that this media is not available any more. Look for another copy.", False),
    "not-fetched": (
        "ffmpeg, which fetches streams of this kind, could not. Retry later; if that does not help, it may be too old.",
        True,
    ),
    "not-in-your-country": (
        "The site does not offer this media in your country. A VPN or proxy in one where it is offered may help.",
        False,
    ),
    "not-found": ("The server has no file at this address (404). Check the address.", False),
    "private-media": (
        "This media is private. If its owner lets you see it, sign in to the site in your browser and start the "
        "download with the browser extension.",
        False,
    ),
    "server-busy": ("The server is busy. It was asked several times; try again later.", True),
    "server-error": ("The server failed to answer properly (5xx). Try again later.", True),
    "timed-out": ("The server did not answer in time. Press Retry to go on.", True),
    "tls-failed": ("No trusted secure connection could be made to the server.", False),
    "too-many-redirects": ("The address leads in circles (too many redirects).", False),
    "too-long": ("The server sent more than it promised, so the file cannot be trusted.", True),
    "too-short": ("The server sent less than it promised. What has arrived is kept; press Retry to go on.", True),
    "unexpected-answer": ("The server gave an answer that makes no sense for a download.", False),
    "worker-cannot-start": (
        "The part of this program that downloads does not start. Run idm doctor on the server: it says what is "
        "missing. Then press Retry.",
        True,
    ),
    "worker-crashed": ("The process that did this download ended unexpectedly, several times. Press Retry.", True),
}
