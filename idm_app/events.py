"""What happens to a download and is worth telling: by a code that does not change, in words with places for values.

The dashboard has the same by code in its other languages. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable

Values = tuple[tuple[str, str], ...]
"""Names of places, and what stands there."""

EVENTS = {
    "concluded": "The recording was ended; what was sent until then is kept.",
    "gap": "About {seconds} s are missing: they were no longer offered.",
    "no-sponsors": "Sponsors are not marked: SponsorBlock's service did not answer as it should ({error}).",
    "no-sponsors.none-known": "No sponsors are marked: SponsorBlock knows of none in this video.",
    "no-sponsors.other-site": "No sponsors are marked: SponsorBlock knows the videos of YouTube only.",
    "no-subtitles": "There are no subtitles in {languages}.",
    "no-thumbnail": "The thumbnail was left out: a .{extension} file cannot hold it.",
    "restarted.content-changed": "The file on the server has changed, so it is fetched anew.",
    "restarted.ranges-lost": "The server cannot go on in the middle, so it is fetched anew.",
    "resumed": "Resumed from {size}.",
    "stream-lost": "The stream broke off ({error}). What was recorded is kept.",
    "subtitles-lost": "The subtitles in {languages} could not be fetched ({error}).",
    "waiting.connection-lost": "The connection was lost; again in {seconds} s.",
    "waiting.connection-refused": "The server does not accept connections; again in {seconds} s.",
    "waiting.host-not-found": "The server's name was not found; again in {seconds} s.",
    "waiting.server-busy": "The server is busy; again in {seconds} s.",
    "waiting.server-error": "The server failed to answer properly; again in {seconds} s.",
    "waiting.timed-out": "The server does not answer; again in {seconds} s.",
    "waiting.too-short": "The server sent less than it promised; again in {seconds} s.",
    "waiting.worker-crashed": "The process that did this ended unexpectedly; again in {seconds} s.",
}

RESTARTS = frozenset({"restarted.content-changed", "restarted.ranges-lost"})
"""Nothing is left of what had arrived."""


def filled(text: str, values: Iterable[tuple[str, str]]) -> str:
    """``text`` with ``values`` in their places."""
    return text.format_map(defaultdict(lambda: "…", values))


def waiting_code(failure_code: str) -> str:
    """The event of waiting for another try after this failure."""
    code = f"waiting.{failure_code}"
    return code if code in EVENTS else "waiting.connection-lost"
