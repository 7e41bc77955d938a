"""All downloads as they are now: who waits for his turn."""

from dataclasses import replace
from pathlib import Path

from idm_app.background import Background
from idm_app.feed import Feed
from idm_app.ledger import Ledger
from idm_app.model import Download, Request, Status
from idm_app.store import Store
from idm_app.units import utc_now


async def test_others_than_queued_never_wait_for_their_turn(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    ledger = Ledger(store, Feed(), Background())
    for number, status in ((1, Status.PAUSED), (2, Status.QUEUED), (3, Status.QUEUED)):
        ledger.write(Download(number, Request("http://x/"), utc_now(), status=status, position=number))
    assert [download.id for download in ledger.queued()] == [2, 3]
    ledger.write(replace(ledger[3], position=1))
    assert [download.id for download in ledger.queued()] == [3, 2]
    ledger.write(replace(ledger[3], status=Status.PROBING))
    ledger.remove(2)
    ledger.write(replace(ledger[1], status=Status.QUEUED))
    assert [download.id for download in ledger.queued()] == [1]
    ledger.flush()
    await store.close()
