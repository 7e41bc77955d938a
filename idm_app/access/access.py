"""Signing in and out, tokens, pairing. What the gate, the API and the dashboard ask.

Event loop only; passwords are hashed in a thread, two at a time.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

from starlette.requests import cookie_parser

from idm_app.access import passwords
from idm_app.access.attempts import Attempts
from idm_app.access.doors import LOCAL, Caller, Scope
from idm_app.access.keyring import Keyring, Token
from idm_app.access.lines import Lines
from idm_app.access.pairings import Pairing, Pairings
from idm_app.errors import WrongPassword
from idm_app.settings import Options

EXTENSION_SCOPES = (Scope.SUBMIT, Scope.CONTROL)
"""What a paired extension gets: all that its popup shows, and nothing of the server's own."""


class Access:
    """Who may come in."""

    def __init__(self, options: Options, server_id: str) -> None:
        """Read the keys. Raises ``OSError``."""
        self.needs_sign_in = options.needs_sign_in
        self.cookie_name = f"idm_session_{server_id}"
        """One for each server: browsers do not keep the cookies of two ports apart."""
        self.cookie_path = options.root_path or "/"
        self.new_password: str | None = None
        """Made at this start; to be printed once."""
        self._keyring = Keyring.open(options.data_dir)
        self._sign_in_tries, self._pairing_tries = Attempts(), Attempts()
        self._pairings = Pairings()
        self._hashing = asyncio.Semaphore(2)
        self._background: set[asyncio.Future[Any]] = set()
        self.lines = Lines(self._in_background)
        if self.needs_sign_in:
            self._settle_password(options.password)

    # -- who is it

    def caller(self, bearer: str | None, cookies: str) -> Caller | None:
        """By what a request carries: a token, else the session cookie; ``None``: nobody we know."""
        if bearer is not None:
            return self._keyring.by_token(bearer)
        if not self.needs_sign_in:
            return LOCAL
        secret = cookie_parser(cookies).get(self.cookie_name)
        return None if secret is None else self._keyring.by_session(secret)

    # -- password and sessions

    async def sign_in(self, password: str, address: str) -> str:
        """The new session's secret. Raises :class:`WrongPassword`, :class:`TooManyTries`."""
        was_right = self._sign_in_tries.begin(address)
        async with self._hashing:
            known = self._keyring.password_hash
            if known is None or not await asyncio.to_thread(passwords.is_right, password, known):
                raise WrongPassword
        was_right()
        return await self._keyring.add_session()

    async def sign_out(self, caller: Caller) -> None:
        """End the caller's session, if it is one."""
        if caller.kind == "session":
            await self._keyring.end_sessions(caller.id)
            self.lines.cut(caller.id)

    async def sign_out_everywhere(self) -> None:
        """End every session. Tokens stay."""
        self.lines.cut(*await self._keyring.end_sessions())

    # -- tokens and pairing

    def tokens(self) -> list[Token]:
        """All, oldest first."""
        return sorted(self._keyring.tokens.values(), key=lambda token: token.created_at)

    async def add_token(self, name: str, scopes: tuple[Scope, ...]) -> tuple[Token, str]:
        """A new token and its secret, which is told this once. Raises :class:`StoreFull`."""
        return await self._keyring.add_token(name, scopes)

    async def revoke(self, token_id: str) -> None:
        """The token opens nothing from now on; its sockets are closed. Raises :class:`UnknownToken`."""
        try:
            await self._keyring.remove_token(token_id)
        finally:
            self.lines.cut(token_id)

    def open_pairing(self) -> Pairing:
        """A code that can be traded for a token, once and for a minute."""
        return self._pairings.open()

    def is_open(self, code: str) -> bool:
        """Whether it can still be traded."""
        return self._pairings.is_open(code)

    async def pair(self, code: str, name: str, address: str) -> tuple[Token, str]:
        """A token for a code. Raises :class:`UnknownPairing`, :class:`TooManyTries`, :class:`StoreFull`."""
        was_right = self._pairing_tries.begin(address)
        self._pairings.take(code)
        was_right()
        return await self._keyring.add_token(name, EXTENSION_SCOPES)

    # -- inside

    def _settle_password(self, chosen: str | None) -> None:
        known = self._keyring.password_hash
        if chosen is None:
            if known is None:
                self.new_password = passwords.made_up()
                self._keyring.set_password(passwords.hashed(self.new_password))
        elif known is None or not passwords.is_right(chosen, known):
            self._keyring.set_password(passwords.hashed(chosen))

    def _in_background(self, awaitable: Awaitable[Any]) -> None:
        future = asyncio.ensure_future(awaitable)
        self._background.add(future)
        future.add_done_callback(self._background.discard)
