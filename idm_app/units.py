"""Numbers as people read them: bytes, rates, durations, percent. Pure.

The extension formats the same numbers in JavaScript (``extension/shared/format.js``); both are held to
``tests/units_table.json``. Sizes are decimal (1 kB = 1000 B), with three significant digits; number and unit
are joined by a no-break space. Unknown (``None``) is the empty string, never ``0``.
"""

from datetime import UTC, datetime
from functools import lru_cache

_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")
_NBSP = "\u00a0"


def format_bytes(size: float | None) -> str:
    """``4530000`` → ``4.53 MB``."""
    if size is None:
        return ""
    if round(size) < 1000:
        return f"{round(size)}{_NBSP}B"
    value = float(size)
    for unit in _UNITS:
        value /= 1000
        digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
        if value < 999.5 or unit == _UNITS[-1]:
            break
    return f"{value:.{digits}f}{_NBSP}{unit}"


def format_rate(bytes_per_second: float | None) -> str:
    """``1250000`` → ``1.25 MB/s``."""
    return "" if bytes_per_second is None else f"{format_bytes(bytes_per_second)}/s"


def format_duration(seconds: float | None) -> str:
    """``65`` → ``1 min 05 s``; under a second is ``1 s``."""
    if seconds is None:
        return ""
    whole = max(1, round(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 60:
        return f"{whole}{_NBSP}s"
    if hours == 0:
        return f"{minutes}{_NBSP}min{_NBSP}{whole % 60:02d}{_NBSP}s"
    if days == 0:
        return f"{hours}{_NBSP}h{_NBSP}{minutes % 60:02d}{_NBSP}min"
    return f"{days}{_NBSP}d{_NBSP}{hours % 24}{_NBSP}h"


def format_percent(progress: float | None) -> str:
    """``45.31`` → ``45.3 %``; ``100 %`` only when all is there."""
    if progress is None:
        return ""
    if progress >= 100:
        return f"100{_NBSP}%"
    return f"{min(progress, 99.9):.1f}{_NBSP}%"


@lru_cache(1024)
def format_instant(instant: datetime | None) -> str | None:
    """An aware instant as ISO 8601 in UTC with milliseconds, ``2026-11-22T22:14:03.120Z``."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_instant(text: str | None) -> datetime | None:
    """The inverse of :func:`format_instant`."""
    return None if text is None else datetime.fromisoformat(text)


def utc_now() -> datetime:
    """The present instant, aware."""
    return datetime.now(UTC)
