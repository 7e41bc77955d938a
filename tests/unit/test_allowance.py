"""How many connections a server takes."""

from idm_app.engine.allowance import REGAIN_SECONDS, Allowance


def test_a_refusal_counts_what_is_there_as_enough() -> None:
    allowance = Allowance()
    assert allowance.at(0) > 1000, "nothing has been refused"
    allowance.took(1)
    assert [allowance.refused(left, 0) for left in (15, 7, 3)] == [15, 7, 3]
    allowance.took(3)
    assert allowance.at(1000) == 3


def test_one_connection_is_always_allowed() -> None:
    allowance = Allowance()
    assert allowance.refused(0, 0) == 1
    assert allowance.at(0) == 1


def test_what_was_taken_before_is_tried_again_and_more_seldom_each_time() -> None:
    allowance = Allowance()
    allowance.took(2)
    for now, wait in ((10, REGAIN_SECONDS), (20, 2 * REGAIN_SECONDS), (30, 4 * REGAIN_SECONDS)):
        assert allowance.refused(1, now) == 2, "what the server is known to take"
        assert allowance.at(now + wait - 0.01) == 1
        assert allowance.at(now + wait) == 2
