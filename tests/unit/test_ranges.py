"""Many ids in one word of an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idm_app.errors import InvalidField
from idm_app.ranges import MAX_IDS, parse_ranges, ranges


def test_runs_are_written_as_runs() -> None:
    assert ranges([3, 1, 2, 9]) == "1-3,9"
    assert len(ranges(range(1, 10_001))) < 10


@given(st.sets(st.integers(1, 500), min_size=1))
def test_there_and_back(ids: set[int]) -> None:
    assert parse_ranges(ranges(ids)) == sorted(ids)


@pytest.mark.parametrize(
    "text", ["", "a", "1,", "-1", "1-", "1--2", "1.5", "\u0661", f"1-{MAX_IDS + 1}", "1-999999999999"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        parse_ranges(text)
