"""Range arithmetic: whatever is split, stolen, lost and joined, every byte is somewhere exactly once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from idm_app.engine.segments import Segment, Segments, kept_share

TOTAL = 1000


def shapes(segments: Segments) -> list[tuple[int, int | None, int]]:
    return [(s.start, s.end, s.received) for s in segments]


def test_a_new_stream_is_one_segment_and_nothing_of_it_is_there() -> None:
    segments = Segments(10)
    assert shapes(segments) == [(0, 10, 0)]
    assert (segments.received_bytes, segments.is_complete, segments.total) == (0, False, 10)


def test_an_empty_stream_is_complete() -> None:
    assert Segments(0).is_complete


def test_a_stream_of_unknown_size_is_never_complete_until_the_size_is_known() -> None:
    segments = Segments()
    next(iter(segments)).received = 5
    assert not segments.is_complete
    segments.set_total(5)
    assert segments.is_complete


def test_splitting_leaves_a_free_segment_behind() -> None:
    segments = Segments(10)
    first = next(iter(segments))
    first.received, first.owned = 3, True
    behind = segments.split(first, 6)
    assert shapes(segments) == [(0, 6, 3), (6, 10, 0)]
    assert segments.free() is behind


@pytest.mark.parametrize("at", [2, 10, 11])
def test_a_segment_is_not_cut_where_bytes_are_already_nor_at_its_end(at: int) -> None:
    segments = Segments(10)
    first = next(iter(segments))
    first.received = 3
    with pytest.raises(ValueError, match="cannot cut"):
        segments.split(first, at)


@pytest.mark.parametrize("ranges", [[(5, 3)], [(0, 4), (3, 6)], [(4, 6), (0, 2)], [(0, 11)], [(-1, 2)]])
def test_ranges_that_make_no_sense_are_refused(ranges: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="not a range"):
        Segments.from_received(10, ranges)


@given(st.sets(st.integers(0, 60)))
def test_what_was_received_survives_being_written_down(there: set[int]) -> None:
    ranges: list[tuple[int, int]] = []
    for offset in sorted(there):
        if ranges and ranges[-1][1] == offset:
            ranges[-1] = (ranges[-1][0], offset + 1)
        else:
            ranges.append((offset, offset + 1))
    segments = Segments.from_received(61, ranges)
    assert segments.received_ranges() == ranges
    assert segments.received_bytes == len(there)
    assert segments.is_complete == (len(there) == 61)


def test_a_refused_segment_goes_back_to_the_answer_that_reaches_over_it() -> None:
    segments = Segments(100)
    first = next(iter(segments))
    first.owned, first.received, first.promised_end = True, 10, 100
    last = segments.split(first, 60)
    middle = segments.split(first, 40)
    assert segments.give_back(last, over_others=False) == []
    assert segments.give_back(last, over_others=True) == [middle, last]
    assert shapes(segments) == [(0, 100, 10)]


def test_a_segment_is_not_given_back_to_an_answer_that_ends_before_it() -> None:
    segments = Segments(100)
    first = next(iter(segments))
    first.owned, first.received, first.promised_end = True, 10, 50
    assert segments.give_back(segments.split(first, 50), over_others=True) == []


def test_a_segment_of_which_something_is_there_is_not_given_back() -> None:
    segments = Segments(100)
    first = next(iter(segments))
    first.owned, first.received, first.promised_end = True, 10, 100
    behind = segments.split(first, 50)
    behind.received = 1
    assert segments.give_back(behind, over_others=True) == []


MIB = 1 << 20


def share(remaining: int, owner: float, thief: float, thieves: int = 1) -> int | None:
    return kept_share(remaining, owner, thief, thieves, smallest=MIB, start_seconds=0.2)


def test_equals_share_equally() -> None:
    assert share(16 * MIB, MIB, MIB) == 8 * MIB
    assert share(16 * MIB, MIB, MIB, thieves=7) == 14 * MIB


def test_a_slow_owner_keeps_as_much_as_it_can_bring_in_the_same_time() -> None:
    assert share(110 * MIB, MIB, 10 * MIB) == pytest.approx(10 * MIB, rel=0.01)


def test_an_owner_too_slow_for_any_share_is_replaced() -> None:
    assert share(16 * MIB, MIB / 100, MIB) == 0
    assert share(MIB // 2, MIB / 100, MIB) == 0


def test_what_is_there_sooner_than_a_request_is_left_alone() -> None:
    assert share(16 * MIB, 100 * MIB, 100 * MIB) is None


def test_what_is_too_small_to_share_is_left_to_an_owner_who_is_not_slow() -> None:
    assert share(MIB, MIB, MIB) is None


@given(
    st.integers(0, 1 << 40),
    st.floats(1, 1e9),
    st.floats(1, 1e9),
    st.integers(1, 32),
)
def test_a_share_is_never_outside_of_what_remains(remaining: int, owner: float, thief: float, thieves: int) -> None:
    kept = kept_share(remaining, owner, thief, thieves, smallest=MIB, start_seconds=0.2)
    assert kept is None or kept == 0 or MIB <= kept <= remaining - MIB


class Fetching(RuleBasedStateMachine):
    """Any interleaving of receiving, splitting, dropping, refusing and writing down."""

    def __init__(self) -> None:
        super().__init__()
        self.segments = Segments(TOTAL)
        self.there: set[int] = set()

    def pick(self, number: int) -> Segment:
        every = list(self.segments)
        return every[number % len(every)]

    @rule(number=st.integers(0, 50), size=st.integers(1, 400))
    def receive(self, number: int, size: int) -> None:
        segment = self.pick(number)
        segment.owned = True
        size = min(size, segment.remaining or 0)
        fresh = set(range(segment.position, segment.position + size))
        assert not fresh & self.there, "a byte was fetched twice"
        self.there |= fresh
        segment.received += size

    @rule(number=st.integers(0, 50), share=st.integers(0, 100))
    def split(self, number: int, share: int) -> None:
        segment = self.pick(number)
        if segment.remaining:
            self.segments.split(segment, segment.position + segment.remaining * share // 101)

    @rule(number=st.integers(0, 50))
    def end(self, number: int) -> None:
        self.pick(number).owned = False
        self.segments.compact()

    @rule(number=st.integers(0, 50), reach=st.integers(0, TOTAL))
    def answer(self, number: int, reach: int) -> None:
        segment = self.pick(number)
        segment.owned, segment.promised_end = True, max(reach, segment.end or 0)

    @rule(number=st.integers(0, 50), over_others=st.booleans())
    def refuse(self, number: int, over_others: bool) -> None:
        self.segments.give_back(self.pick(number), over_others=over_others)

    @rule()
    def restart_the_worker(self) -> None:
        self.segments = Segments.from_received(TOTAL, self.segments.received_ranges())

    @invariant()
    def every_byte_is_in_exactly_one_segment(self) -> None:
        position = 0
        for segment in self.segments:
            assert segment.start == position
            assert segment.end is not None
            assert 0 <= segment.received <= segment.end - segment.start
            position = segment.end
        assert position == TOTAL

    @invariant()
    def what_is_there_is_known(self) -> None:
        assert {offset for start, end in self.segments.received_ranges() for offset in range(start, end)} == self.there
        assert self.segments.is_complete == (len(self.there) == TOTAL)


TestFetching = Fetching.TestCase
