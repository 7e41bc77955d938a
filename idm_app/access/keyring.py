"""The password's hash, the sessions and the tokens: ``access.json`` in the data folder, 0600.

Secrets are random (256 bits), so their SHA-256 is enough to keep; they are looked up by it, never compared.
"""

import asyncio
import hashlib
import json
import logging
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from idm_app.access.doors import Caller, Scope
from idm_app.errors import StoreFull, UnknownToken
from idm_app.store import files
from idm_app.units import format_instant, parse_instant, utc_now

log = logging.getLogger(__name__)

_SCHEMA = 1
SESSION_LIFETIME = timedelta(days=30)
"""Without use."""
_NOTE_USE_EVERY = timedelta(minutes=1)
_MOST_SESSIONS = 200
_TOKEN_PREFIX = "idm_"  # noqa: S105  so that one that got into the wrong place can be found


@dataclass(frozen=True, slots=True)
class Token:
    """A client's key. ``digest``: of its secret."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    digest: str
    created_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. ``digest``: of its cookie."""

    id: str
    digest: str
    created_at: datetime
    last_used_at: datetime


class Keyring:
    """Sessions and tokens by the digest of their secret. Event loop only; the disk is waited for in threads."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        """Not for callers: :meth:`open`."""
        self._path = path
        self.password_hash: str | None = content["password_hash"]
        self.tokens = {token.digest: token for token in map(_token, content["tokens"])}
        self._sessions = {session.digest: session for session in map(_session, content["sessions"])}
        self._saving = asyncio.Lock()
        self._notes: set[asyncio.Task[None]] = set()

    @classmethod
    def open(cls, folder: Path) -> Self:
        """What is kept in ``folder``. A damaged file is set aside: nobody is signed in then, and no token works."""
        path = folder / "access.json"
        try:
            return cls(path, json.loads(path.read_bytes()))
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError, AttributeError):
            kept = files.aside(path)
            path.replace(kept)
            log.warning("%s was damaged and is kept as %s; tokens have to be made anew", path, kept.name)
        return cls(path, {"password_hash": None, "tokens": [], "sessions": []})

    # -- asking

    def by_token(self, secret: str) -> Caller | None:
        """Whose token this is."""
        token = self.tokens.get(_digest(secret))
        if token is None:
            return None
        if self._is_worth_noting(token.last_used_at):
            self.tokens[token.digest] = replace(token, last_used_at=utc_now())
            self._note()
        return Caller("token", token.id, frozenset(token.scopes))

    def by_session(self, secret: str) -> Caller | None:
        """Whose cookie this is."""
        session = self._sessions.get(_digest(secret))
        if session is None or utc_now() - session.last_used_at > SESSION_LIFETIME:
            return None
        if self._is_worth_noting(session.last_used_at):
            self._sessions[session.digest] = replace(session, last_used_at=utc_now())
            self._note()
        return Caller("session", session.id, frozenset({Scope.ADMIN}))

    # -- changing

    def set_password(self, password_hash: str) -> None:
        """Replace the password; every session ends. Before the server starts; raises ``OSError``."""
        self.password_hash = password_hash
        self._sessions.clear()
        files.write_whole(self._path, [self._encoded()])

    async def add_session(self) -> str:
        """A new session; its secret. On a full disk it lasts until the server ends."""
        self._drop_old_sessions()
        secret, now = secrets.token_urlsafe(32), utc_now()
        session = Session(secrets.token_hex(8), _digest(secret), now, now)
        self._sessions[session.digest] = session
        await self._try_to_save()
        return secret

    async def end_sessions(self, *ids: str) -> list[str]:
        """End these sessions, or all; the ids of those that were there."""
        ended = [session for session in self._sessions.values() if not ids or session.id in ids]
        for session in ended:
            del self._sessions[session.digest]
        await self._try_to_save()
        return [session.id for session in ended]

    async def add_token(self, name: str, scopes: tuple[Scope, ...]) -> tuple[Token, str]:
        """A new token and its secret. Raises :class:`StoreFull`."""
        secret = _TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = Token(secrets.token_hex(4), name, scopes, _digest(secret), utc_now())
        self.tokens[token.digest] = token
        try:
            await self._save()
        except StoreFull:
            del self.tokens[token.digest]
            raise
        return token, secret

    async def remove_token(self, token_id: str) -> None:
        """It opens nothing from now on. Raises :class:`UnknownToken`, :class:`StoreFull`."""
        found = next((token for token in self.tokens.values() if token.id == token_id), None)
        if found is None:
            raise UnknownToken
        del self.tokens[found.digest]
        await self._save()

    # -- on disk

    async def _save(self) -> None:
        async with self._saving:
            try:
                await asyncio.to_thread(files.write_whole, self._path, [self._encoded()])
            except OSError as error:
                raise StoreFull(f"{self._path} cannot be written ({error.strerror}). Make room there.") from error

    async def _try_to_save(self) -> None:
        try:
            await self._save()
        except StoreFull as error:
            log.warning("%s", error)

    def _note(self) -> None:
        """Keep when it was used, but make nobody wait for that."""
        note = asyncio.ensure_future(self._try_to_save())
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    @staticmethod
    def _is_worth_noting(last: datetime | None) -> bool:
        return last is None or not timedelta(0) <= utc_now() - last < _NOTE_USE_EVERY

    def _drop_old_sessions(self) -> None:
        newest = sorted(self._sessions.values(), key=lambda session: session.last_used_at)[-_MOST_SESSIONS + 1 :]
        now = utc_now()
        self._sessions = {s.digest: s for s in newest if now - s.last_used_at <= SESSION_LIFETIME}

    def _encoded(self) -> bytes:
        content = {
            "schema": _SCHEMA,
            "password_hash": self.password_hash,
            "tokens": [asdict(token) for token in self.tokens.values()],
            "sessions": [asdict(session) for session in self._sessions.values()],
        }
        return json.dumps(content, default=format_instant, indent=1).encode()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(record: dict[str, Any]) -> Token:
    scopes, created_at = tuple(map(Scope, record["scopes"])), datetime.fromisoformat(record["created_at"])
    last_used_at = parse_instant(record["last_used_at"])
    return Token(record["id"], record["name"], scopes, record["digest"], created_at, last_used_at)


def _session(record: dict[str, Any]) -> Session:
    created_at, last_used_at = (datetime.fromisoformat(record[name]) for name in ("created_at", "last_used_at"))
    return Session(record["id"], record["digest"], created_at, last_used_at)
