"""One rate for all: who gets how much, and that those that run are told."""

import asyncio
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from idm_app.model import Download, Request
from idm_app.shared_rate import ADJUST_SECONDS, Demand, SharedRate, shares
from idm_app.units import utc_now

DEMANDS = st.dictionaries(
    st.integers(1, 40),
    st.builds(
        Demand,
        own_limit=st.none() | st.integers(1000, 10**7),
        rate=st.none() | st.floats(0, 10**7),
        share=st.none() | st.integers(1000, 10**7),
    ),
    min_size=1,
)


def test_without_a_limit_each_keeps_its_own() -> None:
    requests = {1: Request("http://x/"), 2: Request("http://x/", bytes_per_second_limit=5000)}
    running = [Download(number, request, utc_now()) for number, request in requests.items()]
    assert SharedRate(lambda: running, lambda *_: None, None).share_out() == {1: None, 2: 5000}


def test_the_same_for_all_who_can_use_it() -> None:
    assert shares(90_000, {1: Demand(), 2: Demand(), 3: Demand()}) == {1: 30_000, 2: 30_000, 3: 30_000}


def test_what_one_may_not_or_can_not_use_is_for_the_others() -> None:
    slow = Demand(rate=8_000, share=30_000)
    assert shares(90_000, {1: Demand(own_limit=20_000), 2: slow, 3: Demand()}) == {1: 20_000, 2: 10_000, 3: 60_000}


def test_a_slow_one_that_uses_its_share_up_gets_more() -> None:
    assert shares(90_000, {1: Demand(rate=9_900, share=10_000), 2: Demand()}) == {1: 45_000, 2: 45_000}


@given(limit=st.integers(1000, 10**8), demands=DEMANDS)
def test_never_more_than_the_limit_and_nobody_starves(limit: int, demands: dict[int, Demand]) -> None:
    given_out = shares(limit, demands)
    assert given_out.keys() == demands.keys()
    assert all(share is not None and share >= 1000 for share in given_out.values())
    assert sum(share or 0 for share in given_out.values()) <= limit + 1000 * len(demands)


async def test_those_that_run_are_told_what_changes_and_again_as_speeds_change() -> None:
    running = {number: Download(number, Request("http://x/"), utc_now()) for number in (1, 2)}
    told: list[tuple[int, int | None]] = []
    rate = SharedRate(running.values, lambda number, share: told.append((number, share)), None)
    rate.share_out()
    told.clear()
    rate.limit(100_000)
    rate.share_out()
    assert told == [(1, 50_000), (2, 50_000)]
    rate.share_out()
    assert len(told) == 2, "nothing has changed"
    running[1] = replace(running[1], bytes_per_second=8_000.0)
    await asyncio.sleep(ADJUST_SECONDS * 2)
    assert (1, 10_000) in told
    assert (2, 90_000) in told
    rate.limit(None)
    rate.share_out()
    assert told[-2:] == [(2, None), (1, None)] or told[-2:] == [(1, None), (2, None)]
    rate.stop()
