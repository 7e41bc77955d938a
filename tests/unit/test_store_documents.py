"""Every field of a download comes back from its document; what is damaged is refused."""

import types
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idm_app.model import Cookie, Download, Event, Request, Status
from idm_app.store import files
from idm_app.store.documents import MAX_EVENTS, from_document, to_document

RUNTIME_ONLY = {"bytes_per_second", "eta_seconds", "phase", "connections", "segments", "streams"}
NOW = datetime(2026, 11, 22, 22, 14, 3, 120456, UTC)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Every value of a type of the model; a new field is covered by being there."""
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of(*(values(argument) for argument in get_args(hint)))
    if get_origin(hint) is tuple:
        first, *rest = get_args(hint)
        if rest == [...]:
            return st.lists(values(first), max_size=3).map(tuple)
        return st.tuples(values(first), *map(values, rest))
    if is_dataclass(hint):
        return st.builds(hint, **{name: values(kind) for name, kind in get_type_hints(hint).items()})
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    return {
        str: st.text(st.characters()),  # lone surrogates too: a file's name need not be UTF-8
        int: st.integers(-(2**63), 2**63),
        bool: st.booleans(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        datetime: st.datetimes(timezones=st.just(UTC)),
        type(None): st.none(),
    }[hint]


def kept(download: Download) -> Download:
    """What the store promises to keep of a download."""
    defaults = {f.name: f.default for f in fields(Download) if f.name in RUNTIME_ONLY and f.default is not MISSING}
    request = download.request
    if download.status is Status.COMPLETED:
        request = replace(request, headers=(), cookies=())
    return replace(download, request=request, events=download.events[-MAX_EVENTS:], **defaults)


@settings(max_examples=200, deadline=None)
@given(values(Download))
def test_every_field_comes_back(download: Download) -> None:
    at_rest = files.loads(files.dumps(to_document(download)))
    assert from_document(at_rest) == kept(download)


def test_an_absurd_length_is_no_reason_to_lose_a_download() -> None:
    download = Download(id=1, request=Request("https://example.org"), created_at=NOW, total_bytes=10**30)
    back = from_document(files.loads(files.dumps(to_document(download))))
    assert back.total_bytes == pytest.approx(10**30)


def test_the_newest_events_are_kept() -> None:
    events = tuple(Event(NOW, "gap", (("seconds", str(number)),)) for number in range(MAX_EVENTS + 7))
    download = Download(id=1, request=Request("https://example.org"), created_at=NOW, events=events)
    assert from_document(to_document(download)).events == events[7:]


@pytest.mark.parametrize("status", list(Status))
def test_secrets_are_kept_exactly_as_long_as_they_are_needed(status: Status) -> None:
    request = Request(
        "https://example.org", headers=(("X-Key", "secret"),), cookies=(Cookie("sid", "secret", "example.org"),)
    )
    document = to_document(Download(id=1, request=request, created_at=NOW, status=status))
    assert ("secret" in str(document)) is (status is not Status.COMPLETED)


SOUND = to_document(
    Download(
        id=1,
        request=Request("https://example.org", headers=(("a", "b"),), cookies=(Cookie("a", "b", "c"),), connections=2),
        created_at=NOW,
        events=(Event(NOW, "resumed", (("size", "1 kB"),)),),
    )
)


@pytest.mark.parametrize(
    "damage",
    [
        {"id": "1"},
        {"id": True},
        {"id": None},
        {"request": None},
        {"request": []},
        {"request": {}},
        {"request": {"url": 5}},
        {"request": {"url": "https://example.org", "headers": "ab"}},
        {"request": {"url": "https://example.org", "headers": [["a"]]}},
        {"request": {"url": "https://example.org", "cookies": [{"name": "a"}]}},
        {"request": {"url": "https://example.org", "quality": "9999p"}},
        {"created_at": "yesterday"},
        {"created_at": "2026-11-22T22:14:03"},
        {"created_at": 5},
        {"status": "dreaming"},
        {"status": []},
        {"title": 5},
        {"received_bytes": "many"},
        {"received_bytes": 1.5},
        {"progress": "half"},
        {"total_is_estimate": 1},
        {"error": "bad"},
        {"error": {"code": "gone"}},
        {"events": {}},
        {"events": [5]},
    ],
)
def test_a_damaged_document_is_refused(damage: dict[str, Any]) -> None:
    from_document(SOUND)
    with pytest.raises((TypeError, ValueError)):
        from_document({**SOUND, **damage})


def test_fields_of_other_versions_do_no_harm() -> None:
    assert from_document({**SOUND, "mood": "good", "title": None}) == from_document(SOUND)
