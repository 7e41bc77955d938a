"""What an HTTP answer says, read strictly: status, headers, range, validators, and the failure it stands for. Pure."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from idm_app.errors import DownloadError

_CONTENT_RANGE = re.compile(r"bytes\s+(\d{1,19})-(\d{1,19})/(\d{1,19}|\*)\s*$", re.IGNORECASE)
_UNSATISFIED_RANGE = re.compile(r"bytes\s+\*/(\d{1,19})\s*$", re.IGNORECASE)
_MOST_DIGITS = 19
_PAGE_TYPES = frozenset(
    {
        "text/html", "application/xhtml+xml", "application/vnd.apple.mpegurl", "application/x-mpegurl",
        "audio/mpegurl", "audio/x-mpegurl", "application/dash+xml", "application/rss+xml", "application/atom+xml",
        "application/xspf+xml", "application/vnd.ms-sstr+xml", "application/smil+xml", "application/f4m+xml",
    }
)  # fmt: skip
_TEXT_TYPES = frozenset({"", "text/plain", "text/xml", "application/xml", "application/octet-stream"})
_PAGE_BEGINNING = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*+(?:#EXTM3U|<MPD\b|<rss\b|<playlist\b[^>]*xspf|<SmoothStreamingMedia\b)",
    re.DOTALL,
)
_HTML_BEGINNING = re.compile(rb"\s*(?:<!--.*?-->\s*)*+<(?:!doctype\s+html|html|head)\b", re.IGNORECASE | re.DOTALL)
_DIGEST = re.compile(r"\s*([\w-]+)=:?([A-Za-z0-9+/]+=*):?")
_ALGORITHMS = {"sha-512": 64, "sha-256": 32, "sha": 20, "md5": 16}
"""Those that can be checked, with their size in bytes."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells one version of a file from another."""

    etag: str | None = None
    last_modified: str | None = None

    @property
    def if_range(self) -> str | None:
        """The value of ``If-Range`` (RFC 9110 §13.1.5: a strong entity tag or a date)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known that tells versions apart."""
        return not (self.etag or self.last_modified)

    def contradicts(self, other: "Validators") -> bool:
        """Whether the two cannot be of the same version. What is missing on one side says nothing."""
        if self.etag and other.etag:
            return self.etag.removeprefix("W/") != other.etag.removeprefix("W/")
        return bool(self.last_modified and other.last_modified and self.last_modified != other.last_modified)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status line and headers of one answer. Header names are lower-case, values Latin-1 text."""

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def length_bytes(self) -> int | None:
        """``Content-Length``. Raises :class:`DownloadError` for one that no file has."""
        text = self.headers.get("content-length", "")
        if not text.isdecimal() or "transfer-encoding" in self.headers:
            return None
        if len(text) > _MOST_DIGITS:
            raise DownloadError("unexpected-answer", f"Content-Length: {text[:40]}")
        return int(text)

    @property
    def content_range(self) -> tuple[int, int, int | None] | None:
        """``Content-Range`` as ``(start, end, total)``, half-open; ``None`` if missing or nonsense."""
        match = _CONTENT_RANGE.match(self.headers.get("content-range", ""))
        if not match:
            return None
        start, end, total = int(match[1]), int(match[2]) + 1, None if match[3] == "*" else int(match[3])
        return (start, end, total) if start < end and (total is None or end <= total) else None

    @property
    def unsatisfied_total(self) -> int | None:
        """The real size in a 416's ``Content-Range: bytes */size``."""
        match = _UNSATISFIED_RANGE.match(self.headers.get("content-range", ""))
        return int(match[1]) if match else None

    @property
    def media_type(self) -> str:
        """``Content-Type`` without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def path_name(self) -> str:
        """The last part of the address's path."""
        return urlsplit(self.url).path.rpartition("/")[2]

    @property
    def validators(self) -> Validators:
        """Entity tag and date of this version."""
        return Validators(self.headers.get("etag"), self.headers.get("last-modified"))

    @property
    def digest(self) -> str | None:
        """What the server says is the checksum of the whole, as ``sha-256:hex`` (RFC 9530, 3230 and 1864)."""
        for header in ("repr-digest", "digest"):
            for match in map(_DIGEST.match, self.headers.get(header, "").split(",")):
                if match and (name := match[1].lower()) in _ALGORITHMS:
                    return _checksum(name, match[2])
        return _checksum("md5", self.headers.get("content-md5", "")) if self.status != 206 else None

    @property
    def is_encoded(self) -> bool:
        """Whether the body is compressed although we asked for it plain."""
        return self.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")

    @property
    def takes_ranges(self) -> bool:
        """Whether the server says so in words."""
        return self.headers.get("accept-ranges", "").strip().lower() == "bytes"

    @property
    def location(self) -> str | None:
        """Where a redirect leads."""
        return self.headers.get("location") if self.status in (301, 302, 303, 307, 308) else None

    @property
    def sent_at(self) -> float | None:
        """When it was sent by the server's clock (``Date``, and ``Age`` in a cache), in seconds since 1970."""
        try:
            age_seconds = float(self.headers.get("age", 0))
            return parsedate_to_datetime(self.headers["date"]).timestamp() + age_seconds
        except (KeyError, TypeError, ValueError):
            return None

    def retry_after_seconds(self, now: datetime | None = None) -> float | None:
        """``Retry-After`` (seconds or a date) as seconds from ``now``."""
        text = self.headers.get("retry-after", "").strip()
        if text.isdecimal():
            return min(float(text), 1e6)
        try:
            return max(0.0, (parsedate_to_datetime(text) - (now or datetime.now(UTC))).total_seconds())
        except (TypeError, ValueError):
            return None

    def leads_to_media(self, beginning: bytes) -> bool:
        """Whether this is a page, feed or manifest in which media is to be looked for, rather than a file."""
        if self.headers.get("content-disposition", "").strip().lower().startswith("attachment"):
            return False
        if self.media_type in _PAGE_TYPES:
            return True
        if _PAGE_BEGINNING.match(beginning[:1024]):
            return self.media_type in _TEXT_TYPES
        return self.media_type == "" and bool(_HTML_BEGINNING.match(beginning[:1024]))


def _checksum(algorithm: str, encoded: str) -> str | None:
    try:
        raw = base64.b64decode(encoded, validate=True)
    except ValueError:
        return None
    name = "sha1" if algorithm == "sha" else algorithm
    return f"{name}:{raw.hex()}" if len(raw) == _ALGORITHMS[algorithm] else None


def failure_of(answer: Answer, *, resumed: bool) -> DownloadError:
    """The failure that an answer other than 200 and 206 stands for. ``resumed``: bytes are there already."""
    status, detail = answer.status, f"HTTP {answer.status}"
    expired = "address-expired" if resumed else None
    match status:
        case 401 | 407:
            return DownloadError("login-required", detail)
        case 403:
            return DownloadError(expired or "forbidden", detail)
        case 404:
            return DownloadError("not-found", detail)
        case 410:
            return DownloadError(expired or "gone", detail)
        case 408 | 425 | 429 | 503:
            return DownloadError("server-busy", detail, retry_after_seconds=answer.retry_after_seconds())
        case _ if status >= 500:
            return DownloadError("server-error", detail, retry_after_seconds=answer.retry_after_seconds())
        case _:
            return DownloadError("unexpected-answer", detail)
