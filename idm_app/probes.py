"""Asking what an address offers, and remembering what was extracted for the download that follows."""

import asyncio
import itertools
import tempfile
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from idm_app.engine.messages import Failed, Job, Offered, Report
from idm_app.errors import FAILURES, ProbeFailed, TooManyProbes
from idm_app.model import Request

PROBE_SECONDS = 60.0
"""Sites behind JavaScript challenges take ten and more."""
MOST_AT_ONCE = 3
MOST_WAITING = 20
KEPT_SECONDS = 600.0
"""Addresses of streams expire; many within the hour, some sooner. One that has is extracted again."""
MOST_KEPT = 32
MOST_KEPT_CHARACTERS = 16 << 20

Ask = Callable[[Job], Awaitable[Report | None]]


@dataclass(frozen=True, slots=True)
class _Extraction:
    text: str
    until: float


class Probes:
    """Few at a time, each in a worker of its own. Event loop only. ``ask`` lets a worker do a job."""

    def __init__(self, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._waiting = 0
        self._numbers = itertools.count(1)
        self._kept: OrderedDict[Request, _Extraction] = OrderedDict()

    async def probe(self, request: Request, job: Job) -> Offered:
        """What ``job``, made for ``request``, would find. Cancelling it ends the worker.

        Raises :class:`ProbeFailed` with the failure's own code, :class:`TooManyProbes`.
        """
        if self._waiting >= MOST_WAITING:
            raise TooManyProbes("Too many addresses are being looked at. Wait a moment and try again.")
        self._waiting += 1
        try:
            async with self._slots:
                report = await self._answer(job)
        finally:
            self._waiting -= 1
        if isinstance(report, Failed):
            raise ProbeFailed(report.code, report.message, report.detail, retryable=report.retryable)
        if not isinstance(report, Offered):
            raise _failure("worker-crashed", "the worker ended without an answer")
        if report.extraction is not None:
            self._keep(_identity(request), report.extraction)
        return report

    def informed(self, job: Job, request: Request) -> Job:
        """``job`` with what a probe of the same address, with the same cookies and headers, extracted not long ago."""
        kept = self._kept.get(_identity(request))
        if kept is None or kept.until < self._clock():
            return job
        return replace(job, kind="media", extraction=kept.text)

    async def _answer(self, job: Job) -> Report | None:
        with tempfile.TemporaryDirectory(prefix="idm-probe-", ignore_cleanup_errors=True) as folder:
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    return await self._ask(
                        replace(job, id=-next(self._numbers), folder=folder, job_folder=folder, only_probe=True)
                    )
            except TimeoutError:
                raise _failure("timed-out", f"no answer in {PROBE_SECONDS:.0f} s") from None
            except OSError as error:
                raise _failure("worker-cannot-start", str(error)) from error

    def _keep(self, identity: Request, text: str) -> None:
        self._kept.pop(identity, None)
        self._kept[identity] = _Extraction(text, self._clock() + KEPT_SECONDS)
        for known, extraction in list(self._kept.items()):
            crowded = (
                len(self._kept) > MOST_KEPT or sum(len(e.text) for e in self._kept.values()) > MOST_KEPT_CHARACTERS
            )
            if not crowded and extraction.until >= self._clock():
                break  # the oldest are first
            del self._kept[known]


def _identity(request: Request) -> Request:
    """All of a request that decides what a site answers."""
    return Request(request.url, headers=request.headers, referrer=request.referrer, cookies=request.cookies)


def _failure(code: str, detail: str) -> ProbeFailed:
    message, retryable = FAILURES[code]
    return ProbeFailed(code, message, detail, retryable=retryable)
