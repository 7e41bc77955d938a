"""Signing in and out, tokens, pairing. What may be asked by whom, the gate has decided before."""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from idm_app.access import Access, sign_in_page
from idm_app.access.keyring import SESSION_LIFETIME, Token
from idm_app.api.schemas import ClientIn, NewTokenOut, PairingOut, PasswordIn, ProblemOut, TokenIn, TokensOut
from idm_app.units import format_instant

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "content": {"application/problem+json": {}}}
    for status in (400, 401, 403, 404, 415, 421, 422, 429, 507)
}


def build(access: Access) -> APIRouter:
    """The routes of the entrance."""
    router = APIRouter(tags=["access"], responses=_PROBLEMS)
    _add_sign_in(router, access)
    _add_tokens(router, access)
    return router


def _add_sign_in(router: APIRouter, access: Access) -> None:
    @router.get("/login", include_in_schema=False)
    async def page(request: Request, next: str = "/") -> Response:  # noqa: A002
        """The page that asks for the password; who has signed in already, or need not, goes on."""
        if request.scope["caller"] is None:
            headers = {"Content-Security-Policy": sign_in_page.POLICY, "Cache-Control": "no-store"}
            return Response(sign_in_page.PAGE, media_type="text/html", headers=headers)
        below = next.lstrip("/\\")  # whatever it says, it stays here
        return RedirectResponse(f"{request.scope['root_path']}/{below}", 303)

    @router.post("/api/login", status_code=204)
    async def sign_in(password: PasswordIn, request: Request) -> Response:
        """Trade the password for the session cookie."""
        secret = await access.sign_in(password.password, _address(request))
        answer = Response(status_code=204)
        _set_cookie(answer, access, request, secret, int(SESSION_LIFETIME.total_seconds()))
        return answer

    @router.post("/api/logout", status_code=204)
    async def sign_out(request: Request) -> Response:
        """End this session."""
        if request.scope["caller"] is not None:
            await access.sign_out(request.scope["caller"])
        return signed_out(request)

    @router.post("/api/logout/everywhere", status_code=204)
    async def sign_out_everywhere(request: Request) -> Response:
        """End every session. Tokens stay."""
        await access.sign_out_everywhere()
        return signed_out(request)

    def signed_out(request: Request) -> Response:
        answer = Response(status_code=204)
        _set_cookie(answer, access, request, "", 0)
        return answer


def _add_tokens(router: APIRouter, access: Access) -> None:
    @router.get("/api/tokens", response_model=TokensOut)
    async def tokens() -> Response:
        """All tokens, without their secrets."""
        return _json({"tokens": [_resource(token) for token in access.tokens()]})

    @router.post("/api/tokens", status_code=201, response_model=NewTokenOut)
    async def add_token(new: TokenIn) -> Response:
        """A token for a client; its secret is answered this once."""
        token, secret = await access.add_token(new.name, tuple(new.scopes))
        return _json({**_resource(token), "token": secret}, 201)

    @router.delete("/api/tokens/{token_id}", status_code=204)
    async def revoke(token_id: str) -> Response:
        """It opens nothing from now on, and its open sockets are closed."""
        await access.revoke(token_id)
        return Response(status_code=204)

    @router.post("/api/pairings", status_code=201, response_model=PairingOut)
    async def open_pairing() -> Response:
        """A code for the extension, valid once and for a minute."""
        pairing = access.open_pairing()
        return _json({"code": pairing.code, "expires_at": format_instant(pairing.expires_at)}, 201)

    @router.post("/api/pairings/{code}", status_code=201, response_model=NewTokenOut)
    async def pair(code: str, client: ClientIn, request: Request) -> Response:
        """Trade a code for a token."""
        token, secret = await access.pair(code, client.name, _address(request))
        return _json({**_resource(token), "token": secret}, 201)


def _resource(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "scopes": list(token.scopes),
        "created_at": format_instant(token.created_at),
        "last_used_at": format_instant(token.last_used_at),
    }


def _set_cookie(answer: Response, access: Access, request: Request, secret: str, lifetime_seconds: int) -> None:
    answer.set_cookie(
        access.cookie_name,
        secret,
        max_age=lifetime_seconds,
        path=access.cookie_path,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json", headers={"Cache-Control": "no-store"})
