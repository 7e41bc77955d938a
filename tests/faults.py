"""What an origin can be asked to do wrong: each fault is a knob in the query of the address.

The *number* of a request counts the GETs of its path from 0; HEADs have none of their own.
"""

from dataclasses import dataclass, fields
from typing import Any, Self
from urllib.parse import parse_qsl

SLOWER = 20
"""How many times slower a slow connection or region is."""

_READ: dict[Any, Any] = {
    int: lambda text: int(float(text)),
    float: float,
    bool: lambda text: text not in ("0", "False"),
    str: str,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The knobs of one request. A boolean one is set by ``1`` or no value."""

    size: int = 100_000
    seed: int = 0
    endless: bool = False
    """No length, no end."""

    # Pace
    rate: float = 0
    """Bytes a second and connection; 0 is as fast as it goes."""
    burst: int = 0
    """So many bytes come at once before ``rate`` holds."""
    slow: int = -1
    """Number of the request that gets a twentieth of ``rate``."""
    slow_region: str = "0-0"
    """``start-end``: bytes that come at a twentieth of ``rate``."""
    delay: float = 0
    """Seconds before the headers."""
    hang: int = -1
    """Number of the request that never gets an answer."""
    first_byte_delay: float = 0
    """Seconds between the headers and the first byte."""

    # Broken off
    drop: int = -1
    """Close each connection after so many bytes."""
    drop_once: bool = False
    """… only that of request 0."""
    reset: bool = False
    """… by a reset (RST) instead of an orderly end."""
    stall: int = -1
    """Send nothing more after so many bytes, and keep the connection."""
    stall_once: bool = False
    """… only request 0."""
    shorter: int = 0
    """Send so many bytes less than promised."""
    longer: int = 0
    """Send so many bytes more than promised."""

    # Refused
    status: int = 503
    """What a refused request gets; alone, every request is refused."""
    fail: int = 0
    """The first so many requests are refused."""
    refuse: int = -1
    """Number of the request that is refused."""
    retry_after: str = ""
    """Header of a refusal: seconds or a date."""
    max_connections: int = 0
    """503 to each request beyond so many at once."""
    expire: int = 0
    """403 from this number on."""
    nohead: bool = False
    """405 to HEAD."""
    cookie: str = ""
    """``name=value`` that has to come, else 403."""
    header: str = ""
    """``Name=value`` that has to come, else 403."""
    auth: str = ""
    """``user:password`` that has to come (Basic), else 401."""

    # Elsewhere
    redirect: int = 0
    """So many hops before the answer; below 0: for ever."""
    location: str = ""
    """Redirect to this, whatever it is: ``str`` goes as raw UTF-8, ``bytes`` (to ``url()``) as they are."""
    tickets: bool = False
    """What a redirect leads to is good for one request, 403 to others."""
    ticket: str = ""
    """Of such an address."""

    # Told wrongly
    norange: bool = False
    """Ranges are ignored: 200 and the whole."""
    badrange: bool = False
    """``Content-Range`` is one byte beside the truth."""
    capped: int = 0
    """So many bytes at most come for a range."""
    nototal: bool = False
    """``Content-Range`` does not say how large the whole is."""
    multipart: bool = False
    """A range comes as ``multipart/byteranges``."""
    partial: bool = False
    """206 though no range was asked."""
    length: str = ""
    """``Content-Length`` as it stands."""
    nolen: bool = False
    """No length; the end of the connection is the end."""
    chunked: bool = False
    """No length; ``Transfer-Encoding: chunked``."""
    gzip: bool = False
    """``Content-Encoding: gzip``, though nobody asked for it."""
    etag: str = ""
    """This one, quotes included, whatever the content."""
    noetag: bool = False
    weak: bool = False
    """The ETag is weak: no ground for a resume."""
    modified: str = ""
    """``Last-Modified``."""
    changes: int = 0
    """From this number on the content is that of the next seed, and so is its ETag."""
    disposition: str = ""
    """``Content-Disposition`` as it stands: ``str`` goes as raw UTF-8, ``bytes`` (to ``url()``) as they are."""
    content_type: str = ""

    # Not HTTP
    huge_header: int = 0
    """So many bytes in one header."""
    many_headers: int = 0
    """So many more headers."""
    endless_header: bool = False
    """The headers have no end."""
    headless: bool = False
    """The content alone, without status and headers."""
    garbage: bool = False
    """Random bytes in place of an answer."""

    @classmethod
    def read(cls, query: str) -> Self:
        """From an address. Names that are no knob belong to the site; ``status`` alone refuses every request."""
        given = dict(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"))
        knobs = {knob.name: _READ[knob.type](given[knob.name]) for knob in fields(cls) if knob.name in given}
        if "status" in knobs:
            knobs.setdefault("fail", 1 << 60)
        return cls(**knobs)
