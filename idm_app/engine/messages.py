"""The border between the server and a worker: JSON lines, one message each.

In (worker's stdin): one :class:`Job`, then any number of :class:`Limit`, :class:`Allow` and :class:`Conclude`; **end
of input means stop**: flush, keep every byte, leave no child. Out (stdout): :class:`Ready` once it has loaded what it
needs (one that was forked has all of it, and says nothing); reports, in the past tense, the last one :class:`Finished`
or :class:`Failed`, or none after a stop; then the end, or :class:`Ready` for another job. Sizes are bytes, rates bytes
per second, durations seconds.
"""

import json
from dataclasses import dataclass, fields
from typing import Any, get_args


@dataclass(frozen=True, slots=True)
class Job:
    """All that a worker needs. The engine knows no settings: values come in here."""

    id: int
    url: str
    folder: str
    """Where the finished file goes, absolute; made if missing."""
    job_folder: str
    """The worker's own folder on the same disk: part files, sidecars, temporary media. Survives a stop."""
    filename: str | None = None
    """The name the user asked for; else the server's, the media's or the address's."""
    kind: str | None = None
    """``file`` or ``media`` when an earlier run has found out; ``None``: find out."""
    quality: str = "best"
    format_id: str | None = None
    audio_format: str | None = None
    subtitles: tuple[str, ...] = ()
    subtitles_beside: bool = False
    """Keep subtitles as files; else they go into the video."""
    embed: tuple[str, ...] = ()
    """Of ``thumbnail``, ``metadata``, ``chapters``, ``sponsors``."""
    sponsors_service: str = "https://sponsor.ajay.app"
    """SponsorBlock's; asked only if ``embed`` has ``sponsors``."""
    playlist_items: str | None = None
    connections: int = 8
    bytes_per_second_limit: int | None = None
    checksum: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    referrer: str | None = None
    cookies: tuple[dict[str, Any], ...] = ()
    """:class:`idm_app.model.Cookie` as dictionaries."""
    allow_private_addresses: bool = True
    blocked_ports: tuple[int, ...] = ()
    """The server's own ports: never a target on an address of this machine."""
    only_probe: bool = False
    """Download nothing: say what is there (:class:`Offered`), in the job folder leave nothing that matters."""
    may_rest: bool = False
    """When it has ended, and nothing speaks against another job in the same process, say so (:class:`Ready`)."""
    extraction: str | None = None
    """:attr:`Offered.extraction` of a probe of the same address not long ago: the site need not be asked again."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A new rate limit while running; ``None`` lifts it."""

    bytes_per_second: int | None


@dataclass(frozen=True, slots=True)
class Allow:
    """How many connections the download may have from now on."""

    connections: int


@dataclass(frozen=True, slots=True)
class Conclude:
    """End what has no end of its own, a recording, and make a finished file of what is there."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What the address is. May come again when more is known."""

    kind: str
    title: str | None = None
    filename: str | None = None
    total_bytes: int | None = None
    total_is_estimate: bool = False


@dataclass(frozen=True, slots=True)
class Progressed:
    """Where the whole download stands (every stream of a merged video by its bytes). At most 40 a second.

    ``segments``: ``[start, end, received]`` of each connection's range, at most a few times a second, else ``None``
    (unchanged). ``streams``: ``[name, received_bytes, total_bytes, total_is_estimate]`` likewise.
    """

    received_bytes: int
    total_bytes: int | None
    total_is_estimate: bool
    bytes_per_second: float | None
    eta_seconds: float | None
    phase: str
    connections: int
    segments: tuple[tuple[int, int, int], ...] | None = None
    streams: tuple[tuple[str, int, int | None, bool], ...] | None = None
    bytes_share: float = 1.0
    """How much of the whole's bar the bytes fill; where a re-encoding follows, it fills the rest."""


@dataclass(frozen=True, slots=True)
class Processing:
    """All bytes are there and are being worked on. ``phase``: ``merging``, ``converting``, ``finishing`` …"""

    phase: str
    progress: float | None = None
    """Of the whole, 0–100, where a re-encoding tells how far it is; ``None``: unchanged."""


@dataclass(frozen=True, slots=True)
class Noted:
    """An event for the download's history. The codes and their values are those of :mod:`idm_app.events`."""

    code: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reached:
    """The bytes come from this host (with the port, if the address has one), not from the one that the job names."""

    host: str


@dataclass(frozen=True, slots=True)
class Limited:
    """The host has refused more than so many connections at a time."""

    host: str
    connections: int


@dataclass(frozen=True, slots=True)
class Expanded:
    """The address is a playlist: its entries become downloads of their own. Ends the job."""

    title: str | None
    entries: tuple[dict[str, Any], ...]
    """Each ``{"url": …, "title": …}``."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What the address offers. Ends a job that only probes. Unknown is ``None``."""

    kind: str
    """``file``, ``media`` or ``playlist``."""
    title: str | None = None
    filename: str | None = None
    total_bytes: int | None = None
    total_is_estimate: bool = False
    thumbnail_url: str | None = None
    duration_seconds: float | None = None
    formats: tuple[dict[str, Any], ...] = ()
    """Best first: ``format_id quality height fps extension video_codec audio_codec total_bytes total_is_estimate
    has_video has_audio``."""
    entries: tuple[dict[str, Any], ...] = ()
    """A playlist's: ``index url title duration_seconds thumbnail_url``."""
    subtitles: tuple[str, ...] = ()
    """Languages."""
    extraction: str | None = None
    """For a later job; addresses that may be secret are in it, so it never leaves the server."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The file is under its final name."""

    path: str
    total_bytes: int
    beside: tuple[str, ...] = ()
    """Paths of what was put beside it: subtitles."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot go on. ``code`` is a key of :data:`idm_app.errors.FAILURES`."""

    code: str
    message: str
    detail: str
    retryable: bool
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker waits for a job. The one before, if there was any, has ended."""


Report = Probed | Progressed | Processing | Noted | Reached | Limited | Expanded | Offered | Finished | Failed
Command = Job | Limit | Allow | Conclude

_TYPES: dict[str, type[Any]] = {cls.__name__.lower(): cls for cls in (*get_args(Report), *get_args(Command), Ready)}
_FIELDS = {cls: fields(cls) for cls in _TYPES.values()}


def encode(message: Report | Ready | Command) -> bytes:
    """One line, newline included. What is as by default is left out."""
    cls = type(message)
    values = {f.name: value for f in _FIELDS[cls] if (value := getattr(message, f.name)) != f.default}
    return json.dumps({"type": cls.__name__.lower(), **values}).encode() + b"\n"


def decode(line: bytes) -> Any:
    """The inverse of :func:`encode`. Unknown fields are left out, so a newer peer can say more.

    Raises ``ValueError`` for what is no message of ours.
    """
    try:
        values = json.loads(line)
        cls = _TYPES[values["type"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"not a message: {line[:200]!r}") from error
    return cls(**{f.name: _frozen(values[f.name]) for f in _FIELDS[cls] if f.name in values})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(element) for element in value) if isinstance(value, list) else value
