"""What went wrong with media, from the exception's kind and yt-dlp's words, as one of our codes. Pure."""

import errno
import re

from idm_app.errors import DownloadError

_QUERY = re.compile(r"\?[^\s'\"<>]*")
_BUG_REPORT = re.compile(r"[;,.]?\s*please report this issue on.*", re.IGNORECASE | re.DOTALL)
_PREFIX = re.compile(r"^(?:\x1b\[[\d;]*m|ERROR:|\s)+")
_HTTP_STATUS = re.compile(r"HTTP Error (\d{3})")
_BY_KIND = {
    "UnsupportedError": "no-media",
    "GeoRestrictedError": "not-in-your-country",
    "UserNotLive": "live-not-started",
    "PostProcessingError": "merge-failed",
    "FFmpegPostProcessorError": "merge-failed",
    "ContentTooShortError": "too-short",
    "BlockedAddress": "blocked-address",
    "CertificateVerifyError": "tls-failed",
    "SSLError": "tls-failed",
    "NoSupportingHandlers": "invalid-address",
}
_BY_STATUS = {
    401: "login-required",
    403: "forbidden",
    404: "not-found",
    410: "gone",
    429: "server-busy",
    503: "server-busy",
}
_NO_SOUND = "unable to obtain file audio codec"
_BY_WORDS: tuple[tuple[str, str], ...] = (
    (r"downloads may not reach", "blocked-address"),
    (r"\bDRM\b", "drm-protected"),
    (r"Requested format is not available|Only images are available", "format-not-available"),
    (r"No video formats found|There'?s? (?:is )?no video|No media found|Unsupported URL", "no-media"),
    (r"not currently live|live event will begin|has not (?:yet )?started|Premieres in", "live-not-started"),
    (
        r"\bprivate (?:video|media|profile|account|playlist)|(?:video|account|profile|playlist) is private",
        "private-media",
    ),
    (r"\bsign in\b|\blog ?in\b|login required|account cookies|members[- ]only|cookies-from-browser", "login-required"),
    (
        r"not available (?:in|from) your (?:country|region|location|area)|geo.?restrict|geo.?block|in your country"
        r"|not made this video available in",
        "not-in-your-country",
    ),
    (
        r"has been removed|no longer available|(?:is|are) (?:unavailable|not available)|Video unavailable|blocked it"
        r"|copyright|has been deleted|does not exist|account .{0,40}terminated",
        "not-available",
    ),
    (r"Failed to resolve|Name or service not known|getaddrinfo|nodename nor servname", "host-not-found"),
    (r"Connection refused|actively refused", "connection-refused"),
    (r"timed? ?out", "timed-out"),
    (r"CERTIFICATE_VERIFY_FAILED|certificate verify", "tls-failed"),
    (r"No space left|Disk quota", "disk-full"),
    (r"redirect.{0,20}(?:loop|limit)|infinite loop", "too-many-redirects"),
    (r"Connection (?:reset|aborted|broken)|RemoteDisconnected|IncompleteRead|bytes read", "connection-lost"),
    (r"ffmpeg exited with code", "not-fetched"),
    (r"Postprocessing:|ffmpeg|Conversion failed", "merge-failed"),
)


def media_failure(error: BaseException) -> DownloadError:
    """``error``, with whatever caused it, as the failure to report."""
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, DownloadError):
            return cause
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return DownloadError("disk-full", _clean(str(cause)))
    detail = _clean(str(error))
    if _NO_SOUND in detail:  # a failure of ffmpeg's by its kind
        return DownloadError("format-not-available", detail, message="There is no sound in this media.")
    kinds = {kind.__name__ for cause in chain for kind in type(cause).__mro__}
    for kind, code in _BY_KIND.items():
        if kind in kinds:
            return DownloadError(code, detail)
    words = " ".join(str(cause) for cause in chain)
    if match := _HTTP_STATUS.search(words):
        status = int(match[1])
        return DownloadError(_BY_STATUS.get(status, "server-error" if status >= 500 else "extraction-failed"), detail)
    code = next((code for pattern, code in _BY_WORDS if re.search(pattern, words, re.IGNORECASE)), "extraction-failed")
    return DownloadError(code, detail)


def without_queries(text: str) -> str:
    """``text`` with the query strings of its addresses left out: they may hold secrets."""
    return _QUERY.sub("?…", text)


def _chain(error: BaseException | None) -> "list[BaseException]":
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or cause in found or len(found) > 20:
            continue
        found.append(cause)
        exc_info = getattr(cause, "exc_info", None)
        waiting += [exc_info[1] if isinstance(exc_info, tuple) else None, getattr(cause, "cause", None)]
        waiting += [cause.__cause__, cause.__context__]
    return found


def _clean(text: str) -> str:
    return without_queries(_BUG_REPORT.sub("", _PREFIX.sub("", text))).strip()[:1000]
