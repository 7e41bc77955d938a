"""Which status may follow which."""

import pytest

from idm_app.errors import FAILURES, WrongStatus
from idm_app.model import TRANSITIONS, Status, check_transition


def test_every_status_has_a_way_on() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert all(TRANSITIONS.values())


def test_only_what_can_run_can_be_paused() -> None:
    pausable = {before for before, after in TRANSITIONS.items() if Status.PAUSED in after}
    assert pausable == {Status.QUEUED, Status.PROBING, Status.DOWNLOADING, Status.PROCESSING}
    with pytest.raises(WrongStatus):
        check_transition(Status.COMPLETED, Status.PAUSED)
    check_transition(Status.DOWNLOADING, Status.PAUSED)


def test_failures_have_stable_codes_and_say_what_to_do() -> None:
    for code, (sentence, _) in FAILURES.items():
        assert code == code.lower().replace("_", "-")
        assert sentence.endswith(".")
