"""Downloads as documents: plain values for the store, and back.

What only a running download has (rate, time left, phase, connections, segments, streams) is not kept, and a field that
has its default is left out. Cookies and headers are kept while the download needs them and not a moment longer.
"""

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple

from idm_app.model import (
    AudioFormat,
    Category,
    Cookie,
    Download,
    Event,
    Extra,
    Failure,
    Kind,
    Quality,
    Request,
    Status,
    SubtitlesAs,
)

MAX_EVENTS = 50

Document = dict[str, Any]


def to_document(download: Download) -> Document:
    """Plain values only: ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool``."""
    document: Document = _DOWNLOAD.plain(download)
    if download.status is Status.COMPLETED:
        document["request"].pop("headers", None)
        document["request"].pop("cookies", None)
    if len(download.events) > MAX_EVENTS:
        document["events"] = document["events"][-MAX_EVENTS:]
    return document


def from_document(document: Document) -> Download:
    """The inverse of :func:`to_document`. Raises ``TypeError`` or ``ValueError`` for one that is damaged."""
    download: Download = _DOWNLOAD.value(document)
    return download


class _Form(NamedTuple):
    """How one value looks in a document: there, and checked, back again."""

    plain: Callable[[Any], Any]
    value: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _only(*kinds: type) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        if type(value) not in kinds:
            raise TypeError(f"{value!r} is not {kinds[0].__name__}")
        return value

    return checked


def _whole_number(value: Any) -> int:
    if type(value) is float and value.is_integer():  # how JSON reads one of more than 64 bits
        return int(value)
    whole: int = _only(int)(value)
    return whole


def _enum(kind: Callable[[Any], Any]) -> _Form:
    return _Form(lambda member: member.value, kind)


def _many(form: _Form) -> _Form:
    listed = _only(list)
    return _Form(
        lambda values: [form.plain(value) for value in values],
        lambda values: tuple(form.value(value) for value in listed(values)),
    )


def _record(kind: type, /, **forms: _Form) -> _Form:
    """A dataclass as a ``dict`` of those fields of ``forms`` that differ from their defaults."""
    defaults = {field.name: field.default for field in fields(kind)}
    values_of = attrgetter(*forms)
    writers = [(name, form.plain, defaults[name]) for name, form in forms.items()]

    def plain(record: Any) -> Document:
        return {
            name: write(value)
            for (name, write, default), value in zip(writers, values_of(record), strict=True)
            if value is not default and value != default
        }

    def value(document: Any) -> Any:
        if not isinstance(document, dict):
            raise TypeError(f"{document!r} is not a document")
        given = {
            name: forms[name].value(plain) for name, plain in document.items() if plain is not None and name in forms
        }
        return kind(**given)

    return _Form(plain, value)


def _parsed_instant(text: Any) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} does not say its time zone")
    return instant


_TEXT = _Form(_same, _only(str))
_INTEGER = _Form(_same, _whole_number)
_NUMBER = _Form(_same, _only(float, int))
_FLAG = _Form(_same, _only(bool))
_INSTANT = _Form(lambda instant: instant.astimezone(UTC).isoformat(), _parsed_instant)

_COOKIE = _record(
    Cookie,
    name=_TEXT,
    value=_TEXT,
    domain=_TEXT,
    path=_TEXT,
    secure=_FLAG,
    host_only=_FLAG,
    expires_at_seconds=_INTEGER,
)


def _pair(pair: Any) -> tuple[str, str]:
    name, value = pair
    return _TEXT.value(name), _TEXT.value(value)


_REQUEST = _record(
    Request,
    url=_TEXT,
    filename=_TEXT,
    directory=_TEXT,
    category=_enum(Category),
    quality=_enum(Quality),
    format_id=_TEXT,
    audio_format=_enum(AudioFormat),
    subtitles=_many(_TEXT),
    subtitles_as=_enum(SubtitlesAs),
    embed=_many(_enum(Extra)),
    playlist_items=_TEXT,
    connections=_INTEGER,
    bytes_per_second_limit=_INTEGER,
    checksum=_TEXT,
    headers=_many(_Form(list, _pair)),
    referrer=_TEXT,
    cookies=_many(_COOKIE),
)

_DOWNLOAD = _record(
    Download,
    id=_INTEGER,
    request=_REQUEST,
    created_at=_INSTANT,
    status=_enum(Status),
    kind=_enum(Kind),
    title=_TEXT,
    filename=_TEXT,
    category=_enum(Category),
    progress=_NUMBER,
    received_bytes=_INTEGER,
    total_bytes=_INTEGER,
    total_is_estimate=_FLAG,
    error=_record(Failure, code=_TEXT, message=_TEXT, detail=_TEXT, retryable=_FLAG),
    queue=_TEXT,
    position=_INTEGER,
    started_at=_INSTANT,
    finished_at=_INSTANT,
    parent_id=_INTEGER,
    path=_TEXT,
    beside=_many(_TEXT),
    attempts=_INTEGER,
    not_before=_INSTANT,
    revision=_INTEGER,
    events=_many(_record(Event, at=_INSTANT, code=_TEXT, values=_many(_Form(list, _pair)))),
)
