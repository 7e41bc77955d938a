"""What is remembered of probes, and for how long."""

import asyncio

import pytest

from idm_app.engine.messages import Failed, Job, Offered
from idm_app.errors import ProbeFailed, TooManyProbes
from idm_app.model import Cookie, Request
from idm_app.probes import KEPT_SECONDS, MOST_AT_ONCE, MOST_KEPT, MOST_KEPT_CHARACTERS, MOST_WAITING, Probes

JOB = Job(0, "http://a.example/", "/f", "/j")


class Worker:
    """Answers at once, unless told to wait."""

    def __init__(self) -> None:
        self.now = 0.0
        self.text = "{}"
        self.running = self.most_running = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def ask(self, job: Job) -> Offered:
        assert job.only_probe
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.may_answer.wait()
        finally:
            self.running -= 1
        return Offered("media", job.url, extraction=self.text)


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def probes(worker: Worker) -> Probes:
    return Probes(worker.ask, lambda: worker.now)


def known(probes: Probes, request: Request) -> bool:
    return probes.informed(JOB, request).extraction is not None


async def test_an_extraction_is_for_the_same_question_only_and_expires(probes: Probes, worker: Worker) -> None:
    await probes.probe(Request("http://a.example/"), JOB)
    assert known(probes, Request("http://a.example/", quality="720p", filename="x"))  # type: ignore[arg-type]
    assert not known(probes, Request("http://b.example/"))
    assert not known(probes, Request("http://a.example/", cookies=(Cookie("a", "b", "a.example"),)))
    worker.now = KEPT_SECONDS + 1
    assert not known(probes, Request("http://a.example/"))


async def test_only_so_much_is_kept_the_newest(probes: Probes, worker: Worker) -> None:
    requests = [Request(f"http://a.example/{n}") for n in range(MOST_KEPT + 5)]
    for request in requests:
        await probes.probe(request, JOB)
    assert [known(probes, request) for request in requests] == [False] * 5 + [True] * MOST_KEPT
    worker.text = "x" * (MOST_KEPT_CHARACTERS - 10)
    await probes.probe(Request("http://large.example/"), JOB)
    assert known(probes, Request("http://large.example/"))
    assert not known(probes, requests[0])
    assert sum(known(probes, request) for request in requests) <= 5


async def test_few_at_once_and_not_too_many_waiting(probes: Probes, worker: Worker) -> None:
    worker.may_answer.clear()
    asked = [asyncio.ensure_future(probes.probe(Request(f"http://a.example/{n}"), JOB)) for n in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyProbes):
        await probes.probe(Request("http://a.example/more"), JOB)
    worker.may_answer.set()
    await asyncio.gather(*asked)
    assert worker.most_running == MOST_AT_ONCE
    await probes.probe(Request("http://a.example/more"), JOB)


async def test_a_failure_keeps_its_code_and_nothing_else_is_kept() -> None:
    async def fail(_: Job) -> Failed:
        return Failed("not-found", "gone", "HTTP 404", False)

    async def say_nothing(_: Job) -> None:
        return None

    for ask, code in ((fail, "not-found"), (say_nothing, "worker-crashed")):
        probes = Probes(ask)
        with pytest.raises(ProbeFailed) as caught:
            await probes.probe(Request("http://a.example/"), JOB)
        assert caught.value.code == code
        assert not known(probes, Request("http://a.example/"))
