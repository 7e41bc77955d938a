"""The words of this program as values: a download, what was asked for, where it stands. Standard library only."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from idm_app.errors import WrongStatus
from idm_app.events import EVENTS, Values, filled


class Status(StrEnum):
    """Where a download stands."""

    QUEUED = "queued"
    PROBING = "probing"
    DOWNLOADING = "downloading"
    PROCESSING = "processing"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_running(self) -> bool:
        """Whether a worker is at it."""
        return self in _RUNNING

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self in (Status.COMPLETED, Status.FAILED)


_RUNNING = frozenset({Status.PROBING, Status.DOWNLOADING, Status.PROCESSING})

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.PROBING, Status.PAUSED, Status.FAILED}),
    Status.PROBING: frozenset(
        {Status.DOWNLOADING, Status.PROCESSING, Status.COMPLETED, Status.QUEUED, Status.PAUSED, Status.FAILED}
    ),
    Status.DOWNLOADING: frozenset(
        {Status.PROBING, Status.PROCESSING, Status.COMPLETED, Status.QUEUED, Status.PAUSED, Status.FAILED}
    ),
    Status.PROCESSING: frozenset({Status.DOWNLOADING, Status.COMPLETED, Status.QUEUED, Status.PAUSED, Status.FAILED}),
    Status.PAUSED: frozenset({Status.QUEUED}),
    Status.FAILED: frozenset({Status.QUEUED}),
    Status.COMPLETED: frozenset({Status.QUEUED}),
}


def check_transition(before: Status, after: Status) -> None:
    """Raise :class:`WrongStatus` unless ``before`` → ``after`` is legal."""
    if after not in TRANSITIONS[before]:
        raise WrongStatus(f"A download that is {before} cannot become {after}.")


class Kind(StrEnum):
    """What an address turned out to be."""

    FILE = "file"
    MEDIA = "media"
    PLAYLIST = "playlist"


class Category(StrEnum):
    """IDM's folders of the mind; decided by the file's extension, or by the user."""

    COMPRESSED = "compressed"
    DOCUMENTS = "documents"
    MUSIC = "music"
    PROGRAMS = "programs"
    VIDEO = "video"
    OTHER = "other"


class Quality(StrEnum):
    """What to take where media comes in several qualities."""

    BEST = "best"
    P2160 = "2160p"
    P1440 = "1440p"
    P1080 = "1080p"
    P720 = "720p"
    P480 = "480p"
    AUDIO = "audio"


class AudioFormat(StrEnum):
    """What to turn audio into."""

    MP3 = "mp3"
    M4A = "m4a"
    OPUS = "opus"


class SubtitlesAs(StrEnum):
    """Where subtitles go."""

    EMBEDDED = "embedded"
    """Into the video, where its container can hold them; else beside it."""
    BESIDE = "beside"
    """Files of their own beside it."""


class Extra(StrEnum):
    """What can be put into a media file besides picture and sound."""

    THUMBNAIL = "thumbnail"
    METADATA = "metadata"
    CHAPTERS = "chapters"
    SPONSORS = "sponsors"
    """Marks among the chapters; a third party's service is asked for them."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie that a client handed over for a site; goes to that site only and never comes back out."""

    name: str
    value: str
    domain: str
    path: str = "/"
    secure: bool = False
    host_only: bool = True
    expires_at_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. Does not change once accepted, but for ``url`` when an expired one is replaced."""

    url: str
    filename: str | None = None
    directory: str | None = None
    category: Category | None = None
    quality: Quality = Quality.BEST
    format_id: str | None = None
    audio_format: AudioFormat | None = None
    subtitles: tuple[str, ...] = ()
    subtitles_as: SubtitlesAs = SubtitlesAs.EMBEDDED
    embed: tuple[Extra, ...] = ()
    playlist_items: str | None = None
    connections: int | None = None
    bytes_per_second_limit: int | None = None
    checksum: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    referrer: str | None = None
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a download failed. ``code`` is a key of :data:`idm_app.errors.FAILURES`."""

    code: str
    message: str
    detail: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """A byte range ``[start, end)`` of a stream over one connection, and how much of it is there."""

    start: int
    end: int
    received: int


@dataclass(frozen=True, slots=True)
class Stream:
    """One track or file of a download."""

    name: str
    received_bytes: int
    total_bytes: int | None
    total_is_estimate: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth telling that happened to a download. The codes and their values: :mod:`idm_app.events`."""

    at: datetime
    code: str
    values: Values = ()

    @property
    def message(self) -> str:
        """In English, for people."""
        return filled(EVENTS.get(self.code, self.code), self.values)


@dataclass(frozen=True, slots=True)
class Download:
    """A download as everybody sees it. Immutable: the manager replaces it, nobody else does."""

    id: int
    request: Request
    created_at: datetime
    status: Status = Status.QUEUED
    kind: Kind | None = None
    title: str | None = None
    filename: str | None = None
    category: Category = Category.OTHER
    progress: float | None = None
    received_bytes: int = 0
    total_bytes: int | None = None
    total_is_estimate: bool = False
    bytes_per_second: float | None = None
    eta_seconds: float | None = None
    phase: str | None = None
    connections: int = 0
    error: Failure | None = None
    queue: str = "main"
    position: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    parent_id: int | None = None
    path: str | None = None
    """Where the finished file is, absolute."""
    beside: tuple[str, ...] = ()
    """Its subtitles' files, absolute."""
    attempts: int = 0
    """How often it was begun since a person last asked for it, or since it last got further."""
    not_before: datetime | None = None
    """While it waits to be tried again: when."""
    revision: int = 0
    segments: tuple[Segment, ...] = ()
    streams: tuple[Stream, ...] = ()
    events: tuple[Event, ...] = field(default=())
