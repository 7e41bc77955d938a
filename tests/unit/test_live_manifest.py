"""Manifests of live DASH, and what each offers at an instant."""

from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idm_app.engine.live_manifest import Manifest, Wanted
from idm_app.engine.live_playlist import LivePlaylist, Piece

URL = "http://cdn.example/live/manifest.mpd?token=a"
BEGUN = "2026-01-01T00:00:00Z"
BEGUN_AT = 1_767_225_600
VIDEO = Wanted("dash-v1", "video", 400_000.0)


def mpd(periods: str, attributes: str = f'type="dynamic" availabilityStartTime="{BEGUN}"') -> bytes:
    return f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {attributes}>{periods}</MPD>'.encode()


def period(template: str, attributes: str = 'start="PT0S"', inside: str = "") -> str:
    representation = f'<Representation id="v1" bandwidth="400000">{inside}{template}</Representation>'
    return f'<Period {attributes}><AdaptationSet mimeType="video/mp4">{representation}</AdaptationSet></Period>'


def offer(content: bytes, elapsed: float, since: float | None = None, wanted: Wanted = VIDEO) -> LivePlaylist:
    """``since`` in seconds after the stream began, like ``elapsed``."""
    since_number = None if since is None else round((BEGUN_AT + since) * 1000)
    return Manifest(content, URL, BEGUN_AT).offer(wanted, BEGUN_AT + elapsed, since_number)


def names(found: LivePlaylist) -> list[str]:
    return [urlsplit(piece.url).path.removeprefix("/live/") for piece in found.pieces]


def starts(found: LivePlaylist) -> list[float]:
    return [piece.number / 1000 - BEGUN_AT for piece in found.pieces]


BY_NUMBER = '<SegmentTemplate timescale="1000" duration="2000" startNumber="5" media="$Number%04d$.m4s" {} />'
BY_TIME = '<SegmentTemplate timescale="10" media="$RepresentationID$/$Time$.m4s"><SegmentTimeline>{}</SegmentTimeline>'
BY_TIME += "</SegmentTemplate>"
LISTED = '<SegmentList timescale="10"><SegmentTimeline><S t="0" d="20" r="1" /></SegmentTimeline>'
LISTED += '<Initialization sourceURL="i.mp4" range="0-99" /><SegmentURL media="a.m4s" />'
LISTED += '<SegmentURL mediaRange="100-199" media="b.m4s" /></SegmentList>'
TWO_PERIODS = period(BY_TIME.format('<S t="0" d="20" r="2" />'), 'start="PT0S" duration="PT6S"') + period(
    BY_TIME.format('<S t="700" d="20" r="1" />').replace(
        "<SegmentTemplate", '<SegmentTemplate presentationTimeOffset="700"'
    ),
    attributes="",
)
OFFERS = {
    "the newest few, not all that are there": (
        period(BY_NUMBER.format("")), 101.0, None, ["0052.m4s", "0053.m4s", "0054.m4s"],
    ),
    "all since then": (period(BY_NUMBER.format("")), 9.9, 4.0, ["0007.m4s", "0008.m4s"]),
    "more than half of it is new": (period(BY_NUMBER.format("")), 9.9, 4.9, ["0007.m4s", "0008.m4s"]),
    "less than half of it is new": (period(BY_NUMBER.format("")), 9.9, 5.1, ["0008.m4s"]),
    "it has not begun": (period(BY_NUMBER.format("")), -3.0, None, []),
    "the first is not complete": (period(BY_NUMBER.format("")), 1.9, None, []),
    "a period that begins later": (period(BY_NUMBER.format(""), 'start="PT1M"'), 64.5, None, ["0005.m4s", "0006.m4s"]),
    "no more than the period holds": (
        period(BY_NUMBER.format(""), 'start="PT0S" duration="PT7S"'), 60.0, None, ["0006.m4s", "0007.m4s", "0008.m4s"],
    ),
    "an offset of the media's clock changes no number": (
        period(BY_NUMBER.format('presentationTimeOffset="777000"')), 5.0, None, ["0005.m4s", "0006.m4s"],
    ),
    "names after times": (
        period(BY_TIME.format('<S t="40" d="20" /><S d="30" r="1" />')), 0.0, 4.0,
        ["v1/40.m4s", "v1/60.m4s", "v1/90.m4s"],
    ),
    "repeated up to the next": (
        period(BY_TIME.format('<S t="0" d="20" r="-1" /><S t="60" d="10" />')), 9.0, 0.0,
        ["v1/0.m4s", "v1/20.m4s", "v1/40.m4s", "v1/60.m4s"],
    ),
    "repeated until now": (period(BY_TIME.format('<S t="0" d="20" r="-1" />')), 5.0, 0.0, ["v1/0.m4s", "v1/20.m4s"]),
    "repeated to the period's end": (
        period(BY_TIME.format('<S t="0" d="20" r="-1" />'), 'start="PT0S" duration="PT3S"'), 99.0, 0.0,
        ["v1/0.m4s", "v1/20.m4s"],
    ),
    "the rest of one period and the next": (
        TWO_PERIODS, 10.0, 2.0, ["v1/20.m4s", "v1/40.m4s", "v1/700.m4s", "v1/720.m4s"],
    ),
    "a list": (period(LISTED), 9.0, 0.0, ["a.m4s", "b.m4s"]),
}  # fmt: skip


@pytest.mark.parametrize(("periods", "elapsed", "since", "expected"), OFFERS.values(), ids=OFFERS.keys())
def test_what_is_on_offer(periods: str, elapsed: float, since: float | None, expected: list[str]) -> None:
    assert names(offer(mpd(periods), elapsed, since)) == expected


def test_pieces_are_numbered_by_the_servers_clock_in_all_periods() -> None:
    found = offer(mpd(TWO_PERIODS), 10.0, 0.0)
    assert starts(found) == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert {piece.zero_at for piece in found.pieces} == {BEGUN_AT, BEGUN_AT + 6 - 70}


def test_what_is_no_longer_kept_is_not_offered() -> None:
    attributes = f'type="dynamic" availabilityStartTime="{BEGUN}" timeShiftBufferDepth="PT10S"'
    assert starts(offer(mpd(period(BY_NUMBER.format("")), attributes), 1000.0, 0.0))[0] == 990.0


def test_centuries_of_pieces_cost_nothing() -> None:
    content = mpd(period(BY_NUMBER.format("")), 'type="dynamic" availabilityStartTime="1970-01-01T00:00:00Z"')
    found = Manifest(content, URL).offer(VIDEO, BEGUN_AT + 1.0, None)
    assert [piece.end for piece in found.pieces][-1] == BEGUN_AT * 1000


@pytest.mark.parametrize(
    ("attributes", "elapsed", "is_ended"),
    [
        (f'type="dynamic" availabilityStartTime="{BEGUN}"', 1e6, False),
        (f'type="dynamic" availabilityStartTime="{BEGUN}" mediaPresentationDuration="PT1H"', 3599.0, False),
        (f'type="dynamic" availabilityStartTime="{BEGUN}" mediaPresentationDuration="PT1H"', 3600.0, True),
        ('type="static" mediaPresentationDuration="PT8S"', 9.0, True),
    ],
)
def test_the_end(attributes: str, elapsed: float, is_ended: bool) -> None:
    found = offer(mpd(period(BY_NUMBER.format("")), attributes), elapsed, 4.0)
    assert found.is_ended is is_ended
    if "static" in attributes:
        assert names(found) == ["0007.m4s", "0008.m4s"]  # when it began is no longer said


def test_addresses_are_relative_to_all_levels_and_levels_inherit() -> None:
    content = mpd(
        '<BaseURL>//media.example/a/</BaseURL><Period start="PT0S"><BaseURL>b/</BaseURL>'
        '<SegmentTemplate timescale="10" duration="20" initialization="$RepresentationID$-$Bandwidth$.mp4" />'
        '<AdaptationSet contentType="video"><SegmentTemplate media="$$$Number$.m4s" /><BaseURL>c/</BaseURL>'
        '<Representation id="v1" bandwidth="4"><SegmentTemplate startNumber="0" /></Representation></AdaptationSet>'
        "</Period>"
    )
    piece = offer(content, 2.0).pieces[0]
    assert piece.url == "http://media.example/a/b/c/$0.m4s"
    assert piece.header == ("http://media.example/a/b/c/v1-4.mp4", None)


def test_a_list_has_ranges() -> None:
    pieces = offer(mpd(period(LISTED)), 9.0, 0.0).pieces
    assert [piece.byte_range for piece in pieces] == [None, (100, 200)]
    assert pieces[0].header == ("http://cdn.example/live/i.mp4", (0, 100))


CHOICES = (
    '<Period start="PT0S"><AdaptationSet mimeType="video/mp4">{template}'
    '<Representation id="1" bandwidth="100" /><Representation id="v,1" bandwidth="900" />'
    '</AdaptationSet><AdaptationSet mimeType="audio/mp4">{template}<Representation id="a1" bandwidth="90" />'
    "</AdaptationSet></Period>"
).format(template='<SegmentTemplate duration="2" media="$RepresentationID$" />')


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (Wanted("1", "video", 900.0), "1"),
        (Wanted("dash-1", "video", 900.0), "1"),
        (Wanted("dash-v_1", "video", 100.0), "v,1"),
        (Wanted("of-another-period", "video", 800.0), "v,1"),
        (Wanted("of-another-period", "audio"), "a1"),
        (Wanted("dash-1", "audio"), "a1"),
    ],
)
def test_the_representation_that_was_chosen(wanted: Wanted, name: str) -> None:
    assert names(offer(mpd(CHOICES), 2.0, None, wanted)) == [name]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"#EXTM3U",
        b"<html><body>over</body></html>",
        b'<!DOCTYPE MPD [<!ENTITY a "aaaa">]><MPD>&a;</MPD>',
        mpd(period("<SegmentBase />")),
        mpd(period('<SegmentTemplate duration="0" media="$Number$" />')),
        mpd(period('<SegmentTemplate duration="2" timescale="0" media="$Number$" />')),
        mpd(period(BY_TIME.format('<S t="0" d="0" />'))),
        mpd(period(BY_NUMBER.format("")), 'type="static"'),
        mpd(period(BY_NUMBER.format(""), 'start="soon"')),
        mpd(period(BY_NUMBER.format("")), 'type="dynamic" availabilityStartTime="today"'),
    ],
)
def test_what_cannot_be_recorded_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        offer(content, 10.0)


def test_what_is_encrypted_says_so() -> None:
    with pytest.raises(ValueError, match="encrypted"):
        offer(mpd(period(BY_NUMBER.format(""), inside="<ContentProtection />")), 10.0)


def recorded(found: LivePlaylist, so_far: list[Piece]) -> int:
    """Write down what is new; the number to go on from."""
    so_far += found.pieces
    return so_far[-1].end


@given(
    timescale=st.sampled_from([1, 1000, 48_000, 90_000, 10_000_000]),
    piece_seconds=st.sampled_from([1.0, 1.92, 2.002, 6.006]),
    start_number=st.integers(0, 10**6),
    first_look=st.floats(100.0, 1e5),
    steps=st.lists(st.floats(0.01, 15.0), min_size=1, max_size=20),
)
def test_by_the_clock_no_piece_is_offered_twice_and_none_is_left_out(
    timescale: int, piece_seconds: float, start_number: int, first_look: float, steps: list[float]
) -> None:
    ticks = max(1, round(piece_seconds * timescale))
    template = (
        f'<SegmentTemplate timescale="{timescale}" duration="{ticks}" startNumber="{start_number}" media="$Number$" />'
    )
    manifest = Manifest(mpd(period(template)), URL)
    pieces: list[Piece] = []
    now, since = BEGUN_AT + first_look, None
    for step in steps:
        since = recorded(manifest.offer(VIDEO, now, since), pieces)
        now += step
    numbers = [int(piece.url.rpartition("/")[2]) for piece in pieces]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert pieces[-1].end <= (now + 0.001) * 1000
    assert not any(later.leaves_out(earlier.end) for earlier, later in pairwise(pieces))


@given(
    lengths=st.lists(st.integers(150, 250), min_size=12, max_size=40),
    jitters=st.lists(st.integers(-5, 5), min_size=40, max_size=40),
    per_period=st.integers(1, 12),
    window=st.integers(8, 12),
    steps=st.lists(st.integers(0, 5), max_size=12),
)
def test_in_a_moving_timeline_of_several_periods_no_piece_is_offered_twice_and_none_is_left_out(
    lengths: list[int], jitters: list[int], per_period: int, window: int, steps: list[int]
) -> None:
    begins = [sum(lengths[:number]) for number in range(len(lengths) + 1)]
    pieces: list[Piece] = []
    sent, since = 8, None
    for step in [0, *steps]:
        sent = min(sent + step, len(lengths))
        listed = range(max(0, sent - window), sent)
        text = ""
        for first in sorted({number - number % per_period for number in listed}):
            inside = [number for number in listed if first <= number < first + per_period]
            lines = "".join(
                f'<S t="{begins[n] - begins[first] + max(0, jitters[n])}" d="{lengths[n]}" />' for n in inside
            )
            template = f'<SegmentTemplate timescale="100" startNumber="{inside[0]}" media="$Number$">'
            template += f"<SegmentTimeline>{lines}</SegmentTimeline></SegmentTemplate>"
            text += period(template, f'start="PT{begins[first] / 100}S"')
        since = recorded(Manifest(mpd(text), URL).offer(VIDEO, BEGUN_AT + begins[sent] / 100, since), pieces)
    numbers = [int(piece.url.rpartition("/")[2]) for piece in pieces]
    assert numbers == list(range(numbers[0], sent))
