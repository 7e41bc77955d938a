"""What an address offers, over HTTP."""

import asyncio
from dataclasses import asdict

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from idm_app.api.problems import PROBLEMS
from idm_app.api.schemas import ProbeIn, ProbeOut
from idm_app.manager import Manager


def build(manager: Manager) -> APIRouter:
    """``POST /api/probe``."""
    router = APIRouter(tags=["downloads"], responses=PROBLEMS)

    @router.post("/api/probe", response_model=ProbeOut)
    async def probe(asked: ProbeIn, request: Request) -> Response:
        """What is there, without downloading. Takes as long as the site takes, 60 s at most; a client that goes away
        ends it. A download of the same address in the next ten minutes does not ask the site again.
        """
        answer = asyncio.ensure_future(manager.probe(asked.request()))
        gone = asyncio.ensure_future(_until_gone(request))
        try:
            await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                return Response(status_code=499)  # nobody reads it
            offered = {name: value for name, value in asdict(answer.result()).items() if name in ProbeOut.model_fields}
            return Response(orjson.dumps(offered), media_type="application/json")
        finally:
            answer.cancel()
            gone.cancel()

    return router


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
