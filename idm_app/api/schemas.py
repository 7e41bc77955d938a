"""The wire shapes: what clients may send, and what the OpenAPI document says of the answers."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from idm_app.access import Scope
from idm_app.model import AudioFormat, Category, Cookie, Extra, Kind, Quality, Request, Status, SubtitlesAs


def _with_zone(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("it needs a time zone, for example 2026-11-22T22:00:00Z")
    return instant


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("there is no such instant in UTC") from None


_PLAYLIST_RANGE = r"[:-](-?\d{1,9})?(:-?[1-9]\d{0,8})?"
_PLAYLIST_PART = rf"(-?\d{{1,9}}({_PLAYLIST_RANGE})?|:\d{{1,9}}(:-?[1-9]\d{{0,8}})?|::-?[1-9]\d{{0,8}})"
"""``7``, ``1-3``, ``5-`` and, counted from the end or in steps, ``-2``, ``1:9:2``, ``::2``, as yt-dlp reads them."""
Address = Annotated[str, Field(examples=["https://example.org/file.zip"])]
Language = Annotated[str, StringConstraints(pattern=r"^[\w.*-]+$", max_length=40)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_|~-]+$", max_length=64)]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\t\x20-\x7e]*$", max_length=4096)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Rate = Annotated[int, Field(ge=1000, le=10**12)]
PlaylistItems = Annotated[
    str,
    StringConstraints(pattern=rf"^{_PLAYLIST_PART}(,{_PLAYLIST_PART})*$", max_length=1000),
    Field(examples=["1-3,7"]),
]
Instant = Annotated[datetime, AfterValidator(_in_utc)]
ZonedInstant = Annotated[datetime, AfterValidator(_with_zone), AfterValidator(_in_utc)]
Checksum = Annotated[
    str,
    StringConstraints(
        pattern=r"^(md5:[0-9A-Fa-f]{32}|sha1:[0-9A-Fa-f]{40}|sha256:[0-9A-Fa-f]{64}|sha512:[0-9A-Fa-f]{128})$"
    ),
]
MAX_ADDRESSES = 20_000

_OWN_HEADERS = {
    "accept-encoding",
    "connection",
    "content-length",
    "cookie",
    "host",
    "if-range",
    "range",
    "transfer-encoding",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CookieIn(_Strict):
    """A cookie as the browser's own API gives it."""

    name: Annotated[str, StringConstraints(pattern=r"^[^\s;=,\x00-\x1f\x7f]+$", max_length=256)]
    value: Annotated[str, StringConstraints(pattern=r"^[^;\x00-\x1f\x7f]*$", max_length=8192)]
    domain: Annotated[str, StringConstraints(pattern=r"^\.?[A-Za-z0-9.:_\[\]-]+$", max_length=253)]
    path: Annotated[str, StringConstraints(pattern=r"^/[^;\x00-\x1f\x7f]*$", max_length=1024)] = "/"
    secure: bool = False
    host_only: bool = True
    expires_at_seconds: int | None = None


class SiteAccess(_Strict):
    """What a site is asked with."""

    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=50)] = {}
    referrer: HeaderValue | None = None
    cookies: Annotated[list[CookieIn], Field(max_length=300)] = []

    @model_validator(mode="after")
    def _no_header_of_ours(self) -> Self:
        if reserved := sorted(name for name in self.headers if name.lower() in _OWN_HEADERS):
            raise ValueError(f"headers may not set {', '.join(reserved)}")
        return self

    def _site_access(self) -> dict[str, Any]:
        return {
            "headers": tuple(self.headers.items()),
            "referrer": self.referrer,
            "cookies": tuple(Cookie(**cookie.model_dump()) for cookie in self.cookies),
        }


class ProbeIn(SiteAccess):
    """The address to look at."""

    url: Address

    def request(self) -> Request:
        """What the manager takes."""
        return Request(self.url, **self._site_access())


class Choices(SiteAccess):
    """How to download; the same for one address and for many."""

    filename: Name | None = None
    directory: Name | None = Field(None, description="below the download folder")
    category: Category | None = None
    quality: Quality = Quality.BEST
    format_id: Annotated[str, StringConstraints(pattern=r"^[\w.+-]+$", max_length=80)] | None = None
    audio_format: AudioFormat | None = None
    subtitles: Annotated[list[Language], Field(max_length=50)] = []
    subtitles_as: SubtitlesAs = SubtitlesAs.EMBEDDED
    embed: Annotated[
        list[Extra],
        Field(
            max_length=len(Extra),
            description="into the media file, where it can hold them; `sponsors` asks SponsorBlock's service",
        ),
    ] = []
    playlist_items: PlaylistItems | None = None
    connections: Annotated[int, Field(ge=1, le=32)] | None = None
    bytes_per_second_limit: Rate | None = None
    queue: Annotated[str, StringConstraints(pattern=r"^[\w -]+$", max_length=50)] = "main"
    start: bool = True
    start_at: ZonedInstant | None = None
    checksum: Checksum | None = None
    on_duplicate: Literal["ask", "skip", "again"] = "again"

    def request(self, url: str, directory: str | None, filename: str | None) -> Request:
        """What the manager takes."""
        return Request(
            url=url,
            filename=filename,
            directory=directory,
            category=self.category,
            quality=self.quality,
            format_id=self.format_id,
            audio_format=self.audio_format,
            subtitles=tuple(self.subtitles),
            subtitles_as=self.subtitles_as,
            embed=tuple(dict.fromkeys(self.embed)),
            playlist_items=self.playlist_items,
            connections=self.connections,
            bytes_per_second_limit=self.bytes_per_second_limit,
            checksum=self.checksum,
            **self._site_access(),
        )


class NewDownloads(Choices):
    """``url`` for one, ``urls`` for many."""

    url: Address | None = None
    urls: Annotated[list[Address], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.url is None) == (self.urls is None):
            raise ValueError("send either url (one address) or urls (a list of addresses)")
        return self


class Changes(_Strict):
    """What may be changed on a download, also while it runs."""

    bytes_per_second_limit: Rate | None = None
    queue: Annotated[str, StringConstraints(pattern=r"^[\w -]+$", max_length=50)] | None = None
    position: Annotated[int, Field(ge=1, le=2**53)] | None = None
    title: Name | None = None
    url: Address | None = None


class Action(_Strict):
    """One action on many."""

    action: Literal["pause", "resume", "retry", "remove"]
    ids: Annotated[list[int], Field(max_length=20_000)] | Literal["all"]


class PasswordIn(_Strict):
    """What is signed in with."""

    password: Annotated[str, StringConstraints(max_length=1024)]


class ClientIn(_Strict):
    """What a client is called in the list of devices."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)] = "Unnamed"


class TokenIn(ClientIn):
    """A token that is to be made."""

    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)] = [Scope.SUBMIT, Scope.CONTROL]


class SettingsIn(_Strict):
    """What the settings page changes."""

    max_active: Annotated[int, Field(ge=1, le=32)] | None = None
    connections: Annotated[int, Field(ge=1, le=32)] | None = None
    connections_per_host: Annotated[int, Field(ge=1, le=256)] | None = None
    bytes_per_second_limit: Rate | None = None
    allow_private_addresses: bool | None = None


class ErrorOut(BaseModel):
    """Why a download failed."""

    code: str
    message: str
    detail: str
    retryable: bool


class DownloadOut(BaseModel):
    """A download. Unknown is ``null``; sizes are bytes, rates bytes per second, times UTC."""

    id: int
    url: str
    kind: Kind | None
    status: Status
    done: bool
    title: str | None
    filename: str | None
    category: Category
    progress: float | None
    received_bytes: int
    total_bytes: int | None
    total_is_estimate: bool
    bytes_per_second: float | None
    eta_seconds: float | None
    phase: str | None
    connections: int
    error: ErrorOut | None
    queue: str
    position: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    file_url: str | None
    revision: int


class StreamOut(BaseModel):
    """One track or file of a download."""

    name: str
    received_bytes: int
    total_bytes: int | None
    total_is_estimate: bool


class EventOut(BaseModel):
    """Something that happened to a download."""

    at: datetime
    code: str
    message: str


class DownloadDetailsOut(DownloadOut):
    """A download with what its workers do."""

    segments: list[tuple[int, int, int]]
    streams: list[StreamOut]
    events: list[EventOut]


class DownloadsOut(BaseModel):
    """A page of downloads."""

    downloads: list[DownloadOut]
    total: int


class AddedOut(BaseModel):
    """The answer to ``urls``."""

    downloads: list[DownloadOut]


class ImportedOut(BaseModel):
    """What an import has done."""

    format: Literal["idm", "list", "aria2", "metube"]
    added: int
    skipped: int = Field(description="those that were there already")


class ChangedOut(BaseModel):
    """How many an action changed."""

    changed: int


class TokenOut(BaseModel):
    """A token, without its secret."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None


class NewTokenOut(TokenOut):
    """A token that was just made: its secret is told this once."""

    token: str


class TokensOut(BaseModel):
    """All tokens, oldest first."""

    tokens: list[TokenOut]


class PairingOut(BaseModel):
    """A code to type into the extension."""

    code: str
    expires_at: datetime


class FormatOut(BaseModel):
    """One way to have a media; ``format_id`` chooses it. Unknown is ``null``."""

    format_id: str
    quality: str | None = Field(description="height of a picture, as `1080p`; bit rate of sound, as `128 kbit/s`")
    height: int | None
    fps: float | None
    extension: str | None
    video_codec: str | None
    audio_codec: str | None
    total_bytes: int | None = Field(description="with the sound that a picture without sound is joined with")
    total_is_estimate: bool
    has_video: bool
    has_audio: bool = Field(description="whether the finished file has sound")


class EntryOut(BaseModel):
    """One entry of a playlist; ``index`` is its number for ``playlist_items``."""

    index: int
    url: str
    title: str | None
    duration_seconds: float | None
    thumbnail_url: str | None


class ProbeOut(BaseModel):
    """What an address offers. Unknown is ``null``."""

    kind: Kind
    title: str | None
    filename: str | None
    total_bytes: int | None = Field(description="of what is downloaded when nothing is chosen")
    total_is_estimate: bool
    thumbnail_url: str | None
    duration_seconds: float | None
    formats: list[FormatOut] = Field(description="of media: best first")
    entries: list[EntryOut] = Field(description="of a playlist")
    subtitles: list[str] = Field(description="languages")


class HealthOut(BaseModel):
    """That the server answers."""

    status: Literal["ok"]
    version: str
    api: int


class ProblemOut(BaseModel):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    message: str
    field: str | None = None


Stats = dict[str, Any]
