"""So many threads at a time as are allowed now."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from idm_app.engine.slots import Slots


def test_never_more_than_are_allowed_and_all_come_in_in_the_end() -> None:
    slots = Slots(lambda: 2)
    most = 0
    lock = threading.Lock()

    def work(_: int) -> None:
        nonlocal most
        with slots:
            with lock:
                most = max(most, slots.taken)
            time.sleep(0.002)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert most == 2
    assert slots.taken == 0


def test_who_waits_notices_that_more_are_allowed() -> None:
    allowed = [1]
    slots = Slots(lambda: allowed[0])
    is_in = threading.Event()

    def enter() -> None:
        with slots:
            is_in.set()

    with slots:
        waiting = threading.Thread(target=enter)
        waiting.start()
        allowed[0] = 2
        assert is_in.wait(20)
    waiting.join()
